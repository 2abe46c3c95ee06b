"""The objects of one cluster as they will reach the API server, each with the file that it stands in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from generators.errors import Place, Problem
from generators.model.base import Finding, dotted
from generators.model.catalog import App, Inputs
from generators.output import disk
from generators.pipeline.origins import Origins, Template
from generators.renderers import argocd, repository
from generators.source import reader
from generators.tools import helm, kustomize
from generators.tools.binaries import ToolFailed, ToolMissing

TEMPLATE = re.compile(r"\([^/() ]+/(templates/[^:() ]+):(\d+)")
"""Where helm says that a template broke."""
SOURCE = re.compile(r"^# Source: [^/\n]+/(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Rendered:
    """An object as it will reach the API server, the file it stands in, and the app it belongs to."""

    file: str
    text: str
    document: dict[str, object]
    app: str = ""
    built: bool = False
    """Whether kustomize or helm made it, so that its lines are not those of a file."""
    origins: Origins | Template = Origins(())
    """Where its parts were written, if it was built."""


@dataclass(frozen=True)
class Built:
    """What kustomize and helm made of the apps that need them, what they refused, and what was left out and why."""

    objects: list[Rendered] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


def written(name: str, wanted: dict[str, str]) -> Iterator[Rendered]:
    """The objects that Argo CD applies as they stand: its own, and those of jsonnet apps. Parsed from their text."""
    for path, text in wanted.items():
        room, _, rest = path.partition("/")
        if room in ("argocd", "manifests"):
            document = yaml.load(text, Loader=yaml.CSafeLoader)
            app = rest.split("/")[0] if room == "manifests" else ""
            yield Rendered(f"clusters/{name}/{disk.GENERATED}/{path}", text, document, app)


def built(root: Path, inputs: Inputs, known_wrong: Collection[str] = ()) -> Built:
    """The objects of kustomize apps and of our own charts, by a real kustomize and a real helm.

    `root` is the checkout. Apps that are `known_wrong` are left alone: what is told of them once is enough.
    """
    found = Built()
    for name, app in inputs.apps().items():
        if name in known_wrong or not (app.kind == "kustomize" or app.own_chart):
            continue
        shown, command = _shown(inputs, name, app)
        try:
            text = _build(root, inputs, name, app)
        except ToolMissing as error:
            found.unchecked.append(f"{shown}: not built: {error} ({error.hint})")
        except ToolFailed as error:
            found.problems.append(Problem(_blamed(shown, str(error)), str(error), hint=f"run `{command}`"))
        else:
            found.objects.extend(_objects(root, inputs, name, app, text))
    return found


def _blamed(shown: str, message: str) -> Place:
    """The template and line that helm names, or what was built as a whole."""
    found = TEMPLATE.search(message)
    return Place(f"{shown}/{found[1]}", int(found[2]), 1) if found else Place(shown)


def _shown(inputs: Inputs, name: str, app: App) -> tuple[str, str]:
    """What the app is built from, and the command that shows a person what it becomes."""
    if app.own_chart:
        chart = repository.chart(app.own_chart)
        files = " ".join(f"-f {path}" for path in argocd.value_files(inputs, name))
        return chart, f"helm template {name} {chart} -n {app.namespace} {files}".rstrip()
    overlay = repository.generated(inputs, "overlays", name)
    return overlay, f"kustomize build {overlay}"


def _build(root: Path, inputs: Inputs, name: str, app: App) -> str:
    if app.own_chart is None:
        return kustomize.build(root / repository.generated(inputs, "overlays", name))
    return helm.template(
        root / repository.chart(app.own_chart),
        name,
        namespace=app.namespace,
        kubernetes=inputs.cluster.kubernetes,
        values=[root / path for path in argocd.value_files(inputs, name)],
    )


def _objects(root: Path, inputs: Inputs, name: str, app: App, text: str) -> Iterator[Rendered]:
    """Each object with where it comes from; of a chart, helm names the template in a comment before the object."""
    shown, _ = _shown(inputs, name, app)
    written = _origins(root, inputs, name)
    for part in re.split(r"^---$", text, flags=re.MULTILINE):
        source = SOURCE.search(part) if app.own_chart else None
        if document := yaml.load(part, Loader=yaml.CSafeLoader):
            file = f"{shown}/{source[1]}" if source else shown
            origins = Template(root / file, file) if source else written
            yield Rendered(file, "", document, name, built=True, origins=origins)


def _origins(root: Path, inputs: Inputs, name: str) -> Origins:
    """The base first: what it and a patch say alike is for people to change there."""
    folders = (repository.app(name, "base"), repository.generated(inputs, "overlays", name))
    return Origins(tuple((root / folder, folder) for folder in folders))


def placed(each: Rendered, finding: Finding) -> Problem:
    """A finding about an object, at its place in the file."""
    metadata = each.document.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, dict) else ""
    key = f"{each.document.get('kind', 'object')}/{name}: {dotted(finding.path)}".removesuffix(": ")
    return Problem(_place(each, finding), finding.message, key, finding.hint)


def _place(each: Rendered, finding: Finding) -> Place:
    if each.built:
        return each.origins.place(each.document, finding.path) or Place(each.file)
    return reader.parse(each.text, each.file).place_of(finding.path)
