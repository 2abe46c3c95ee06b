from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import kubernetes_validate.utils
import pytest

from generators.checks.schemas import SchemaChecker, SchemaProblem, supported_versions
from tests.bench import validate
from tests.tool_needed import needed

Object = dict[str, Any]
SAMPLES = {str(obj["kind"]): obj for obj in validate.samples()}
BUILT_IN = sorted(SAMPLES.keys() - {"Application"})


@cache
def checker(version: str = "1.35") -> SchemaChecker:
    return SchemaChecker(version)


@pytest.mark.parametrize("kind", sorted(SAMPLES))
@pytest.mark.parametrize("version", ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36"])
def test_every_version_accepts_the_samples(version: str, kind: str) -> None:
    assert checker(version).problems(SAMPLES[kind]) == []


@pytest.mark.parametrize("version", ["1.31", "1.36"])
@pytest.mark.parametrize("kind", BUILT_IN)
def test_agrees_with_kubernetes_validate(kind: str, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One field at a time is dropped, added or given another type, at every depth."""
    for function in ("schema_contents", "all_versions"):  # only so that it does not read 1.5 MB for each object
        monkeypatch.setattr(kubernetes_validate.utils, function, cached(function))
    verdicts = {True: 0, False: 0}
    for obj in filter(has_names, mutants(SAMPLES[kind])):
        theirs = accepted_by_kubernetes_validate(obj, version)
        ours = checker(version).problems(obj)
        assert (not ours) == theirs, f"{json.dumps(obj)}: {ours}"
        verdicts[theirs] += 1
    assert min(verdicts.values()) >= 3, verdicts


@cache
def cached(function: str) -> object:
    return cache(getattr(kubernetes_validate.utils, function))


def accepted_by_kubernetes_validate(obj: Object, version: str) -> bool:
    try:
        kubernetes_validate.validate(obj, version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError):
        return False
    return True


def has_names(obj: Any) -> bool:
    """Without these two, kubernetes_validate does not answer but fails."""
    return isinstance(obj, dict) and all(isinstance(obj.get(key), str) for key in ("apiVersion", "kind"))


def mutants(node: Any) -> Iterator[Any]:
    """The value itself, and copies that differ from it in one place each."""
    yield node
    others: list[Any] = [True, 7, "text", [], {}]
    yield from (value for value in others if type(value) is not type(node))
    if isinstance(node, dict):
        yield node | {"unheardOf": "x"}
        for key, item in node.items():
            yield {other: node[other] for other in node if other != key}
            yield from (node | {key: mutant} for mutant in mutants(item))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from ([*node[:index], mutant, *node[index + 1 :]] for mutant in mutants(item))


def test_supported_versions() -> None:
    assert set(supported_versions()) >= {"1.31", "1.32", "1.33", "1.34", "1.35", "1.36"}
    assert supported_versions().index("1.31") < supported_versions().index("1.36")


@pytest.mark.parametrize("version", ["1.20", "v1.35", "1.35.0", ""])
def test_unsupported_version_names_the_supported(version: str) -> None:
    with pytest.raises(ValueError, match=rf"^no schemas for Kubernetes {version}; there are .* 1\.35, 1\.36"):
        SchemaChecker(version)


@pytest.mark.parametrize(
    ("api_version", "kind", "hint"),
    [
        ("example.com/v1", "Alarm", "if it is a custom resource, add its CRD to SOURCES"),
        ("policy/v1beta1", "PodDisruptionBudget", "did you mean policy/v1 PodDisruptionBudget?"),
        ("apps/v1", "deployment", "did you mean apps/v1 Deployment?"),
        ("networking.example.com/v1", "NetworkPolicy", "did you mean networking.k8s.io/v1 NetworkPolicy?"),
        ("v1", "PodSpec", "if it is a custom resource"),
        ("v1", "../deployment-apps", "if it is a custom resource"),
        ("v1", "Pod\0", "did you mean v1 Pod?"),
        ("v1", "A" * 5000, "if it is a custom resource"),
    ],
)
def test_unknown_kind_is_a_problem(api_version: str, kind: str, hint: str) -> None:
    (problem,) = checker().problems({"apiVersion": api_version, "kind": kind})
    assert problem.path == ("kind",)
    assert problem.message == f"no schema for {api_version} {kind} in Kubernetes 1.35"
    assert problem.hint.startswith(hint)


def test_nulls_are_refused_where_kubernetes_validate_accepts_them() -> None:
    obj = {**SAMPLES["ConfigMap"], "data": None}
    assert accepted_by_kubernetes_validate(obj, "1.35")
    assert checker().problems(obj) == [SchemaProblem(("data",), "is null", "leave the key out, or give it a value")]


def test_nameless_object() -> None:
    assert [problem.path for problem in checker().problems({"kind": 1})] == [("apiVersion",), ("kind",)]


def test_the_package_of_the_schemas_is_not_imported() -> None:
    code = (
        "import sys; from generators.checks.schemas import SchemaChecker; "
        "SchemaChecker('1.35').problems({'apiVersion': 'v1', 'kind': 'Pod'}); "
        "sys.exit('kubernetes_validate' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_kind_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = SchemaChecker("1.35")
    fresh.problems(SAMPLES["Service"])
    fresh.problems(SAMPLES["Job"])
    monkeypatch.setattr("generators.checks.schemas._read", None)
    assert fresh.problems(SAMPLES["Service"]) == fresh.problems(SAMPLES["Job"]) == []


def test_kubeconform_and_we_check_the_same_objects(tmp_path: Path) -> None:
    needed("kubeconform")
    validate.generate(tmp_path, 28)
    assert validate.compare(tmp_path, rounds=1)["objects"] == 28
