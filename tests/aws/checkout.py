"""A checkout of these sources whose AWS is moto: `make` runs in it as a person runs it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml

from scripts.target import TFVARS
from scripts.terraform import ROOT as FOLDER
from tests.aws.server import serving
from tests.fleets import ROOT
from tests.terraform import environment
from tests.tool_needed import needed

COPIED = ("apps", "clusters", "schemas", "terraform")
LINKED = ("charts", "generators", "scripts", "tests", "Makefile", "pyproject.toml", "uv.lock")
Run = subprocess.CompletedProcess[str]


class Checkout:
    """One cluster's checkout, and clients of its AWS."""

    def __init__(self, name: str, folder: Path, url: str) -> None:
        self.name, self.folder, self.url = name, folder / "checkout", url
        ignored = shutil.ignore_patterns(".terraform*")
        for each in COPIED:
            shutil.copytree(ROOT / each, self.folder / each, ignore=ignored)
        for each in LINKED:
            (self.folder / each).symlink_to(ROOT / each)
        self._packages()
        self.env = environment(folder) | {
            "AWS_ENDPOINT_URL": url,
            # What moto does not know, it will not know the next time.
            "AWS_MAX_ATTEMPTS": "2",
            "FLEET_ROOT": str(self.folder),
            "NO_COLOR": "1",
            # Moto has one host name for all buckets, as AWS has not.
            "TF_CLI_ARGS_init": "-backend-config=use_path_style=true",
        }

    def _packages(self) -> None:
        """These packages stand for those that make would install: newer than all that it compares them with."""
        (self.folder / ".venv").mkdir()
        for each in Path(sys.prefix).iterdir():
            if not each.name.startswith("."):
                (self.folder / ".venv" / each.name).symlink_to(each)
        (self.folder / ".uv").mkdir()
        version = re.search(r"^UV_VERSION := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert version
        for made in (f".uv/.{version[1]}", ".venv/.run", ".venv/.ops"):
            (self.folder / made).touch()

    @property
    def file(self) -> Path:
        """The cluster's file."""
        return self.folder / "clusters" / self.name / "cluster.yaml"

    @property
    def said(self) -> Any:
        """What it says; the keys that it leaves out come from defaults.yaml."""
        return yaml.safe_load(self.file.read_text(encoding="utf-8"))

    @property
    def facts(self) -> Any:
        """The generated variables of Terraform."""
        return json.loads((self.folder / "clusters" / self.name / TFVARS).read_text(encoding="utf-8"))

    def client(self, service: str) -> Any:
        """Of boto3."""
        session: Any = boto3.Session("test", "test", region_name=self.facts["region"])
        return session.client(service, endpoint_url=self.url)

    def run(self, *command: str, **env: str) -> Run:
        """In the checkout, without a terminal."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def make(self, target: str, *arguments: str) -> Run:
        """`make TARGET NAME=`, as it ends."""
        return self.run("make", "--no-print-directory", target, f"NAME={self.name}", *arguments)

    def must(self, target: str, *arguments: str) -> str:
        """`make TARGET NAME=`, which has to succeed; what it said."""
        done = self.make(target, *arguments)
        assert done.returncode == 0, f"make {target}: {done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def set(self, **keys: str) -> None:
        """Keys of the cluster's file by dotted path, as `storage__deletable="true"`; then render."""
        for key, value in keys.items():
            done = self.run(".venv/bin/fleet", "set", self.name, key.replace("__", "."), value)
            assert done.returncode == 0, done.stderr
        self.must("render")

    def write(self, text: str) -> None:
        """Another text of the cluster's file; then render."""
        self.file.write_text(text, encoding="utf-8")
        self.must("render")

    def terraform(self, *arguments: str) -> Run:
        """Terraform itself, in the root, with the cluster's state."""
        work = self.folder / FOLDER / ".terraform" / "clusters" / self.name
        return self.run(str(self.program), f"-chdir={FOLDER}", *arguments, TF_DATA_DIR=str(work))

    @cached_property
    def program(self) -> Path:
        """Terraform."""
        return needed("terraform")

    def plan(self) -> dict[str, str]:
        """What an apply would do: address to actions, such as `update` or `create, delete`."""
        self.must("plan")
        saved = self.folder / FOLDER / ".terraform" / "clusters" / self.name / "saved.tfplan"
        if not saved.exists():
            return {}
        shown = self.terraform("show", "-json", str(saved))
        assert shown.returncode == 0, shown.stderr
        changes = json.loads(shown.stdout)["resource_changes"]
        actions = {each["address"]: ", ".join(each["change"]["actions"]) for each in changes}
        return {address: what for address, what in actions.items() if what not in {"no-op", "read"}}


@contextmanager
def checkout(name: str, folder: Path) -> Iterator[Checkout]:
    """A committed cluster's, with AWS as it is before a first apply: administrators' roles, zones and a state bucket.

    One key differs from the committed file. Argo CD is not installed: moto has no API server behind its endpoint.
    """
    needed("terraform")
    facts = json.loads((ROOT / "clusters" / name / TFVARS).read_text(encoding="utf-8"))
    with serving(facts["account_id"]) as url:
        made = Checkout(name, folder, url)
        for arn in (*facts["access"]["admin_role_arns"], *facts["access"]["submitter_role_arns"]):
            made.client("iam").create_role(RoleName=arn.rsplit("/", 1)[1], AssumeRolePolicyDocument="{}")
        made.client("route53").create_hosted_zone(Name=facts["access"]["hosted_zone"], CallerReference=name)
        # Without the policy of `make state-bucket`: over plain HTTP, TLS only would refuse all.
        made.client("s3").create_bucket(
            Bucket=f"inference-fleet-state-{facts['account_id']}-{facts['region']}",
            CreateBucketConfiguration={"LocationConstraint": facts["region"]},
        )
        made.set(**{"apps__argo-cd__bootstrap": "false"})
        yield made
