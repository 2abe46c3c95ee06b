"""Policy rules by fixtures: `tests/policy/<rule>/good*.yaml` is silent, `bad*.yaml` breaks that rule alone.

What a bad one is told stands beside it in `bad*.txt`; rewrite those with `make golden`, and read the diff.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.checks.policy import RULES
from generators.checks.policy.facts import ANY, UNKNOWN_VALUES, Facts, Nodes, facts
from generators.checks.policy.objects import Object
from generators.checks.policy.review import Review, review
from generators.checks.schemas import SchemaChecker
from generators.model.base import dotted
from generators.model.catalog import App
from generators.model.exceptions import EXCUSABLE
from tests import fleets

FOLDER = Path(__file__).parent / "policy"
FILES = sorted(FOLDER.glob("*/*.yaml"))
GOOD = [path for path in FILES if path.stem.startswith("good")]
BAD = [path for path in FILES if path.stem.startswith("bad")]


def nodes(name: str, role: str, capacity: str, *taints: tuple[str, str, str], **more: str) -> Nodes:
    """A node group like those of the committed clusters."""
    labels = {
        "inference-fleet/node-group": name,
        "inference-fleet/role": role,
        "eks.amazonaws.com/capacityType": capacity,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": "ap-northeast-1a",
        **more,
    }
    found = {key: frozenset([value]) for key, value in labels.items()}
    return Nodes(name, {**found, "kubernetes.io/hostname": ANY}, taints, system=role == "system")


SAMPLE = App(
    description="An app for tests",
    owner="platform",
    namespace="apps",
    kind="jsonnet",
    wave=0,
    pod_security="restricted",
    cluster_resources=("rbac.authorization.k8s.io/ClusterRole",),
)
FACTS = Facts(
    minor=(1, 35),
    nodes=(
        nodes("system", "system", "ON_DEMAND", ("CriticalAddonsOnly", "true", "NoSchedule")),
        nodes("workers", "worker", "SPOT"),
        nodes(
            "gpu-t4", "gpu", "SPOT", ("nvidia.com/gpu", "present", "NoSchedule"), **{"nvidia.com/gpu.present": "true"}
        ),
    ),
    levels={"apps": "restricted", "tools": "baseline", "kubeflow": "restricted"},
    own_registry="123456789012.dkr.ecr.ap-northeast-1.amazonaws.com",
    registries=("123456789012.dkr.ecr.ap-northeast-1.amazonaws.com", "quay.io/example/tool", "registry.k8s.io"),
    pipelines_namespaces=frozenset({"kubeflow"}),
    apps={"sample": SAMPLE},
)


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.load_all(path.read_text(), yaml.CSafeLoader))


def reviewed(found: list[dict[str, Any]], known: Facts = FACTS) -> Review:
    """As objects of the app `sample`, but for those of Argo CD itself."""
    return review(known, [("" if each["kind"].startswith("App") else "sample", each) for each in found])


def told(found: list[dict[str, Any]], known: Facts = FACTS) -> str:
    lines = []
    for each in reviewed(found, known).broken:
        title = Object(found[each.index]).title
        lines.append(f"{title}: {dotted(each.finding.path)}: {each.finding.message}\nhint: {each.finding.hint}\n")
    return "".join(lines)


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def test_every_rule_has_a_good_and_a_bad_fixture_and_no_fixture_is_without_its_rule() -> None:
    rules = {rule.id for rule in RULES}
    assert {path.parent.name for path in GOOD} == rules
    assert {path.parent.name for path in BAD} == rules


def test_rules_have_ids_of_their_own_and_reasons_are_for_rules_that_exist() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert set(ids) > EXCUSABLE


@pytest.mark.parametrize("path", FILES, ids=named)
def test_fixtures_are_objects_that_the_api_server_takes(path: Path) -> None:
    checker = SchemaChecker("1.35")
    assert [problem for each in documents(path) for problem in checker.problems(each)] == []


@pytest.mark.parametrize("path", GOOD, ids=named)
def test_a_good_fixture_is_silent(path: Path) -> None:
    assert told(documents(path)) == ""


@pytest.mark.parametrize("path", [path for path in GOOD if path.stem == "good"], ids=named)
def test_the_rule_looks_at_its_good_fixture(path: Path) -> None:
    (rule,) = [rule for rule in RULES if rule.id == path.parent.name]
    assert {each["kind"] for each in documents(path)} & set(rule.kinds)


@pytest.mark.parametrize("path", BAD, ids=named)
def test_a_bad_fixture_breaks_its_rule_alone_and_is_told_so(path: Path, request: pytest.FixtureRequest) -> None:
    message = told(documents(path))
    assert message.count("\nhint: ") == message.count(f"[{path.parent.name}]\nhint: ") == 1
    expected = path.with_suffix(".txt")
    if request.config.getoption("--golden"):
        expected.write_text(message, encoding="utf-8")
    assert message == expected.read_text(encoding="utf-8"), "told otherwise; `make golden` accepts it"


def test_what_is_told_stands_beside_each_bad_fixture_and_nowhere_else() -> None:
    assert {path.with_suffix(".txt") for path in BAD} == set(FOLDER.glob("*/*.txt"))


EXCUSED = [path for path in BAD if path.parent.name in EXCUSABLE]


@pytest.mark.parametrize("path", EXCUSED, ids=named)
def test_a_reason_sets_the_rule_aside_for_that_object_only(path: Path) -> None:
    rule, found = path.parent.name, documents(path)
    title = Object(found[reviewed(found).broken[0].index]).title

    def given(pattern: str) -> Review:
        app = SAMPLE.model_copy(update={"exceptions": {rule: {pattern: "A reason."}}})
        return reviewed(found, replace(FACTS, apps={"sample": app}))

    for pattern in (title, f"{title.partition('/')[0]}/*"):
        assert given(pattern) == Review([], frozenset({("sample", rule, pattern)}))
    other = given(f"{title}-other")
    assert len(other.broken) == 1
    assert other.needed == frozenset()


def test_rules_that_hold_always_take_no_reason() -> None:
    path = FOLDER / "memory-limit" / "bad.yaml"
    app = SAMPLE.model_copy(update={"exceptions": {"memory-limit": {"Deployment/*": "A reason."}}})
    assert len(EXCUSABLE & {"memory-limit", "pod-security", "image-tag", "image-registry", "pipelines-volumes"}) == 0
    assert "exceptions" not in told(documents(path), replace(FACTS, apps={"sample": app}))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(["", "*", "5%", "a", "system:masters"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "key", 1]), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_object_makes_a_rule_fail_however_broken(data: st.DataObject) -> None:
    """Schemas tell of such objects; policy must still say the rest. One part of each object is junk."""
    path = data.draw(st.sampled_from(FILES))
    found = json.loads(json.dumps(documents(path)))
    parent, key = data.draw(st.sampled_from([place for each in found for place in places(each)]))
    parent[key] = data.draw(JUNK)
    for each in review(FACTS, [("sample", each) for each in found]).broken:
        assert each.finding.message


def places(node: Any) -> list[tuple[Any, Any]]:
    """Each part of a document, as its container and key."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    return [(node, key) for key in keys] + [place for key in keys for place in places(node[key])]


@pytest.mark.parametrize("name", ["dev-tokyo", "prod-tokyo"])
def test_facts_of_a_cluster_hold_what_terraform_gives_its_nodes(name: str) -> None:
    inputs = fleets.committed().load(name)
    known = facts(inputs)
    tfvars = json.loads((fleets.ROOT / "clusters" / name / "generated/terraform/cluster.tfvars.json").read_text())
    for group in tfvars["node_groups"].values():
        found = next(each for each in known.nodes if group["labels"]["inference-fleet/node-group"] == each.name)
        assert {key: frozenset([value]) for key, value in group["labels"].items()}.items() <= found.labels.items()
        taints = {(taint["key"], taint["value"], taint["effect"]) for taint in group["taints"]}
        assert set(found.taints) == taints
        assert found.labels["eks.amazonaws.com/nodegroup"] >= {group["name"]}
        assert found.labels["topology.kubernetes.io/zone"] >= set(group["zones"])
        assert found.labels["node.kubernetes.io/instance-type"] == set(group["instance_types"])
        assert found.labels["eks.amazonaws.com/capacityType"] == {group["capacity_type"]}
        assert found.labels["kubernetes.io/arch"] == {"amd64"}
        assert set(UNKNOWN_VALUES) <= found.labels.keys()
    assert {each.name for each in known.nodes if each.system} == {"system", "system-spot"}
    assert known.levels["gpu-inference"] == "restricted"
    assert known.pipelines_namespaces == {inputs.catalog.apps["kubeflow-pipelines"].namespace}
    assert "602401143452.dkr.ecr.ap-northeast-1.amazonaws.com" in known.registries
