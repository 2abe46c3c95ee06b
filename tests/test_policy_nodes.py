"""Selectors, affinity and tolerations as the scheduler reads them (kubernetes.io, Assigning Pods to Nodes; Taints)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from generators.checks.policy import nodes
from generators.checks.policy.facts import ANY, Nodes
from generators.checks.policy.images import full_name
from generators.checks.policy.objects import Pod, selects
from tests.test_policy import FACTS, FOLDER, documents, reviewed

GROUPS = (
    Nodes("one", {"zone": frozenset({"a", "b"}), "cores": frozenset({"4"}), "host": ANY}),
    Nodes("two", {"zone": frozenset({"c"}), "cores": frozenset({"16"}), "gpu": frozenset({"true"}), "host": ANY}),
)


def pod(**spec: Any) -> Pod:
    return Pod((), {"spec": spec})


def affinity(*terms: list[dict[str, Any]]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def on(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


@pytest.mark.parametrize(
    ("terms", "chosen"),
    [
        ([[on("zone", "In", "a", "x")]], ["one"]),
        ([[on("zone", "In", "x")]], []),
        ([[on("host", "In", "ip-10-0-0-1")]], ["one", "two"]),
        ([[on("zone", "NotIn", "a")]], ["one", "two"]),
        ([[on("zone", "NotIn", "a", "b")]], ["two"]),
        ([[on("gpu", "NotIn", "true")]], ["one"]),
        ([[on("host", "NotIn", "ip-10-0-0-1")]], ["one", "two"]),
        ([[on("gpu", "Exists")]], ["two"]),
        ([[on("gpu", "DoesNotExist")]], ["one"]),
        ([[on("cores", "Gt", "4")]], ["two"]),
        ([[on("cores", "Lt", "16")]], ["one"]),
        ([[on("host", "Gt", "4")]], ["one", "two"]),
        ([[on("gpu", "Gt", "4")]], []),
        ([[on("cores", "Gt", "four")]], []),
        ([[on("zone", "Gt", "4")]], []),
        ([[on("cores", "Gt", "4", "5")]], []),
        ([[on("gpu", "Exists"), on("zone", "In", "a")]], []),
        ([[on("gpu", "Exists")], [on("zone", "In", "a")]], ["one", "two"]),
        ([[on("zone", "Near", "a")]], []),
    ],
)
def test_required_affinity_chooses_node_groups(terms: list[list[dict[str, Any]]], chosen: list[str]) -> None:
    found = nodes.chosen(replace(FACTS, nodes=GROUPS), pod(affinity=affinity(*terms)))
    assert [group.name for group in found] == chosen


def test_selector_and_affinity_must_both_hold() -> None:
    known = replace(FACTS, nodes=GROUPS)
    both = pod(nodeSelector={"zone": "a"}, affinity=affinity([on("cores", "In", "4", "16")]))
    assert [group.name for group in nodes.chosen(known, both)] == ["one"]
    assert [group.name for group in nodes.chosen(known, pod())] == ["one", "two"]


@pytest.mark.parametrize(
    ("toleration", "covered"),
    [
        ({"key": "k", "operator": "Exists"}, True),
        ({"key": "k", "operator": "Exists", "effect": "NoSchedule"}, True),
        ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"operator": "Exists"}, True),
        ({"key": "other", "operator": "Exists"}, False),
        ({"key": "k", "operator": "Equal", "value": "v"}, True),
        ({"key": "k", "value": "v", "effect": "NoSchedule"}, True),
        ({"key": "k", "value": "other"}, False),
        ({"key": "other", "value": "v"}, False),
        ({"key": "k"}, False),
    ],
)
def test_tolerations_cover_taints(toleration: dict[str, str], covered: bool) -> None:
    assert nodes.covers(toleration, ("k", "v", "NoSchedule")) is covered
    assert nodes.tolerates(pod(tolerations=[{"key": "z"}, toleration]), ("k", "v", "NoSchedule")) is covered


def test_a_taint_that_is_only_a_preference_keeps_nobody_out() -> None:
    spec = json.loads(json.dumps(documents(FOLDER / "node-taints" / "bad.yaml")))
    for effect, broken in (("NoSchedule", 1), ("NoExecute", 1), ("PreferNoSchedule", 0)):
        groups = [replace(each, taints=(("k", "v", effect),)) for each in FACTS.nodes]
        assert len(reviewed(spec, replace(FACTS, nodes=tuple(groups))).broken) == broken


def test_a_toleration_without_value_covers_a_taint_without_one() -> None:
    assert nodes.covers({"key": "k", "operator": "Equal"}, ("k", "", "NoSchedule"))


@pytest.mark.parametrize(
    ("selector", "matches"),
    [
        ({}, True),
        (None, False),
        ({"matchLabels": {"app": "api"}}, True),
        ({"matchLabels": {"app": "web"}}, False),
        ({"matchLabels": {"tier": "api"}}, False),
        ({"matchExpressions": [on("app", "In", "api", "web")]}, True),
        ({"matchExpressions": [on("app", "In", "web")]}, False),
        ({"matchExpressions": [on("app", "NotIn", "web")]}, True),
        ({"matchExpressions": [on("app", "NotIn", "api")]}, False),
        ({"matchExpressions": [on("tier", "NotIn", "api")]}, True),
        ({"matchExpressions": [on("app", "Exists")]}, True),
        ({"matchExpressions": [on("app", "DoesNotExist")]}, False),
        ({"matchLabels": {"app": "api"}, "matchExpressions": [on("tier", "Exists")]}, False),
    ],
)
def test_label_selectors(selector: object, matches: bool) -> None:
    assert selects(selector, {"app": "api"}) is matches


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("redis", "docker.io/library/redis"),
        ("redis:8", "docker.io/library/redis"),
        ("example/api:1", "docker.io/example/api"),
        ("quay.io/example/api:1@sha256:0", "quay.io/example/api"),
        ("localhost/api", "localhost/api"),
        ("registry:5000/api:1", "registry:5000/api"),
    ],
)
def test_full_names_of_images(image: str, name: str) -> None:
    assert full_name(image) == name
