"""Terraform for tests: in a copy of the sources, offline where the provider lies in a mirror."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleets import ROOT

CLUSTERS = ["dev-tokyo", "prod-tokyo"]
"""The committed clusters."""
Run = subprocess.CompletedProcess[str]


def mirrors() -> Iterator[Path]:
    """Folders that may hold providers laid out as a mirror: what TF_PLUGIN_MIRROR names, then the usual places."""
    named = os.environ.get("TF_PLUGIN_MIRROR")
    usual = [Path.home() / ".terraform.d" / "plugins", Path("/usr/local/share/terraform/plugins")]
    for folder in [*([Path(named)] if named else []), *usual, *sorted(Path("/opt").glob("*"))]:
        if any(folder.glob("*/hashicorp/aws/*")):
            yield folder


def environment(folder: Path) -> dict[str, str]:
    """For a process that reaches no AWS but the one that AWS_ENDPOINT_URL may name. Its files lie in `folder`."""
    mirror = next(mirrors(), None)
    source = f'filesystem_mirror {{\n    path = "{mirror}"\n  }}' if mirror else "direct {}"
    configuration, providers = folder / "terraform.rc", folder / "providers"
    configuration.write_text(f"provider_installation {{\n  {source}\n}}\n", encoding="utf-8")
    providers.mkdir()
    return {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TF_"))} | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": str(configuration),
        "TF_PLUGIN_CACHE_DIR": str(providers),
    }


class Terraform:
    """Terraform in a copy of the sources, with AWS credentials that are none."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.program, self.root, self.folder = program, folder / "terraform", folder
        ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*")
        shutil.copytree(ROOT / "terraform", self.root, ignore=ignored)
        for name in CLUSTERS:
            shutil.copytree(ROOT / "clusters" / name / "generated" / "terraform", folder / self.tfvars(name).parent)
        self.env = environment(folder) | {"AWS_MAX_ATTEMPTS": "1", "TF_IN_AUTOMATION": "1"}

    @staticmethod
    def tfvars(cluster: str) -> Path:
        return Path("clusters", cluster, "generated", "terraform", "cluster.tfvars.json")

    def __call__(self, folder: str, *arguments: str, stdin: str = "", endpoint: str = "") -> Run:
        return subprocess.run(
            [self.program, *arguments],
            cwd=self.root / folder,
            env={**self.env, "AWS_ENDPOINT_URL": endpoint} if endpoint else self.env,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def copy_root(self, name: str) -> None:
        """Make `name` a copy of the root that keeps its state in a file of its own; again, nothing."""
        folder = self.root / name
        if not folder.exists():
            shutil.copytree(self.root / "cluster", folder, ignore=shutil.ignore_patterns(".terraform*", "tests"))
            (folder / "versions_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
            self.init(name, "-backend=true")

    def init(self, folder: str, backend: str = "-backend=false") -> None:
        """Make a folder ready; where its provider cannot be had, skip the test, but in CI fail it."""
        done = self(folder, "init", backend, "-input=false", "-no-color")
        if done.returncode and "Failed to query available provider packages" in done.stderr and not os.getenv("CI"):
            pytest.skip("the AWS provider cannot be had: put it into a folder, and name that in TF_PLUGIN_MIRROR")
        assert done.returncode == 0, done.stderr
