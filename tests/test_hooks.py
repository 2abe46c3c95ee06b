"""What Terraform and the scheduled job run: real hook, real steps, beside a Makefile that notes calls."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.fleets import ROOT
from tests.tool_needed import needed

NODE_GROUPS = """
variable "cluster_name" { type = string }
variable "revisions" { type = any }
module "node_groups" {
  source    = "./node-groups"
  revisions = var.revisions
}
"""
MODULE = """
variable "revisions" { type = any }
output "spot_revisions" { value = var.revisions }
"""
MAKEFILE = "spot-mix:\n\t@echo $(NAME) >> calls; test ! -e broken\n"


JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "spot-mix.yaml").read_text())["jobs"]


class Hooked:
    """hooks.tf in a root of its own. AWS and its provider are left out: they have no part in when a hook runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "terraform" / "cluster"
        (self.root / "node-groups").mkdir(parents=True)
        shutil.copy(ROOT / "terraform" / "cluster" / "hooks.tf", self.root)
        (self.root / "main.tf").write_text(NODE_GROUPS)
        (self.root / "node-groups" / "main.tf").write_text(MODULE)
        (folder / "Makefile").write_text(MAKEFILE)
        self.terraform("init", "-input=false")

    def terraform(self, *arguments: str) -> int:
        env = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
        command = [str(needed("terraform")), *arguments, "-no-color"]
        done = subprocess.run(command, cwd=self.root, env=env, capture_output=True, check=False)
        return done.returncode

    def apply(self, **revisions: str) -> int:
        variables = json.dumps({"cluster_name": "demo", "revisions": revisions})
        (self.root / "terraform.tfvars.json").write_text(variables)
        return self.terraform("apply", "-auto-approve", "-input=false")

    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().split() if file.exists() else []


@pytest.fixture
def hooked(tmp_path: Path) -> Hooked:
    return Hooked(tmp_path / "a checkout")


def test_the_spot_mix_is_written_when_a_node_group_is_made_or_changed(hooked: Hooked) -> None:
    assert hooked.apply(workers="1") == 0
    assert hooked.calls() == ["demo"]
    assert hooked.apply(workers="1") == 0
    assert len(hooked.calls()) == 1
    assert hooked.apply(workers="2") == 0
    assert hooked.apply(workers="2", more="1") == 0
    assert len(hooked.calls()) == 3


def test_a_spot_mix_that_failed_fails_the_apply_and_comes_again(hooked: Hooked) -> None:
    (hooked.folder / "broken").touch()
    assert hooked.apply(workers="1") == 1
    (hooked.folder / "broken").unlink()
    assert hooked.apply(workers="1") == 0
    assert hooked.calls() == ["demo", "demo"]


def test_a_cluster_without_spot_groups_calls_nothing(hooked: Hooked) -> None:
    assert hooked.apply() == 0
    assert hooked.calls() == []


def test_make_knows_what_the_hooks_call() -> None:
    called = re.findall(r"make .* ([a-z-]+) NAME=", (ROOT / "terraform" / "cluster" / "hooks.tf").read_text())
    assert called
    for target in called:
        done = subprocess.run(
            ["make", "-n", target, "NAME=demo"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert "scripts.spot_mix apply 'demo'" in done.stdout, done.stderr


def step(job: str, name: str, folder: Path, output: Path) -> int:
    """Runs the script of a step as GitHub does: bash that stops at the first error."""
    script = next(each["run"] for each in JOBS[job]["steps"] if each.get("id") == name)
    env = {**os.environ, "GITHUB_OUTPUT": str(output), "NAME": "demo"}
    return subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=env, check=False).returncode


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is missing; the job's runner has it")
def test_the_job_looks_at_every_cluster(tmp_path: Path) -> None:
    assert step("clusters", "list", ROOT, tmp_path / "output") == 0
    name, _, found = (tmp_path / "output").read_text().partition("=")
    clusters = {each["cluster_name"]: each for each in json.loads(found)}
    assert name == "clusters"
    assert set(clusters) == {path.parent.name for path in (ROOT / "clusters").glob("*/cluster.yaml")}
    assert clusters["dev-tokyo"]["region"] == "ap-northeast-1"
    assert re.fullmatch(r"\d{12}", clusters["dev-tokyo"]["account_id"])


@pytest.mark.parametrize(("recipe", "drift"), [("true", "false"), ("exit 1", "true")])
def test_the_job_writes_where_the_check_found_something(tmp_path: Path, recipe: str, drift: str) -> None:
    (tmp_path / "Makefile").write_text(f"spot-mix-check:\n\t@{recipe}\n")
    assert step("spot-mix", "check", tmp_path, tmp_path / "output") == 0
    assert (tmp_path / "output").read_text() == f"drift={drift}\n"
    last = JOBS["spot-mix"]["steps"][-1]
    assert last == {"if": "steps.check.outputs.drift == 'true'", "run": 'make spot-mix NAME="$NAME"'}
