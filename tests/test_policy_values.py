"""Policy over values of third-party charts: in the file and line that has the last word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from generators.checks.policy import RULES
from generators.checks.policy.review import review_values
from generators.checks.policy.values import RULES as OF_VALUES
from generators.model.base import dotted
from generators.pipeline import policies
from generators.source import reader
from generators.source.workspace import Workspace
from tests import fleets
from tests.test_policy import FACTS, SAMPLE

Fleet = Callable[..., Result]
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists"}
OVERRIDE = "clusters/demo/values/cluster-autoscaler.yaml"


def told(values: dict[str, Any]) -> list[str]:
    return [
        f"{dotted(each.finding.path)}: {each.finding.message}"
        for each in review_values(FACTS, [("sample", values)]).broken
    ]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"controller": {"nodeSelector": {"inference-fleet/role": "system"}}},
        {"nodeSelector": {"inference-fleet/node-group": "gpu-t4"}, "tolerations": [TOLERATION]},
        {"global": {"nodeSelector": {"inference-fleet/role": "system"}}, "server": {"tolerations": [TOLERATION]}},
        {"nodeSelector": {"inference-fleet/node-group": "gpu-t4"}},
        {"tolerations": [{"operator": "Exists"}]},
        {"image": {"repository": "autoscaler", "tag": "1.2.3"}},
        {"image": {"repository": "registry.k8s.io/autoscaler"}},
        {"image": {"registry": "registry.k8s.io", "repository": "autoscaler", "tag": 1.2}},
        {"release": {"tag": "latest"}},
        {"priorityClassName": "system-cluster-critical", "nodeSelector": {"inference-fleet/role": "system"}},
        {"priorityClassName": "system-node-critical", "nodeSelector": {}},
        {"replicaCount": 2, "podDisruptionBudget": {"minAvailable": 1}},
        {"replicaCount": 1, "podDisruptionBudget": {"enabled": False, "minAvailable": 1}},
        {"replicas": 0, "pdb": {"minAvailable": 1}},
        {"nodeSelector": {}, "tolerations": [], "repository": {"url": "https://example.com"}},
    ],
)
def test_values_that_can_be_met_are_silent(values: dict[str, Any]) -> None:
    assert told(values) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"controller": {"nodeSelector": {"inference-fleet/role": "sytem"}}},
            "controller.nodeSelector.inference-fleet/role: no node group has the label `inference-fleet/role=sytem`: ",
        ),
        (
            {"nodeSelector": {"inference-fleet/node-group": "gpu-t4", "eks.amazonaws.com/capacityType": "ON_DEMAND"}},
            "nodeSelector: no node group has all the labels that the pod asks for",
        ),
        (
            {"a": {"b": {"tolerations": [TOLERATION, {"key": "gpu", "operator": "Exists"}]}}},
            "a.b.tolerations[1]: no node of this cluster has a taint that `gpu` tolerates [tolerations]",
        ),
        (
            {"nodeSelector": {"inference-fleet/role": "system"}, "tolerations": [TOLERATION]},
            "tolerations: does not tolerate `CriticalAddonsOnly=true:NoSchedule` of the node groups that it chooses",
        ),
        (
            {"nodeSelector": {"inference-fleet/role": "system"}, "tolerations": []},
            "tolerations: does not tolerate `CriticalAddonsOnly=true:NoSchedule` of the node groups that it chooses",
        ),
        (
            {"c": {"priorityClassName": "system-cluster-critical", "nodeSelector": {}}},
            "c.nodeSelector: a system pod may run on ",
        ),
        (
            {"replicaCount": 1, "podDisruptionBudget": {"enabled": True, "minAvailable": 1}},
            "replicaCount: minAvailable 1 means 1 of 1 replica: none may ever be evicted [budget]",
        ),
        (
            {"server": {"replicas": 3, "pdb": {"minAvailable": "70%"}}},
            "server.pdb.minAvailable: minAvailable 70% means 3 of 3 replicas: none may ever be evicted [budget]",
        ),
        ({"sidecarImage": {"tag": "latest"}}, "sidecarImage.tag: `sidecarImage:latest` is whatever is newest"),
        ({"image": {"repository": "autoscaler", "tag": "latest"}}, "image.tag: `autoscaler:latest` is whatever is"),
        (
            {"image": {"repository": "docker.io/example/autoscaler", "tag": "1.2.3"}},
            "image.repository: `docker.io/example/autoscaler` is from `docker.io/example`, which is none",
        ),
        (
            {"image": {"registry": "quay.io", "repository": "example/other"}},
            "image.repository: `quay.io/example/other` is from `quay.io/example`, which is none",
        ),
        (
            {
                "affinity": {
                    "nodeAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": {
                            "nodeSelectorTerms": [{"matchExpressions": [{"key": "gpu", "operator": "Exists"}]}]
                        }
                    }
                }
            },
            "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]."
            "matchExpressions[0]: no node group has the label `gpu`",
        ),
    ],
)
def test_values_that_cannot_be_met_are_told_once_at_their_path(values: dict[str, Any], message: str) -> None:
    (found,) = told(values)
    assert found.startswith(message)


def test_the_rules_of_values_are_rules() -> None:
    assert set(OF_VALUES) <= {rule.id for rule in RULES}


def test_a_reason_is_given_for_the_application() -> None:
    values = {"nodeSelector": {"a": "b"}}
    for pattern, broken in (("Application/sample", 0), ("Deployment/*", 1)):
        app = SAMPLE.model_copy(update={"exceptions": {"node-selector": {pattern: "A reason."}}})
        found = review_values(replace(FACTS, apps={"sample": app}), [("sample", values)])
        assert (len(found.broken), len(found.needed)) == (broken, 1 - broken)


@pytest.fixture
def demo(workspace: Workspace) -> Path:
    folder = fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))
    (folder / "values").mkdir()
    return folder


def validated(fleet: Fleet) -> str:
    assert fleet("render").exit_code == 0
    return fleet("validate", "demo").output


def test_an_override_is_told_at_its_line(workspace: Workspace, fleet: Fleet, demo: Path) -> None:
    (workspace.root / OVERRIDE).write_text("# By hand.\nnodeSelector:\n  inference-fleet/role: sytem\n")
    message = validated(fleet)
    assert f"error: {OVERRIDE}:3:25: nodeSelector.inference-fleet/role: no node group has the label" in message
    assert "hint: did you mean `system`? Or say why in apps/cluster-autoscaler/app.yaml" in message
    assert demo.is_dir()


def test_values_of_our_own_charts_are_left_to_their_objects() -> None:
    inputs, node = fleets.committed().load("prod-tokyo"), reader.parse("nodeSelector: {a: b}\n", "values.yaml")
    autoscaler = inputs.catalog.apps["cluster-autoscaler"]
    ours = {"cluster-autoscaler": autoscaler.model_copy(update={"chart": None, "own_chart": "sample"})}
    own = replace(inputs, catalog=replace(inputs.catalog, apps={**inputs.catalog.apps, **ours}))
    assert len(policies.of_values(inputs, {"cluster-autoscaler": [node]})[0]) == 1
    assert policies.of_values(own, {"cluster-autoscaler": [node]}) == ([], frozenset())


def test_the_last_word_counts(workspace: Workspace, fleet: Fleet, demo: Path) -> None:
    """The cluster's own values have a tag and tolerations; an override comes after them."""
    values = workspace.root / "apps" / "cluster-autoscaler" / "values.yaml"
    values.write_text(values.read_text() + "image: {tag: latest}\ntolerations: [{key: nobody, operator: Exists}]\n")
    assert "1 cluster valid" in validated(fleet)
    (demo / "values" / "cluster-autoscaler.yaml").write_text("image:\n  tag: latest\n")
    message = validated(fleet)
    assert f"error: {OVERRIDE}:2:8: image.tag: `image:latest` is whatever is newest" in message
    assert "nobody" not in message
