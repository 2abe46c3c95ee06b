"""Policies as Terraform plans them from a module of ours, alone: no cluster and no AWS is needed for that."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fleets import ROOT
from tests.iam import facts
from tests.iam.judge import Statement
from tests.terraform import environment
from tests.tool_needed import needed

Resources = list[dict[str, Any]]
PROVIDER = """\
provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
"""


@dataclass(frozen=True)
class Made:
    """Of one cluster: policies by role, the key's policy, and how the bucket is encrypted."""

    policies: dict[str, list[Statement]]
    key: list[Statement]
    algorithm: str


def clusters() -> dict[str, Made]:
    """What becomes of every committed cluster's tfvars, by cluster."""
    wanted: dict[str, tuple[str, dict[str, Any]]] = {}
    for cluster in facts.CLUSTERS:
        told = facts.tfvars(cluster)
        about = {"account_id": told["account_id"], "region": told["region"], "name": cluster}
        storage = {key: told["storage"][key] for key in ("bucket", "pipelines_prefix", "encryption")}
        wanted[f"{cluster}-identity"] = "identity", trusted(told["identities"], told["account_id"], "issuer.example")
        wanted[f"{cluster}-storage"] = "storage", about | storage
    found = modules(wanted)
    return {each: _made(found[f"{each}-identity"], found[f"{each}-storage"]) for each in facts.CLUSTERS}


def trusted(identities: dict[str, Any], account: str, host: str) -> dict[str, Any]:
    """Variables of the module `identity` for an OIDC provider at a host."""
    provider = f"arn:aws:iam::{account}:oidc-provider/{host}"
    return {"identities": identities, "oidc_issuer": host, "oidc_provider_arn": provider}


def modules(wanted: Mapping[str, tuple[str, dict[str, Any]]]) -> dict[str, Resources]:
    """Planned resources by name; wanted is a module and its variables by the same names."""
    with tempfile.TemporaryDirectory(prefix="fleet-plan-") as name:
        folder = Path(name, "root")
        ignored = shutil.ignore_patterns(".terraform*", "tests")
        for module in {module for module, _ in wanted.values()}:
            shutil.copytree(ROOT / "terraform" / "modules" / module, folder / module, ignore=ignored)
        (folder / "provider.tf").write_text(PROVIDER)
        root = {key: {"source": f"./{module}", **variables} for key, (module, variables) in wanted.items()}
        (folder / "main.tf.json").write_text(json.dumps({"module": root}))
        plan = _plan(folder, environment(Path(name)))
    found = plan["planned_values"]["root_module"]["child_modules"]
    return {each["address"].removeprefix("module."): each["resources"] for each in found}


def _made(identity: Resources, storage: Resources) -> Made:
    known = {"aws_iam_role", "aws_iam_role_policy"}
    assert {each["type"] for each in identity} == known, "a policy in another form would go unseen"
    (encryption,) = (each for each in storage if each["type"].endswith("_server_side_encryption_configuration"))
    (rule,) = encryption["values"]["rule"]
    (default,) = rule["apply_server_side_encryption_by_default"]
    keys = [each for each in storage if each["type"] == "aws_kms_key"]
    return Made(
        {each["index"]: _statements(each) for each in identity if each["type"] == "aws_iam_role_policy"},
        [statement for each in keys for statement in _statements(each)],
        default["sse_algorithm"],
    )


def _statements(resource: dict[str, Any]) -> list[Statement]:
    found: list[Statement] = json.loads(resource["values"]["policy"])["Statement"]
    return found


def _plan(folder: Path, env: dict[str, str]) -> dict[str, Any]:
    def terraform(*arguments: str) -> str:
        command = [str(needed("terraform")), *arguments]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    terraform("init", "-input=false", "-no-color")
    terraform("plan", "-input=false", "-no-color", "-out=plan")
    found: dict[str, Any] = json.loads(terraform("show", "-json", "plan"))
    return found
