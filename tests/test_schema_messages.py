from __future__ import annotations

import copy
import datetime
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from generators.checks.schemas import SchemaChecker, SchemaProblem
from generators.tools import crds
from tests.bench import validate

Object = dict[str, Any]
SAMPLES = {str(obj["kind"]): obj for obj in validate.samples()}


@cache
def checker() -> SchemaChecker:
    return SchemaChecker("1.35")


def changed(kind: str, *path: str | int, value: object) -> Object:
    """A copy of the sample with one field set, which need not be there yet."""
    obj = copy.deepcopy(SAMPLES[kind])
    parent: Any = obj
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return obj


def only_problem(obj: Object) -> SchemaProblem:
    (problem,) = checker().problems(obj)
    return problem


def test_nulls_are_refused_where_the_schema_is_open() -> None:
    obj = changed("Application", "spec", "source", "helm", value={"valuesObject": {"image": [{"tag": None}]}})
    path = ("spec", "source", "helm", "valuesObject", "image", 0, "tag")
    assert only_problem(obj).path == path


@pytest.mark.parametrize(
    ("key", "shown"), [(8080, "8080"), (True, "true"), (None, "null"), (datetime.date(2024, 1, 2), "2024-01-02")]
)
def test_keys_must_be_strings(key: object, shown: str) -> None:
    problem = only_problem(changed("ConfigMap", "data", value={key: "x"}))
    assert problem.path == ("data",)
    assert problem.message == f"has the key {shown}, which must be a string"
    assert problem.hint == f'write it as "{shown}"'


@pytest.mark.parametrize("value", [datetime.date(2024, 1, 2), float("nan"), float("inf"), b"x"])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    problem = only_problem(changed("ConfigMap", "data", "day", value=value))
    assert problem.path == ("data", "day")
    assert "which JSON cannot hold" in problem.message
    assert problem.hint.startswith("write it in quotes: ")


def test_a_date_names_itself() -> None:
    problem = only_problem(changed("ConfigMap", "data", "day", value=datetime.date(2024, 1, 2)))
    assert problem.message == "is 2024-01-02, a date, which JSON cannot hold"
    assert problem.hint == 'write it in quotes: "2024-01-02"'


@pytest.mark.parametrize("value", [0, "25%"])
def test_int_or_string_takes_both(value: object) -> None:
    assert checker().problems(changed("PodDisruptionBudget", "spec", "minAvailable", value=value)) == []


@pytest.mark.parametrize(("value", "shown"), [(True, "true"), (1.5, "1.5"), ([], "a list")])
def test_int_or_string_refuses_others(value: object, shown: str) -> None:
    problem = only_problem(changed("PodDisruptionBudget", "spec", "minAvailable", value=value))
    assert problem.message == f"is {shown}, must be a string or a whole number"


def test_bool_annotation_is_refused() -> None:
    problem = only_problem(changed("Service", "metadata", "annotations", "on", value=True))
    assert problem.path == ("metadata", "annotations", "on")
    assert problem.message == "is true, must be a string"
    assert problem.hint == 'write it in quotes: "true"'


def test_number_in_quotes_is_refused() -> None:
    problem = only_problem(changed("Service", "spec", "ports", 0, "port", value="80"))
    assert (problem.message, problem.hint) == ('is "80", must be a whole number', "write it without quotes: 80")


@pytest.mark.parametrize("key", ["8080", "007", "0"])
def test_a_key_of_digits_stays_a_key(key: str) -> None:
    assert only_problem(changed("ConfigMap", "data", key, value=True)).path == ("data", key)


def test_missing_field_is_named() -> None:
    problem = only_problem(changed("Job", "spec", value={}))
    assert (problem.path, problem.message) == (("spec", "template"), "is needed, but missing")


def test_choice_names_the_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The built-in schemas list no choices of a field; a custom resource may.
    level = {"type": "string", "enum": ["Low", "High"]}
    crd: Object = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"level": level}}}}
    file = tmp_path / "example.com" / "alarm_v1.json"
    file.parent.mkdir()
    file.write_text(json.dumps(crds.json_schema(crd, "example.com/v1", "Alarm")))
    monkeypatch.setattr("generators.checks.schemas.CRDS", tmp_path)
    alarm: Object = {
        "apiVersion": "example.com/v1",
        "kind": "Alarm",
        "metadata": {"name": "a"},
        "spec": {"level": "high"},
    }
    (problem,) = SchemaChecker("1.35").problems(alarm)
    assert (problem.message, problem.hint) == ('is "high", must be "Low" or "High"', "did you mean High?")


def test_application_with_an_unknown_field() -> None:
    obj = changed("Application", "spec", "source", "targetRevison", value="main")
    assert only_problem(obj) == SchemaProblem(
        ("spec", "source", "targetRevison"), "is not a known field", "did you mean targetRevision?"
    )


def test_built_in_with_unknown_fields_at_the_top_and_below() -> None:
    obj = changed("Deployment", "spec", "template", "spec", "containers", 0, "imagePullPolcy", value="Always")
    obj["spce"] = {}
    obj["metadata"]["unheardOf"] = "x"
    hints = {problem.path[-1]: problem.hint for problem in checker().problems(obj)}
    assert hints.pop("unheardOf").startswith("the fields here are annotations, creationTimestamp,")
    assert hints == {"imagePullPolcy": "did you mean imagePullPolicy?", "spce": "did you mean spec?"}


def test_all_problems_in_order_of_their_places() -> None:
    obj = changed("Service", "spec", "ports", value=[{"port": number} for number in range(12)])
    obj["spec"]["ports"][2] = {"prt": 1}
    obj["spec"]["ports"][11]["name"] = None
    obj["metadata"]["labels"] = {1: True}
    steps = [problem.path for problem in checker().problems(obj)]
    ports = ("spec", "ports")
    assert steps == [
        ("metadata", "labels"),
        ("metadata", "labels", "1"),
        (*ports, 2, "port"),
        (*ports, 2, "prt"),
        (*ports, 11, "name"),
    ]


def test_nulls_are_refused_though_the_schemas_let_them_pass() -> None:
    obj = changed("Deployment", "spec", "strategy", "rollingUpdate", "maxSurge", value=None)
    obj["metadata"]["labels"]["team"] = None
    hint = "leave the key out, or give it a value"
    assert checker().problems(obj) == [
        SchemaProblem(("metadata", "labels", "team"), "is null", hint),
        SchemaProblem(("spec", "strategy", "rollingUpdate", "maxSurge"), "is null", hint),
    ]
