"""`fleet upgrade --write` changes the lines of cluster.yaml that it must, renders, and leaves the rest to people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from generators.source.workspace import Workspace
from tests import fleets, upgrade_scene
from tests.tool_needed import needed
from tests.upgrade_scene import CLUSTER, TODAY

Fleet = Callable[..., Result]


@pytest.fixture
def demo(workspace: Workspace, fleet: Fleet) -> Path:
    needed("kustomize")
    folder = fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))
    assert fleet("render", "demo").exit_code == 0
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(fleet: Fleet, *more: str) -> Result:
    return fleet("upgrade", "demo", "--to", "1.36", "--today", TODAY, "--write", *more)


def test_it_changes_one_line_keeps_comments_and_renders(workspace: Workspace, demo: Path, fleet: Fleet) -> None:
    before, apps = (demo / "cluster.yaml").read_text(), tree(workspace.root / "apps")
    result = write(fleet)
    assert result.exit_code == 0, result.output
    assert (demo / "cluster.yaml").read_text() == before.replace('kubernetes: "1.35"', 'kubernetes: "1.36"')
    assert "clusters/demo/cluster.yaml: kubernetes is 1.36" in result.stderr
    assert "v1.36.1" in (demo / "generated" / "values" / "cluster-autoscaler.yaml").read_text()
    assert '"kubernetes_version": "1.36"' in (demo / "generated" / "terraform" / "cluster.tfvars.json").read_text()
    assert "\nrequired: nothing\n" in result.stdout
    assert fleet("render", "--check").exit_code == 0
    assert fleet("validate", "demo").exit_code == 0
    assert tree(workspace.root / "apps") == apps


def test_a_second_run_changes_nothing(demo: Path, fleet: Fleet) -> None:
    write(fleet)
    before = tree(demo)
    result = write(fleet)
    assert result.exit_code == 0
    assert "0 files written or removed" in result.stderr
    assert "cluster.yaml" not in result.stderr
    assert "demo: Kubernetes 1.36 → 1.36" in result.stdout
    assert tree(demo) == before


@pytest.mark.usefixtures("demo")
def test_without_write_nothing_changes(workspace: Workspace, fleet: Fleet) -> None:
    before = tree(workspace.root)
    assert fleet("upgrade", "demo", "--to", "1.36").exit_code == 0
    assert tree(workspace.root) == before


def test_a_minor_of_the_defaults_becomes_one_of_the_cluster(demo: Path, workspace: Workspace, fleet: Fleet) -> None:
    upgrade_scene.changed(CLUSTER, 'kubernetes: "1.35"\n', "")(workspace.root)
    before = (demo / "cluster.yaml").read_text()
    assert "clusters/defaults.yaml:7:13: kubernetes: is 1.35" in fleet("upgrade", "demo", "--to", "1.36").stdout
    assert write(fleet).exit_code == 0
    assert (demo / "cluster.yaml").read_text() == before + 'kubernetes: "1.36"\n'


def test_what_a_person_must_change_is_left_and_still_told(demo: Path, workspace: Workspace, fleet: Fleet) -> None:
    trouble = upgrade_scene.TROUBLES["autoscaler-tag-held"]
    trouble.make(workspace.root)
    held = (workspace.root / trouble.file).read_text()
    result = write(fleet)
    assert result.exit_code == 1
    assert 'kubernetes: "1.36"' in (demo / "cluster.yaml").read_text()
    assert (workspace.root / trouble.file).read_text() == held
    assert trouble.place(workspace.root) in result.stdout
    assert "1 required change by hand" in result.stderr
    (workspace.root / trouble.file).unlink()
    assert write(fleet).exit_code == 0


def test_two_minors_at_once_are_not_written(demo: Path, workspace: Workspace, fleet: Fleet) -> None:
    upgrade_scene.TROUBLES["two-minors"].make(workspace.root)
    before = (demo / "cluster.yaml").read_text()
    assert write(fleet).exit_code == 1
    assert (demo / "cluster.yaml").read_text() == before


def test_a_file_that_cannot_be_edited_as_a_guest_stays_as_it_is(demo: Path, fleet: Fleet) -> None:
    path = demo / "cluster.yaml"
    path.write_text(path.read_text().replace("environment: production", "environment:   production"))
    before = tree(demo)
    result = write(fleet)
    assert result.exit_code == 2
    assert "would be written otherwise than it stands" in result.stderr
    assert tree(demo) == before
