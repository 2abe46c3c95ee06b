"""A checkout whose Terraform root is a small one with the real backend block, and AWS's stand-in for its state."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from generators.source import edit
from generators.source.workspace import Workspace
from scripts.target import TFVARS
from scripts.terraform import ROOT as FOLDER
from scripts.terraform import state_key
from tests import fleets
from tests.aws.server import serving
from tests.terraform import mirrors

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
STATE_BUCKET = f"inference-fleet-state-{ACCOUNT}-{REGION}"
SMALL = """
resource "terraform_data" "environment" { input = var.tags.environment }
resource "terraform_data" "database" { input = var.storage.database.instance_class }
"""
Run = subprocess.CompletedProcess[str]


class TinyRoot:
    """Clusters in a checkout, commands run in it as `make` does, and clients of the AWS that they talk to."""

    def __init__(self, workspace: Workspace, url: str) -> None:
        self.workspace, self.url = workspace, url
        self.folder = workspace.root / FOLDER
        self.folder.mkdir(parents=True)
        # What the real one says of version and backend is what is tested; the provider takes seconds to start.
        said = (fleets.ROOT / FOLDER / "versions.tf").read_text(encoding="utf-8")
        self.write("versions.tf", re.sub(r"  required_providers \{.*?\n  \}\n", "", said, flags=re.DOTALL))
        self.write("main.tf", SMALL)
        providers = self.folder / ".terraform" / "plugins"
        mirror = next(mirrors(), None)
        source = f'filesystem_mirror {{\n    path = "{mirror}"\n  }}' if mirror else "direct {}"
        configuration = workspace.root / "terraform.rc"
        configuration.write_text(f"provider_installation {{\n  {source}\n}}\n")
        self.env = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TF_"))} | {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
            "FLEET_ROOT": str(workspace.root),
            "NO_COLOR": "1",
            "PYTHONPATH": str(fleets.ROOT),
            "TF_CLI_CONFIG_FILE": str(configuration),
            "TF_PLUGIN_CACHE_DIR": str(providers),
            # The stand-in has one host name for all buckets, as AWS has not.
            "TF_CLI_ARGS_init": "-backend-config=use_path_style=true",
        }

    def write(self, name: str, text: str) -> None:
        """A file of the root."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def add(self, name: str, **keys: str) -> None:
        """A rendered cluster; `keys` of its file by dotted path, as `storage__deletable="true"`."""
        text = edit.remove(
            fleets.text("dev-tokyo").replace("name: dev-tokyo", f"name: {name}"), name, ("access", "hosted_zone")
        )
        block = f"10.{10 * (len(self.workspace.names()) + 1)}.0.0/16"
        fleets.add(self.workspace, name, text.replace("10.10.0.0/16", block))
        self.set(name, **keys)

    def set(self, name: str, **keys: str) -> None:
        """Changes keys of the cluster's file, and renders."""
        for key, value in keys.items():
            done = self.fleet("set", name, key.replace("__", "."), value)
            assert done.returncode == 0, done.stderr
        done = self.fleet("render", name)
        assert done.returncode == 0, done.stderr
        facts = json.loads((self.workspace.clusters / name / TFVARS).read_text(encoding="utf-8"))
        self.write("variables.tf", "".join(f'variable "{key}" {{ type = any }}\n' for key in facts))

    def fleet(self, *arguments: str) -> Run:
        """`fleet`."""
        return self._run(("-c", "from generators.cli.main import main; main()"), arguments)

    def python(self, code: str) -> Run:
        """Code of ours, in a process of its own."""
        return self._run(("-c", code), ())

    def __call__(self, script: str, *arguments: str, **env: str) -> Run:
        """`python -m scripts.SCRIPT`, without a terminal."""
        return self._run(("-m", f"scripts.{script}"), arguments, env)

    def _run(self, module: tuple[str, str], arguments: tuple[str, ...], env: dict[str, str] | None = None) -> Run:
        command = [sys.executable, *module, *arguments]
        env = self.env | (env or {})
        return subprocess.run(
            command,
            env=env,
            cwd=self.workspace.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def client(self, service: str) -> Any:
        """A client of the stand-in."""
        session: Any = boto3.Session("test", "test", region_name=REGION)
        return session.client(service, endpoint_url=self.url)

    def make_bucket(self, name: str, **arguments: Any) -> None:
        """A bucket without a policy: over plain HTTP, as the stand-in is reached, TLS-only would refuse all."""
        self.client("s3").create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}, **arguments
        )

    def state(self, name: str) -> dict[str, Any]:
        """What the state of the cluster holds: address to attributes."""
        body = self.client("s3").get_object(Bucket=STATE_BUCKET, Key=state_key(name))["Body"].read()
        return {
            f"{each.get('module', 'root')}.{each['type']}.{each['name']}": each["instances"][0]["attributes"]
            for each in json.loads(body)["resources"]
        }

    def database(self, name: str) -> Any:
        """Class of the database, as applied."""
        return self.state(name)["root.terraform_data.database"]["input"]["value"]


@contextmanager
def tiny_root(workspace: Workspace) -> Iterator[TinyRoot]:
    """With a state bucket."""
    with serving(ACCOUNT) as url:
        root = TinyRoot(workspace, url)
        root.make_bucket(STATE_BUCKET)
        yield root


def plan_file(root: TinyRoot, name: str) -> Path:
    """Where the saved plan is."""
    return root.folder / ".terraform" / "clusters" / name / "saved.tfplan"
