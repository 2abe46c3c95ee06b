"""Makes the strict JSON Schemas of custom resources: `python -m generators.tools.crds [--check]`.

The sources are the CRDs inside pinned Go modules; the results are kept in `generators/data/crds`, one file a kind.
To add a kind, add a line to `SOURCES` and run this.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import yaml

from generators.tools.binaries import ToolFailed, ToolMissing, require

FOLDER = Path(__file__).parents[1] / "data" / "crds"
COMMAND = "python -m generators.tools.crds"


@dataclass(frozen=True)
class Module:
    """A Go module that holds CRDs: `sum` is its h1 hash as in a go.sum, `licence` an SPDX identifier."""

    path: str
    version: str
    sum: str
    licence: str

    def __str__(self) -> str:
        return f"{self.path}@{self.version}"


ARGO_CD = Module(
    path="github.com/argoproj/argo-cd/v3",
    version="v3.5.7",
    sum="h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=",
    licence="Apache-2.0",
)

EXTERNAL_SECRETS = Module(
    path="github.com/external-secrets/external-secrets",
    version="v1.3.2",
    sum="h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
    licence="Apache-2.0",
)
"""The newest that Go can have: from 2.0 on, its tags do not match its module path. Compared with the CRDs of 2.9.0 on
2026-11-24: for an ExternalSecret and for AWS as provider, all that this one knows, that one knows too.
"""

SOURCES: tuple[tuple[Module, str], ...] = (
    (ARGO_CD, "manifests/crds/application-crd.yaml"),
    (ARGO_CD, "manifests/crds/appproject-crd.yaml"),
    (EXTERNAL_SECRETS, "config/crds/bases/external-secrets.io_clustersecretstores.yaml"),
    (EXTERNAL_SECRETS, "config/crds/bases/external-secrets.io_externalsecrets.yaml"),
)

KEPT = {
    *("type", "enum", "format", "pattern", "required", "multipleOf", "uniqueItems", "minimum", "maximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
}
CONVERTED = {"properties", "items", "additionalProperties", "allOf", "anyOf", "oneOf", "nullable"}
DROPPED = {"description", "title", "default", "example", "externalDocs"}

Schema = dict[str, Any]
STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
STRINGS: Schema = {"type": "object", "additionalProperties": STRING}
OWNER = ("apiVersion", "kind", "name", "uid")
METADATA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": STRING,
        "namespace": STRING,
        "labels": STRINGS,
        "annotations": STRINGS,
        "finalizers": {"type": "array", "items": STRING},
        "ownerReferences": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": list(OWNER),
                "properties": dict.fromkeys(OWNER, STRING) | {"controller": BOOLEAN, "blockOwnerDeletion": BOOLEAN},
            },
        },
    },
}
"""What a manifest in Git may say of an object; the other fields of ObjectMeta are the API server's to write."""


def main(arguments: list[str]) -> int:
    """Writes, or compares (`--check`). Exit code: 0 well, 1 the files differ, 2 it could not be done."""
    if arguments not in ([], ["--check"]):
        return _say(f"error: usage: {COMMAND} [--check]", 2)
    try:
        made = {FOLDER / name: text for module, path in SOURCES for name, text in schemas(module, path)}
    except ToolMissing as missing:
        return _say(f"error: {missing}\nhint: {missing.hint}", 2)
    except ToolFailed as failed:
        return _say(f"error: {failed}", 2)
    return _check(made) if arguments else _write(made)


def schemas(module: Module, path: str) -> Iterator[tuple[Path, str]]:
    """For each version that the CRD at `path` serves: `GROUP/KIND_VERSION.json` and the text of its schema.

    Raises ToolMissing, or ToolFailed when the module cannot be had or the CRD says what has no rule here.
    """
    crd = yaml.load((folder(module) / path).read_text(encoding="utf-8"), yaml.CSafeLoader)
    group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
    for version in filter(itemgetter("served"), crd["spec"]["versions"]):
        schema = json_schema(version["schema"]["openAPIV3Schema"], f"{group}/{version['name']}", kind)
        schema["$comment"] = f"Made by {COMMAND} from {module} {path} ({module.licence})"
        name = Path(group, f"{kind.lower()}_{version['name']}.json")
        yield name, json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def json_schema(crd: Schema, api_version: str, kind: str) -> Schema:
    """The strict JSON Schema (2020-12) of a CRD's `openAPIV3Schema`: no descriptions, no unknown fields.

    It has no `status`: that is for controllers to write, never for Git.
    """
    schema = _strict(crd)
    schema["properties"].pop("status", None)
    identity = {"apiVersion": {"const": api_version}, "kind": {"const": kind}, "metadata": METADATA}
    schema["properties"] |= identity
    schema["required"] = sorted({*schema.get("required", ()), *identity} - {"status"})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def _strict(node: Schema, *, closed: bool = True) -> Schema:
    """`closed` is false inside anyOf and its like, whose `properties` only add to those around them."""
    made: Schema = {word: node[word] for word in node if word in KEPT}
    for word in node.keys() - KEPT - CONVERTED - DROPPED:
        if not word.startswith("x-kubernetes-"):
            raise ToolFailed(f"there is no rule to convert {word!r} of a CRD")
    for word in node.keys() & {"allOf", "anyOf", "oneOf"}:
        made[word] = [_strict(choice, closed=False) for choice in node[word]]
    if "items" in node:
        made["items"] = _strict(node["items"], closed=closed)
    if "properties" in node:
        made["properties"] = {key: _strict(value, closed=closed) for key, value in node["properties"].items()}
        if closed and not node.get("x-kubernetes-preserve-unknown-fields"):
            made["additionalProperties"] = False
    if "additionalProperties" in node:
        more = node["additionalProperties"]
        made["additionalProperties"] = _strict(more, closed=closed) if isinstance(more, dict) else more
    if node.get("x-kubernetes-int-or-string"):
        made["anyOf"] = [{"type": "integer"}, STRING]
    return _or_null(made) if node.get("nullable") else made


def _or_null(schema: Schema) -> Schema:
    if "type" in schema and "enum" not in schema:
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


@cache
def folder(module: Module) -> Path:
    """Where go keeps the module, fetched if need be; its hash is compared with the pin."""
    with tempfile.TemporaryDirectory() as outside_any_module:
        done = subprocess.run(  # noqa: S603 (no shell; the words are ours)
            [str(require("go")), "mod", "download", "-json", str(module)],
            cwd=outside_any_module,
            env=os.environ | {"GOTOOLCHAIN": "local", "GOWORK": "off"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    answer = json.loads(done.stdout or "{}")
    if done.returncode != 0:
        raise ToolFailed(f"go mod download {module}: {answer.get('Error') or done.stderr.strip()}")
    if answer["Sum"] != module.sum:
        raise ToolFailed(f"{module}: its hash is {answer['Sum']}, but {module.sum} is pinned")
    return Path(answer["Dir"])


def _write(made: dict[Path, str]) -> int:
    for file in set(FOLDER.glob("*/*.json")) - made.keys():
        file.unlink()
    for file, text in made.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return _say(f"wrote {len(made)} schemas to {FOLDER}")


def _check(made: dict[Path, str]) -> int:
    on_disk = {file: file.read_text(encoding="utf-8") for file in FOLDER.glob("*/*.json")}
    differ = sorted({str(file.relative_to(FOLDER)) for file, _ in on_disk.items() ^ made.items()})
    if not differ:
        return _say(f"{len(made)} schemas are up to date: {FOLDER}")
    return _say(f"error: {FOLDER}: not as {COMMAND} makes them: {', '.join(differ)}\nhint: run `{COMMAND}`", 1)


def _say(text: str, code: int = 0) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
