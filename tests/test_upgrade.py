"""`fleet upgrade` names whatever stands between a cluster and the next minor, with its place and its cure."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from generators.renderers import tfvars
from generators.source.workspace import Workspace
from tests import fleets, upgrade_scene
from tests.tool_needed import needed
from tests.upgrade_scene import CLUSTER, TODAY, TROUBLES, Trouble

Fleet = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("demo")


@pytest.fixture
def demo(workspace: Workspace) -> Path:
    return upgrade_scene.ready(workspace)


@pytest.fixture
def upgrade(fleet: Fleet) -> Fleet:
    return lambda *more: fleet("upgrade", "demo", "--to", "1.36", "--today", TODAY, *more)


def part(output: str, level: str) -> str:
    """What is said under `required` or `recommended`."""
    required, _, recommended = output.partition("\nrecommended: ")
    return recommended if level == "recommended" else required.partition("\nrequired: ")[2]


def named(root: Path, output: str, trouble: Trouble) -> bool:
    lines = part(output, trouble.level).splitlines()
    return any(
        line.strip().startswith(trouble.place(root)) and trouble.message in line and trouble.cure in hint
        for line, hint in pairwise(lines)
    )


def test_a_cluster_that_is_ready_needs_nothing_but_the_minor(upgrade: Fleet) -> None:
    needed("kustomize"), needed("helm")
    result = upgrade()
    assert result.exit_code == 0, result.output
    assert "\nrequired: 1 change\n" in result.stdout
    assert f'{CLUSTER}:5:13: kubernetes: is 1.35 [skew]\n    hint: write `kubernetes: "1.36"` (--write does)' in (
        result.stdout
    )
    assert "1 change that `fleet upgrade demo --to 1.36 --write` makes" in result.stderr
    assert not [name for name, each in TROUBLES.items() if each.message in result.stdout]


@pytest.mark.parametrize("name", TROUBLES)
def test_each_way_to_fail_is_named_with_place_and_cure(workspace: Workspace, upgrade: Fleet, name: str) -> None:
    trouble = TROUBLES[name]
    needed("kustomize")
    if trouble.tool:
        needed(trouble.tool)
    trouble.make(workspace.root)
    result = upgrade()
    assert result.exit_code == (1 if trouble.level == "required" else 0), result.output
    assert named(workspace.root, result.stdout, trouble), result.stdout
    others = [other for other, each in TROUBLES.items() if other != name and each.message in result.stdout]
    assert not others


def test_a_cluster_that_fails_in_more_than_ten_ways_names_them_all(workspace: Workspace, upgrade: Fleet) -> None:
    needed("kustomize"), needed("helm")
    for trouble in TROUBLES.values():
        trouble.make(workspace.root)
    result = upgrade()
    assert result.exit_code == 1
    assert [name for name, each in TROUBLES.items() if not named(workspace.root, result.stdout, each)] == []
    assert sum(each.level == "required" for each in TROUBLES.values()) >= 9
    facts = json.loads(upgrade("--output", "json").stdout)
    found = {(each["check"], each["file"]) for level in ("required", "recommended") for each in facts[level]}
    assert {check for check, _ in found} >= {
        "skew",
        "chart",
        "addon",
        "autoscaler",
        "api",
        "coredns",
        "image",
        "render",
    }
    assert {each.file for each in TROUBLES.values()} <= {file for _, file in found}


@pytest.mark.parametrize(
    ("kind", "message", "cure"),
    [
        ("AL2_x86_64_GPU", "there is no AL2_x86_64_GPU image for 1.36: 1.32 is the last", "Amazon Linux 2023"),
        ("BOTTLEROCKET_x86_64_NVIDIA", "has a device plugin of its own", "keep nvidia-device-plugin off these nodes"),
        ("WINDOWS_CORE_2022_x86_64", "nothing is known of the image family of WINDOWS_CORE_2022_x86_64", "`families`"),
    ],
)
def test_images_of_nodes_that_do_not_go_with_the_minor_are_named(
    upgrade: Fleet, monkeypatch: pytest.MonkeyPatch, kind: str, message: str, cure: str
) -> None:
    # The renderer writes Amazon Linux 2023 only: here it is made to write another family for GPU groups.
    real = tfvars.ami_type
    monkeypatch.setattr(tfvars, "ami_type", lambda arch, *, gpu: kind if gpu else real(arch, gpu=gpu))
    result = upgrade()
    assert result.exit_code == 1
    place = f"{CLUSTER}:{line(fleets.text(), '  gpu-t4:')}:3: node_groups.gpu-t4: "
    found = [each for each in part(result.stdout, "required").splitlines() if place in each]
    assert any(message in each for each in found), result.stdout
    assert cure in result.stdout


def line(text: str, start: str) -> int:
    return next(number for number, each in enumerate(text.splitlines(), start=1) if each.startswith(start))


def test_without_kustomize_it_says_what_it_could_not_look_at(
    upgrade: Fleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FLEET_TOOLS", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = upgrade()
    assert result.exit_code == 0
    assert "warning: clusters/demo/generated/overlays/coredns: not built: kustomize is not installed" in result.stderr
    assert json.loads(upgrade("-o", "json").stdout)["unchecked"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--to", "1.99"), "--to: Kubernetes 1.99 is not known here"),
        (("--to", "1.34"), "--to: demo is on 1.35, and EKS never goes back to 1.34"),
        (("--to", "soon"), "--to: Kubernetes soon is not known here"),
        (("--today", "tomorrow"), "--today: `tomorrow` is not a date"),
    ],
)
def test_a_wrong_call_is_told_apart_from_a_finding(fleet: Fleet, arguments: tuple[str, ...], message: str) -> None:
    result = fleet("upgrade", "demo", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "hint: " in result.stderr


def test_a_cluster_that_breaks_a_rule_is_a_wrong_input(workspace: Workspace, upgrade: Fleet) -> None:
    upgrade_scene.changed(CLUSTER, "10.20.0.0/16", "10.20.0.5/16")(workspace.root)
    result = upgrade()
    assert result.exit_code == 2
    assert "has host bits set" in result.stderr


def test_without_a_minor_it_looks_at_the_next_one(fleet: Fleet, workspace: Workspace) -> None:
    assert json.loads(fleet("upgrade", "demo", "-o", "json").stdout)["to"] == "1.36"
    upgrade_scene.changed(CLUSTER, '"1.35"', '"1.36"')(workspace.root)
    assert json.loads(fleet("upgrade", "demo", "-o", "json").stdout)["to"] == "1.36"


def test_what_a_machine_reads_holds_every_fact(upgrade: Fleet) -> None:
    facts: dict[str, Any] = json.loads(upgrade("--output", "json").stdout)
    assert (facts["from"], facts["to"], facts["today"]) == ("1.35", "1.36", TODAY)
    assert facts["minors"]["1.35"] == {
        "on_eks_since": "2026-01-28",
        "standard_support_ends": "2027-03-27",
        "standard_days_left": 123,
        "extended_support_ends": "2028-03-27",
        "extended_days_left": 489,
        "kernel": "6.12",
    }
    plugin = next(each for each in facts["components"] if each["component"] == "nvidia-device-plugin")
    assert (plugin["level"], plugin["supports"], plugin["date"]) == ("fits", "1.10 or newer", "2026-08-19")
    assert {"group": "gpu-t4", "ami_type": "AL2023_x86_64_NVIDIA", "device_plugin": "0.20.0"} in facts["nodes"]
    assert facts["required"] == [
        {
            "check": "skew",
            "file": CLUSTER,
            "line": 5,
            "column": 13,
            "key": "kubernetes",
            "message": "is 1.35",
            "hint": 'write `kubernetes: "1.36"`',
            "by_write": True,
        }
    ]
