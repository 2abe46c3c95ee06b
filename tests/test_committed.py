"""What is committed is what the sources say, valid, and complete: the clusters, schemas, reference pages, README."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable

import jsonschema_rs
import pytest
import yaml
from typer.testing import Result

from generators.cli import reference
from generators.pipeline.validate import validate_cluster
from generators.source import reader
from tests import fleets
from tests.tool_needed import needed

Fleet = Callable[..., Result]
ROOT = fleets.ROOT
CLUSTERS = ["dev-tokyo", "prod-tokyo"]


def test_the_committed_clusters_are_these_two() -> None:
    listed = subprocess.run(["git", "ls-files", "clusters"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = {line.split("/")[1] for line in listed.stdout.splitlines()} - {"defaults.yaml"}
    assert found == set(CLUSTERS)


@pytest.mark.parametrize("arguments", [("render", "--check", *CLUSTERS), ("schema", "--check")])
def test_generated_files_are_what_the_sources_say(fleet: Fleet, arguments: tuple[str, ...]) -> None:
    result = fleet(*arguments)
    assert result.exit_code == 0, result.output


def test_reference_pages_are_what_the_commands_and_models_say() -> None:
    assert reference.main(["--check"]) == 0


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_object_of_a_committed_cluster_is_valid(name: str) -> None:
    needed("kustomize")
    report = validate_cluster(fleets.committed(), name)
    assert report.problems == []
    assert report.unchecked == []
    assert report.objects > 15
    assert report.values >= 2


@pytest.mark.parametrize("name", CLUSTERS)
def test_committed_clusters_plan_hundreds_of_spot_nodes_gpus_and_three_zones(name: str) -> None:
    cluster = fleets.committed().load(name).cluster
    groups = cluster.node_groups.values()
    assert sum(group.max for group in groups if group.capacity == "spot") >= 300
    assert any(group.gpu for group in groups)
    assert len(cluster.network.zones) == 3


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        *((f"clusters/{name}/cluster.yaml", "cluster") for name in CLUSTERS),
        ("clusters/defaults.yaml", "defaults"),
        *(
            (f"apps/{name}/app.yaml", "app")
            for name in tuple(path.parent.name for path in ROOT.glob("apps/*/app.yaml"))
        ),
    ],
)
def test_hand_written_files_name_their_schema_and_fit_it(path: str, schema: str) -> None:
    first = (ROOT / path).read_text().splitlines()[0]
    relative = "../" * path.count("/") + f"schemas/{schema}.schema.json"
    assert first == f"# yaml-language-server: $schema={relative}"
    validator = jsonschema_rs.validator_for(json.loads((ROOT / "schemas" / f"{schema}.schema.json").read_text()))
    document = reader.read(ROOT / path, path).plain()
    assert [error.message for error in validator.iter_errors(document)] == []


def test_make_help_shows_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"\.PHONY: (.*)", text)[1].split())  # type: ignore[index]
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[1] for line in shown.splitlines()} == targets
    assert {
        "help",
        "new-cluster",
        "delete-cluster",
        "render",
        "check",
        "validate",
        "test",
        "golden",
        "bench",
        "fmt",
        "lint",
    } <= targets


def test_links_in_the_pages_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("clusters/*/generated/README.md")]
    assert len(pages) > 10
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page}: {target}"


def test_workflows_and_hooks_are_valid_yaml_and_run_what_ci_runs() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "check.yaml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert {"run": ".ci/run"} in workflow["jobs"]["check"]["steps"]
    assert yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["repo"] == "local"


def test_no_path_of_a_machine_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    patterns = re.compile(r"/root/|/work/")
    for path in filter(None, listed.stdout.split("\0")):
        if path != "tests/test_committed.py" and (ROOT / path).is_file():
            assert not patterns.search((ROOT / path).read_text(encoding="utf-8", errors="replace")), path
