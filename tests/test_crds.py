from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from generators.tools import crds
from generators.tools.binaries import ToolFailed
from tests.tool_needed import needed

Schema = dict[str, Any]


def converted(spec: Schema) -> Schema:
    made = crds.json_schema({"type": "object", "properties": {"spec": spec}}, "example.com/v1", "Alarm")
    found: Schema = made["properties"]["spec"]
    return found


@pytest.mark.parametrize(
    ("openapi", "strict"),
    [
        ({"type": "string", "description": "x", "default": "y"}, {"type": "string"}),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "required": ["a"],
                "additionalProperties": False,
            },
        ),
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"type": "object"}),
        (
            {"type": "object", "properties": {"a": {}}, "x-kubernetes-preserve-unknown-fields": True},
            {"type": "object", "properties": {"a": {}}},
        ),
        (
            {"type": "object", "additionalProperties": {"type": "object", "properties": {}}},
            {
                "type": "object",
                "additionalProperties": {"type": "object", "properties": {}, "additionalProperties": False},
            },
        ),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "string", "enum": ["a"], "nullable": True},
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
        ),
        ({"x-kubernetes-int-or-string": True}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (
            {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        ),
        (
            {"anyOf": [{"properties": {"a": {}}, "required": ["a"]}]},
            {"anyOf": [{"properties": {"a": {}}, "required": ["a"]}]},
        ),
        (
            {"type": "array", "items": {"properties": {}}},
            {"type": "array", "items": {"properties": {}, "additionalProperties": False}},
        ),
    ],
)
def test_conversion(openapi: Schema, strict: Schema) -> None:
    assert converted(openapi) == strict


def test_what_has_no_rule_is_refused() -> None:
    with pytest.raises(ToolFailed, match="no rule to convert 'exclusiveMinimum'"):
        converted({"type": "integer", "minimum": 0, "exclusiveMinimum": True})


def test_the_root_names_itself_and_has_no_status() -> None:
    crd: Schema = {"type": "object", "properties": {"status": {"type": "object"}}, "required": ["status"]}
    made = crds.json_schema(crd, "example.com/v1", "Alarm")
    assert made["required"] == ["apiVersion", "kind", "metadata"]
    assert made["properties"].keys() == {"apiVersion", "kind", "metadata"}
    assert made["properties"]["apiVersion"] == {"const": "example.com/v1"}
    assert made["properties"]["kind"] == {"const": "Alarm"}
    assert made["additionalProperties"] is False


CRD = """
spec:
  group: example.com
  names: {kind: Alarm}
  versions:
  - {name: v1, served: true, schema: {openAPIV3Schema: {type: object, properties: {}}}}
  - {name: v1beta1, served: false, schema: {openAPIV3Schema: {type: object, properties: {}}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module with one CRD in place of the real ones; returns where the schemas go."""
    (tmp_path / "crd.yaml").write_text(CRD)
    monkeypatch.setattr(crds, "folder", lambda _module: tmp_path)
    monkeypatch.setattr(crds, "SOURCES", ((crds.ARGO_CD, "crd.yaml"),))
    monkeypatch.setattr(crds, "FOLDER", tmp_path / "schemas")
    return tmp_path / "schemas"


def test_write_and_check(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert crds.main(["--check"]) == 1
    assert crds.main([]) == 0
    assert crds.main(["--check"]) == 0
    file = folder / "example.com" / "alarm_v1.json"
    assert f"{crds.ARGO_CD} crd.yaml (Apache-2.0)" in json.loads(file.read_text())["$comment"]
    assert list(folder.glob("*/*")) == [file], "the API server knows no version that is not served"
    file.write_text("{}")
    capfd.readouterr()
    assert crds.main(["--check"]) == 1
    said = capfd.readouterr().err
    assert "example.com/alarm_v1.json\nhint: run `python -m generators.tools.crds`" in said


def test_the_schema_of_a_kind_that_is_gone_is_removed(folder: Path) -> None:
    crds.main([])
    (folder / "example.com" / "bell_v1.json").write_text("{}")
    assert crds.main(["--check"]) == 1
    assert crds.main([]) == 0
    assert [file.name for file in folder.glob("*/*")] == ["alarm_v1.json"]


def test_another_hash_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text('#!/bin/sh\necho \'{"Sum": "h1:other", "Dir": "/"}\'')
    go.chmod(0o755)
    monkeypatch.setenv("FLEET_TOOLS", str(tmp_path))
    with pytest.raises(ToolFailed, match="its hash is h1:other, but h1:pinned is pinned"):
        crds.folder(crds.Module("example.com/m", "v1.0.0", "h1:pinned", "MIT"))


def test_wrong_call() -> None:
    assert crds.main(["--chek"]) == 2


def test_the_schemas_are_those_of_the_pinned_modules(capfd: pytest.CaptureFixture[str]) -> None:
    needed("go")
    code = crds.main(["--check"])
    said = capfd.readouterr().err
    if code == 2 and not os.environ.get("CI"):
        pytest.skip(said)
    assert code == 0, said
