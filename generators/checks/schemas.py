"""Checks an object against the strict JSON Schema of its kind, and refuses what the schemas let pass: nulls.

Built-in kinds come from the `kubernetes_validate` package, custom resources from `generators/data/crds`. The
package is read as data and never imported: its import alone takes longer than the first hundred checks here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from jsonschema_rs import Draft202012, Draft202012Validator, Registry, ValidationError

from generators.checks.schema_messages import SchemaProblem, explain, is_plain, not_plain, plain, real_path

__all__ = ["SchemaChecker", "SchemaProblem", "schema_folder", "supported_versions"]

CRDS = Path(__file__).parents[1] / "data" / "crds"
DEFINITIONS = "https://kubernetes.io/api/_definitions.json"  # the $id by which the kinds refer to it


class _Kind(NamedTuple):
    schema: dict[str, Any]
    validator: Draft202012Validator


class SchemaChecker:
    """Checks objects for one Kubernetes version, as in "1.35". A kind's schema is compiled when it is first met.

    Raises ValueError, naming the supported versions, when there are no schemas for that one.
    """

    def __init__(self, kubernetes_version: str) -> None:
        self._version = kubernetes_version
        self._folder = schema_folder(kubernetes_version)
        self._kinds: dict[tuple[str, str], _Kind | None] = {}

    def problems(self, obj: dict[str, object]) -> list[SchemaProblem]:
        """Every problem of the object, sorted by path; an empty list when there is none."""
        api_version, name = obj.get("apiVersion"), obj.get("kind")
        if not isinstance(api_version, str) or not isinstance(name, str):
            nameless = [key for key in ("apiVersion", "kind") if not isinstance(obj.get(key), str)]
            return [SchemaProblem((key,), "is needed, and must be a string") for key in nameless]
        if (api_version, name) not in self._kinds:
            self._kinds[api_version, name] = self._load(api_version, name)
        kind = self._kinds[api_version, name]
        if kind and is_plain(obj) and kind.validator.is_valid(obj):
            return []
        of_kind = self._violations(obj, kind) if kind else [self._no_schema(api_version, name)]
        return sorted({*not_plain(obj), *of_kind}, key=_by_path)

    def _load(self, api_version: str, name: str) -> _Kind | None:
        for file in self._files(api_version, name):
            if file.is_file() and _identity(schema := _read(file)) == (api_version, name):
                return _Kind(schema, Draft202012Validator(schema, registry=_registry(self._folder)))
        return None

    def _files(self, api_version: str, name: str) -> Iterable[Path]:
        """Where the schema may be. What is inside decides, as the file names cut groups and ignore case."""
        if not re.fullmatch(r"([a-z0-9][a-z0-9.-]{0,252}/)?[a-z0-9]{1,63} [A-Za-z0-9]{1,63}", f"{api_version} {name}"):
            return ()
        group, _, version = api_version.rpartition("/")
        words = filter(None, (name.lower(), group.partition(".")[0], version))
        return (CRDS / group / f"{name.lower()}_{version}.json", self._folder / f"{'-'.join(words)}.json")

    def _no_schema(self, api_version: str, name: str) -> SchemaProblem:
        stem = re.sub(r"[^a-z0-9]", "", name.lower())
        files = (*self._folder.glob(f"{stem}-*.json"), *CRDS.glob(f"*/{stem}_*.json"))
        known = sorted({" ".join(found) for file in files if (found := _identity(_read(file)))})
        mend = "if it is a custom resource, add its CRD to SOURCES in generators/tools/crds.py and run that"
        return SchemaProblem(
            ("kind",),
            f"no schema for {api_version} {name} in Kubernetes {self._version}",
            f"did you mean {' or '.join(known)}?" if known else mend,
        )

    def _violations(self, obj: object, kind: _Kind) -> Iterator[SchemaProblem]:
        readable = plain(obj)
        for error in kind.validator.iter_errors(readable):
            if error.instance is not None:  # a null is told of as such, whatever the schema thinks of it
                path = real_path(readable, error.instance_path)
                yield from explain(error, path, partial(self._fields, error, kind))

    def _fields(self, error: ValidationError, kind: _Kind) -> Iterable[str]:
        """The fields that the schema knows where the violation is, be it in the kind or in the definitions."""
        document, _, pointer = (error.absolute_keyword_location or "").partition("#")
        if document == DEFINITIONS:
            parent = pointer.rpartition("/")[0]
            found: Any = _registry(self._folder).resolver(DEFINITIONS).lookup(f"#{parent}").contents
        else:
            found = kind.schema
            for step in error.schema_path[:-1]:
                found = found[step]
        return list(found.get("properties", ()))


def supported_versions() -> list[str]:
    """The Kubernetes versions that have schemas, as in "1.35", oldest first."""
    return sorted(_folders(), key=lambda version: [int(number) for number in version.split(".")])


def schema_folder(kubernetes_version: str) -> Path:
    """The folder of the strict schemas of a version; raises ValueError when there is none."""
    if kubernetes_version not in _folders():
        supported = ", ".join(supported_versions())
        raise ValueError(f"no schemas for Kubernetes {kubernetes_version}; there are schemas for {supported}")
    return _folders()[kubernetes_version]


@cache
def _folders() -> dict[str, Path]:
    package = find_spec("kubernetes_validate")
    places = package.submodule_search_locations if package else None
    found = [file for place in places or () for file in Path(place).glob("kubernetes-json-schema/v*.0-local-strict")]
    return {file.name.removeprefix("v").removesuffix(".0-local-strict"): file for file in found}


@cache
def _registry(folder: Path) -> Registry:
    """What the kinds of one version refer to; 5 ms to read and 5 to index, then shared by all of them."""
    return Registry([(DEFINITIONS, _read(folder / "_definitions.json"))], draft=Draft202012)


def _read(file: Path) -> Any:
    return json.loads(file.read_bytes())


def _identity(schema: dict[str, Any]) -> tuple[str, str] | None:
    """The apiVersion and kind that a schema is for; None for a part of objects, such as a PodSpec."""
    fields = schema.get("properties", {})
    api_version, kind = (fields.get(key, {}) for key in ("apiVersion", "kind"))
    if "const" in kind:
        return api_version["const"], kind["const"]
    return (api_version["enum"][0], kind["enum"][0]) if "enum" in kind else None


def _by_path(problem: SchemaProblem) -> tuple[list[tuple[bool, str | int]], str]:
    return [(isinstance(step, str), step) for step in problem.path], problem.message
