"""When Terraform calls the bootstrap: the real hook and Terraform, modules without resources, a Makefile that notes.

AWS and its provider are left out: they have no part in when the hook runs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fleets import ROOT
from tests.tool_needed import needed

MAIN = """
variable "cluster_name" { type = string }
variable "endpoint" { type = string }
variable "argocd" { type = any }
module "cluster" {
  source   = "./cluster"
  endpoint = var.endpoint
}
module "network" { source = "./empty" }
module "node_groups" { source = "./empty" }
"""
CLUSTER = """
variable "endpoint" { type = string }
output "endpoint" { value = var.endpoint }
"""
MAKEFILE = "bootstrap:\n\t@echo $(NAME) >> calls; test ! -e broken\n"


class Hooked:
    """bootstrap.tf in a root of its own, in a folder with a space."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "terraform" / "cluster"
        for name, text in (("cluster", CLUSTER), ("empty", "")):
            (self.root / name).mkdir(parents=True)
            (self.root / name / "main.tf").write_text(text)
        shutil.copy(ROOT / "terraform" / "cluster" / "bootstrap.tf", self.root)
        (self.root / "main.tf").write_text(MAIN)
        (folder / "Makefile").write_text(MAKEFILE)
        assert self.terraform("init", "-input=false") == 0

    def terraform(self, *arguments: str) -> int:
        env = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
        command = [str(needed("terraform")), *arguments, "-no-color"]
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, check=False).returncode

    def apply(self, endpoint: str = "https://one", **argocd: object) -> int:
        facts = {"bootstrap": True, "repository": "r", "revision": "main", "credential": None, **argocd}
        variables = {"cluster_name": "demo", "endpoint": endpoint, "argocd": facts}
        (self.root / "terraform.tfvars.json").write_text(json.dumps(variables))
        return self.terraform("apply", "-auto-approve", "-input=false")

    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().split() if file.exists() else []


@pytest.fixture
def hooked(tmp_path: Path) -> Hooked:
    return Hooked(tmp_path / "a checkout")


def test_once_for_a_cluster_and_again_for_a_new_one_or_another_repository(hooked: Hooked) -> None:
    assert hooked.apply() == hooked.apply(applied_first=["more"]) == 0
    assert hooked.calls() == ["demo"]
    assert hooked.apply("https://two") == 0
    assert hooked.apply("https://two", repository="other") == 0
    assert hooked.apply("https://two", repository="other", credential="fleet/git") == 0
    assert hooked.calls() == ["demo"] * 4


def test_one_that_failed_fails_the_apply_and_comes_again(hooked: Hooked) -> None:
    (hooked.folder / "broken").touch()
    assert hooked.apply() == 1
    (hooked.folder / "broken").unlink()
    assert hooked.apply() == 0
    assert hooked.calls() == ["demo", "demo"]


def test_switched_off_it_calls_nothing(hooked: Hooked) -> None:
    assert hooked.apply(bootstrap=False) == 0
    assert hooked.calls() == []


def test_make_has_what_the_hook_calls() -> None:
    command = ["make", "-n", "bootstrap", "NAME=demo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "scripts.bootstrap 'demo'" in done.stdout, done.stderr
