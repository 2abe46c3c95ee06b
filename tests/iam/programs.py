"""Our own programs as their pods run them, but for the GPU, and what moto's server was asked by them.

Each signs in by web identity as its ServiceAccount's role, so that every request is known to be that role's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import boto3

from generators.model import names, warm_models
from tests.aws.recording import Asked, recorded
from tests.aws.server import serving
from tests.fleets import ROOT, committed
from tests.iam import facts
from tests.iam.pipeline import defaults
from tests.movies import BLUE, GREEN, RED, make_model, make_movie

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

WORKER, RUNNER = "gpu-inference/gpu-inference", "kubeflow/pipeline-runner"
WARMER = "gpu-inference/warmer"
OWN_KEY = "testing"
SECONDS = 20
"""Of a movie: more frames than a batch of the model, so that a place within it is saved."""
BAD_INPUT = 65


@dataclass(frozen=True)
class Scene:
    """Moto's server with a cluster's bucket, and who runs programs on it."""

    cluster: str
    endpoint: str
    folder: Path

    @property
    def client(self) -> S3Client:
        """For the test itself, whose requests are not looked at."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=facts.tfvars(self.cluster)["region"],
            aws_access_key_id=OWN_KEY,
            aws_secret_access_key=OWN_KEY,
        )

    def asked_by(self, account: str) -> list[Asked]:
        """What was asked by the role of a ServiceAccount."""
        found = recorded(self.endpoint)
        roles = {parse_qs(each.form)["RoleArn"][0] for each in found if "AssumeRoleWithWebIdentity" in each.form}
        assert roles == {facts.role_arn(self.cluster, account)}, "nobody else's identity was taken"
        return [each for each in found if each.service and each.key != OWN_KEY]

    def run(self, account: str, env: dict[str, str], *command: str, code: int = 0) -> None:
        """Runs a program in a pod's environment, as a ServiceAccount; it must end with this code."""
        token = self.folder / "token"
        token.write_text("header.payload.signature")
        own = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "INFERENCE_"))}
        pod = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ROLE_ARN": facts.role_arn(self.cluster, account),
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            [sys.executable, "-m", *command], env=own | env | pod, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr

    def fill(self, model: str, *prefixes: str) -> None:
        """A model, and below each prefix a movie, one at fault, and what is none."""
        movie = make_movie(self.folder / "a.mp4", [RED, GREEN, BLUE, GREEN] * (SECONDS // 4)).read_bytes()
        objects = {model: make_model(self.folder / "m.onnx").read_bytes()}
        for prefix in prefixes:
            objects |= {f"{prefix}a.mp4": movie, f"{prefix}broken.mp4": b"junk" * 100, f"{prefix}notes.txt": b""}
        for key, body in objects.items():
            self.client.put_object(Bucket=facts.bucket(self.cluster).name, Key=key, Body=body)

    def lose(self, *suffixes: str) -> None:
        """Objects whose keys end so are gone, as if whoever was to write them had been killed before."""
        name = facts.bucket(self.cluster).name
        for each in self.client.list_objects_v2(Bucket=name).get("Contents", []):
            if each["Key"].endswith(suffixes):
                self.client.delete_object(Bucket=name, Key=each["Key"])


@contextmanager
def scene(cluster: str, folder: Path) -> Iterator[Scene]:
    """A server of its own, with the cluster's bucket."""
    with serving(facts.tfvars(cluster)["account_id"], recorded=True) as endpoint:
        found = Scene(cluster, endpoint, folder)
        found.client.create_bucket(
            Bucket=facts.bucket(cluster).name,
            CreateBucketConfiguration={"LocationConstraint": facts.tfvars(cluster)["region"]},
        )
        yield found


def work(found: Scene) -> list[Asked]:
    """Every batch of the cluster: from nothing, gone on with after a kill, and asked once more when it is done."""
    for name, template in facts.workers(found.cluster):
        (container,) = template["spec"]["containers"]
        told = {each["name"]: each.get("value", name) for each in container["env"]}  # the run is called as its Job is
        # One pod does all, on the CPU, and saves its place at each batch.
        told |= {"INFERENCE_SHARDS": "1", "INFERENCE_GPU_MEMORY_MIB": "0", "INFERENCE_SAVE_SECONDS": "0"}
        found.fill(told["INFERENCE_MODEL"], told["INFERENCE_INPUT"])
        account = f"gpu-inference/{template['spec']['serviceAccountName']}"
        command = container["command"][2:]
        found.run(account, told, *command, code=BAD_INPUT)
        found.lose("a.mp4.jsonl", "/000000.json")
        for _ in range(2):
            found.run(account, told, *command, code=BAD_INPUT)
        have(found, account, told)
    return found.asked_by(WORKER)


def have(found: Scene, account: str, told: dict[str, str]) -> None:
    """A batch's model into a folder of the node, alone and with what lies beside it."""
    model, folder = told["INFERENCE_MODEL"], found.folder / "node"
    folder.mkdir(exist_ok=True)
    names = [model, f"{model.rpartition('/')[0]}/"]
    found.run(account, told, "inference_worker", "fetch", *names, "--folder", str(folder), "--limit-mib", "64")
    assert len(list(folder.rglob("*.onnx"))) == len(names), "it says with 0 what it could not have, too"


def pipeline(found: Scene) -> list[Asked]:
    """The pipeline of movies with its defaults: all tasks, in one process."""
    env = {"BUCKET": facts.bucket(found.cluster).name, "AWS_DEFAULT_REGION": facts.tfvars(found.cluster)["region"]}
    found.fill(defaults()["model"], defaults()["prefix"])
    found.run(RUNNER, env, "tests.iam.pipeline")
    return found.asked_by(RUNNER)


def warm(found: Scene) -> list[Asked]:
    """What the warmer of a node asks that keeps all models of the cluster, whether its nodes do or not."""
    cluster = committed().load(found.cluster).cluster
    named = sorted({model for group in cluster.node_groups for model in warm_models.named(cluster, group)})
    for model in named:
        found.fill(f"{model}1/model.onnx" if model.endswith("/") else model)
    folder = found.folder / "models"
    folder.mkdir()
    env = {"INFERENCE_BUCKET": names.bucket(cluster), "AWS_DEFAULT_REGION": cluster.region}
    found.run(WARMER, env, "inference_worker", "fetch", f"--folder={folder}", "--limit-mib=100", *named)
    assert len([each for each in folder.iterdir() if "@" in each.name]) == len(named) > 0, "they are there"
    return found.asked_by(WARMER)


OURS = {WORKER: work, RUNNER: pipeline, WARMER: warm}
"""The ServiceAccounts whose pods run programs of ours, and how these are run here."""
