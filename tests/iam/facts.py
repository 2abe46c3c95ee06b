"""What is committed of a cluster: its identities' policies as Terraform is given them, and its rendered objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from generators.pipeline import batches
from tests.fleets import ROOT, committed
from tests.iam.judge import Statement
from tests.iam.s3 import Bucket

CLUSTERS = committed().workspace.names()
KEY = "the-key-that-terraform-makes"


@cache
def tfvars(cluster: str) -> dict[str, Any]:
    """The committed cluster.tfvars.json."""
    found: dict[str, Any] = json.loads((_generated(cluster) / "terraform" / "cluster.tfvars.json").read_text())
    return found


def identities(cluster: str) -> dict[str, dict[str, Any]]:
    """Identities by `<namespace>/<ServiceAccount>`, each with its role's `name`."""
    return {
        f"{each['namespace']}/{each['service_account']}": each | {"name": name}
        for name, each in tfvars(cluster)["identities"].items()
    }


def statements(cluster: str, account: str) -> list[Statement]:
    """The policy of a ServiceAccount's role, statement by statement."""
    found: list[Statement] = identities(cluster)[account]["statements"]
    return found


def role_arn(cluster: str, account: str) -> str:
    """ARN of a ServiceAccount's role."""
    return f"arn:aws:iam::{tfvars(cluster)['account_id']}:role/{identities(cluster)[account]['name']}"


def bucket(cluster: str) -> Bucket:
    """The cluster's bucket, encrypted by a key of its own where Terraform is told so."""
    facts = tfvars(cluster)
    account, region = facts["account_id"], facts["region"]
    key = f"arn:aws:kms:{region}:{account}:key/{KEY}" if facts["storage"]["encryption"] == "kms" else ""
    return Bucket(facts["storage"]["bucket"], account, region, key)


def workers(cluster: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and pod template of each Job that runs our worker, those of CronJobs and of submitted batches too."""
    for path in sorted((_generated(cluster) / "manifests" / "gpu-inference").glob("*job-*.yaml")):
        found = yaml.safe_load(path.read_text())
        spec = found["spec"]["jobTemplate"]["spec"] if found["kind"] == "CronJob" else found["spec"]
        yield found["metadata"]["name"], spec["template"]
    yield from _submitted(cluster)


def _submitted(cluster: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Batches that people may submit: each prefix that these may read and write is that of one."""
    settings = committed().load(cluster).cluster.apps.gpu_inference
    if settings is None or settings.submit is None:
        return
    read, written = settings.submit.inputs, settings.submit.outputs
    for number in range(max(len(read), len(written))):
        fields = {"input": read[number % len(read)], "output": written[number % len(written)]}
        order = batches.Order(cluster, fields, name=f"submitted-{number}", like=next(iter(settings.jobs)))
        job = batches.checked(committed(), order).job(3600, {})
        yield job["metadata"]["name"], job["spec"]["template"]


def _generated(cluster: str) -> Path:
    return ROOT / "clusters" / cluster / "generated"
