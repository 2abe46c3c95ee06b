"""`fleet validate` names what does not go with the minor that a cluster is on: a version that was broken by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import Result

from generators.source.workspace import Workspace
from tests import upgrade_scene
from tests.tool_needed import needed
from tests.upgrade_scene import CLUSTER, TROUBLES, Trouble

Fleet = Callable[..., Result]
REQUIRED = {
    **{
        name: replace(TROUBLES[name], message=TROUBLES[name].message.replace("1.36", "1.35"))
        for name in ("api-gone", "api-gone-in-jsonnet")
    },
    "chart-too-old": replace(
        TROUBLES["chart-too-old"], message="cluster-autoscaler 9.47.0 does not support Kubernetes 1.35: up to 1.33"
    ),
    "add-on-too-old": replace(
        TROUBLES["add-on-too-old"], message="vpc-cni v1.16.0-eksbuild.1 does not support Kubernetes 1.35: up to 1.30"
    ),
    "kube-proxy-too-new": Trouble(
        "required",
        CLUSTER,
        "v1.36.1-eksbuild.2",
        "kube-proxy v1.36.1-eksbuild.2 is newer than a control plane of 1.35",
        "--addon-name kube-proxy --kubernetes-version 1.35",
        upgrade_scene.pinned("kube-proxy", "v1.36.1-eksbuild.2"),
    ),
    "autoscaler-tag-held": Trouble(
        "required",
        "clusters/demo/values/cluster-autoscaler.yaml",
        "v1.34.5",
        "cluster-autoscaler v1.34.5 is not of Kubernetes 1.35: their minors must be equal",
        "remove it, as `fleet` writes v1.35.2",
        upgrade_scene.added("clusters/demo/values/cluster-autoscaler.yaml", "image:\n  tag: v1.34.5\n"),
    ),
    "coredns-of-another-minor": replace(
        TROUBLES["coredns-of-another-minor"],
        message="CoreDNS is v1.9.3, and v1.14.3-eksbuild.11 belongs to Kubernetes 1.35",
    ),
    "chart-without-index": Trouble(
        "required",
        "apps/nvidia-device-plugin/app.yaml",
        "2.0.0",
        "the values of nvidia-device-plugin 2.0.0 cannot be checked: the index is of 0.20.0",
        "run `fleet charts index nvidia-device-plugin 2.0.0`",
        TROUBLES["chart-unknown"].make,
    ),
}


@pytest.fixture
def demo(workspace: Workspace) -> Path:
    return upgrade_scene.ready(workspace)


def test_the_scene_is_valid_before(demo: Path, fleet: Fleet) -> None:
    needed("kustomize"), needed("helm")
    assert demo.is_dir()
    assert fleet("render").exit_code == 0
    result = fleet("validate")
    # The chart of the scene has nothing but a name; that is all that policy has to say of it.
    assert not [each.message for each in REQUIRED.values() if each.message in result.stderr]


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("name", REQUIRED)
def test_a_version_broken_by_hand_is_named_with_place_and_cure(workspace: Workspace, fleet: Fleet, name: str) -> None:
    needed("kustomize"), needed("helm")
    trouble = REQUIRED[name]
    trouble.make(workspace.root)
    assert fleet("render").exit_code == 0
    result = fleet("validate")
    assert result.exit_code == 1, result.stderr
    lines = result.stderr.splitlines()
    told = [
        hint
        for line, hint in pairwise(lines)
        if line.startswith(f"error: {trouble.place(workspace.root)}") and trouble.message in line
    ]
    assert told, result.stderr
    assert trouble.cure in told[0]
    assert "no schema for" not in result.stderr, "what is gone is told once"


@pytest.mark.usefixtures("demo")
def test_what_is_only_untested_or_deprecated_is_not_for_validation(workspace: Workspace, fleet: Fleet) -> None:
    needed("kustomize"), needed("helm")
    for name in ("api-deprecated", "image-held"):
        TROUBLES[name].make(workspace.root)
    assert fleet("render").exit_code == 0
    result = fleet("validate")
    assert "deprecated" not in result.stderr
    assert "holds the image" not in result.stderr
