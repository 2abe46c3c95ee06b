"""The objects of one cluster as they will reach the API server, each with the file that it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from generators.errors import Place, Problem, wrong
from generators.model.base import Finding, dotted
from generators.model.catalog import Inputs
from generators.output import disk
from generators.source import reader
from generators.tools import kustomize
from generators.tools.binaries import ToolFailed, ToolMissing


@dataclass(frozen=True)
class Rendered:
    """An object as it will reach the API server, the file it stands in, and the app it belongs to."""

    file: str
    text: str
    document: dict[str, object]
    app: str = ""
    built: bool = False
    """Whether kustomize made it, so that its lines are not those of a file."""


def written(name: str, wanted: dict[str, str]) -> Iterator[Rendered]:
    """The objects that Argo CD applies as they stand: its own, and those of jsonnet apps. Parsed from their text."""
    for path, text in wanted.items():
        room, _, rest = path.partition("/")
        if room in ("argocd", "manifests"):
            document = yaml.load(text, Loader=yaml.CSafeLoader)
            app = rest.split("/")[0] if room == "manifests" else ""
            yield Rendered(f"clusters/{name}/{disk.GENERATED}/{path}", text, document, app)


def built(folder: Path, inputs: Inputs) -> tuple[list[Rendered], list[str]]:
    """The objects of kustomize apps, built by a real kustomize; or what was left out for want of one."""
    found, unchecked = [], []
    for name, app in inputs.apps().items():
        if app.kind != "kustomize":
            continue
        shown = f"clusters/{inputs.cluster.name}/{disk.GENERATED}/overlays/{name}"
        try:
            text = kustomize.build(folder / disk.GENERATED / "overlays" / name)
        except ToolMissing as error:
            unchecked.append(f"{shown}: not built: {error} ({error.hint})")
            continue
        except ToolFailed as error:
            raise wrong(shown, str(error), hint=f"run `kustomize build {shown}`") from None
        documents = yaml.load_all(text, Loader=yaml.CSafeLoader)
        found += [Rendered(shown, "", document, name, built=True) for document in documents]
    return found, unchecked


def placed(each: Rendered, finding: Finding) -> Problem:
    """A finding about an object, at its place in the file."""
    metadata = each.document.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    key = f"{each.document.get('kind', 'object')}/{name}: {dotted(finding.path)}".removesuffix(": ")
    place = Place(each.file) if each.built else reader.parse(each.text, each.file).place_of(finding.path)
    return Problem(place, finding.message, key, finding.hint)
