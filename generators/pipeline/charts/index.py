"""What another version of a chart makes of the value paths that we know and write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generators.checks import chart_values
from generators.errors import FleetError, Problem
from generators.model.base import Finding
from generators.model.catalog import App, Chart, ChartValues
from generators.output.text import texts
from generators.pipeline.fleet import Fleet
from generators.renderers import render
from generators.source import binding, chart_archive, reader
from generators.source.chart_archive import Packed
from generators.source.nodes import Node


@dataclass(frozen=True)
class Index:
    """The value paths of a chart's version, compared with those known before (`before` is "" for none); all sorted."""

    chart: str
    before: str
    version: str
    paths: Mapping[str, str]
    added: list[str]
    removed: list[str]
    changed: list[tuple[str, str, str]]
    """Path, its kind before, its kind now."""
    orphans: list[Problem]
    """Values of ours that this version would ignore, or take as another type, each at its place."""

    def facts(self) -> dict[str, object]:
        """The same for a machine."""
        changed = [{"path": path, "before": old, "now": new} for path, old, new in self.changed]
        versions = {"chart": self.chart, "before": self.before, "version": self.version, "paths": len(self.paths)}
        orphans = [each.facts() for each in self.orphans]
        return {**versions, "added": self.added, "removed": self.removed, "changed": changed, "orphans": orphans}


def compare(fleet: Fleet, chart: Chart, found: Packed) -> Index:
    """The packed chart's index beside the one that is known, with our values that it orphans. Raises FleetError."""
    paths = chart_archive.kinds(found.values)
    known = fleet.catalog.chart_values.get(chart.name, ChartValues("", {}))
    changed = [(path, known.paths[path], kind) for path, kind in paths.items() if known.paths.get(path, kind) != kind]
    orphans = set(_orphans(fleet, chart.name, ChartValues(found.version, paths)))
    return Index(
        chart.name,
        known.version,
        found.version,
        paths,
        added=sorted(paths.keys() - known.paths.keys()),
        removed=sorted(known.paths.keys() - paths.keys()),
        changed=sorted(changed),
        orphans=sorted(orphans, key=Problem.sort_key),
    )


def _orphans(fleet: Fleet, chart: str, paths: ChartValues) -> Iterator[Problem]:
    for name, app in fleet.catalog.apps.items():
        if app.chart is None or app.chart.name != chart:
            continue
        declared = reader.read(fleet.workspace.root / f"apps/{name}/app.yaml", f"apps/{name}/app.yaml")
        for finding in _declared(app, app.chart, paths):
            yield binding.located(declared, finding)
        newer = app.chart.model_copy(update={"version": paths.version})
        for node in _value_files(fleet, name):
            plain = node.plain()
            assert isinstance(plain, dict)  # noqa: S101 - reader takes mappings only
            for finding in chart_values.against(paths, newer, plain):
                yield binding.located(node, finding)


def _declared(app: App, chart: Chart, known: ChartValues) -> Iterator[Finding]:
    """Paths of the chart that app.yaml itself names."""
    named = {("chart", "open_values", path): path for path in chart.open_values}
    for account, identity in app.identities.items():
        if identity.values_path:
            named["identities", account, "values_path"] = identity.values_path
    for key, path in named.items():
        if path not in known.paths:
            yield Finding(key, f"{chart.name} {known.version} has no value `{path}`", "look for what replaces it")


def _value_files(fleet: Fleet, app: str) -> Iterator[Node]:
    """Every values file of the app: for all clusters, and for each cluster by hand and as it is generated."""
    root = fleet.workspace.root
    by_hand = [f"apps/{app}/values.yaml"] if app in fleet.catalog.plain_values else []
    for name in fleet.workspace.names():
        by_hand += [f"clusters/{name}/values/{app}.yaml"] if app in fleet.workspace.overrides(name) else []
        if text := _generated(fleet, name, app):
            yield reader.parse(text, f"clusters/{name}/generated/values/{app}.yaml")
    for path in by_hand:
        yield reader.read(root / path, path)


def _generated(fleet: Fleet, cluster: str, app: str) -> str:
    try:
        return texts(render(fleet.load(cluster)), cluster).get(f"values/{app}.yaml", "")
    except FleetError:
        return ""  # `fleet validate` tells what is wrong with that cluster
