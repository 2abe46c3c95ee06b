"""Helm ignores a value that its chart does not have. So every path that we write is held against the chart's index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generators.checks import own_chart_values
from generators.model.base import Finding, did_you_mean
from generators.model.catalog import App, Catalog, Chart, ChartValues

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "int": (int,),
    "bool": (bool,),
    "list": (list,),
}
_MENDS = {
    "string": "write a text, in quotes, or take the key out",
    "int": "write a whole number without quotes, or take the key out",
    "bool": "write true or false without quotes, or take the key out",
    "list": "write a list, or take the key out",
    "map": "write keys and values below it, or take the key out",
}


def unindexed(catalog: Catalog, app: App) -> Finding | None:
    """Why the values of a third-party chart cannot be checked, by a path of app.yaml."""
    if (chart := app.chart) is None:
        return None
    index = catalog.chart_values.get(chart.name)
    if index and index.version == chart.version:
        return None
    known = f"the index is of {index.version}" if index else "there is no index"
    hint = f"run `fleet charts index {chart.name} {chart.version}`, which makes one of that version"
    what = f"the values of {chart.name} {chart.version} cannot be checked: {known}"
    return Finding(("chart", "version"), what, hint)


def findings(catalog: Catalog, app: str, values: Mapping[str, object]) -> list[Finding]:
    """Values of a helm app that its chart does not take, or takes as another type; none where it is `unindexed`."""
    if own := catalog.apps[app].own_chart:
        return own_chart_values.findings(catalog.value_schemas[own], values)
    chart = catalog.apps[app].chart
    assert chart is not None  # noqa: S101 - only helm apps have values
    return [] if unindexed(catalog, catalog.apps[app]) else against(catalog.chart_values[chart.name], chart, values)


def against(index: ChartValues, chart: Chart, values: Mapping[str, object]) -> list[Finding]:
    """As `findings`, for the index of any version: `chart` has that version, and says which values are open."""
    return list(_below(index, chart, (), values))


def _below(index: ChartValues, chart: Chart, at: tuple[str, ...], values: Mapping[str, object]) -> Iterator[Finding]:
    for key, value in values.items():
        path = (*at, key)
        name = ".".join(path)
        kind = index.paths.get(name)
        if kind is None:
            siblings = _siblings(index, at)
            hint = did_you_mean(key, siblings, f"it has {', '.join(sorted(siblings)) or 'no keys here'}")
            yield Finding(path, f"{chart.name} {chart.version} has no such value", hint)
        elif kind == "map (open)" or name in chart.open_values:
            if not isinstance(value, dict):
                yield _other_type(path, chart, "map", value)
        elif kind == "map" and isinstance(value, dict):
            yield from _below(index, chart, path, value)
        elif not _fits(kind, value):
            yield _other_type(path, chart, kind, value)


def _other_type(path: tuple[str, ...], chart: Chart, kind: str, value: object) -> Finding:
    shown = "null" if value is None else value
    wanted = "a mapping" if kind == "map" else kind
    return Finding(path, f"{chart.name} takes {wanted} here, not `{shown}`", _MENDS.get(kind, "take the key out"))


def _siblings(index: ChartValues, at: tuple[str, ...]) -> set[str]:
    prefix = "".join(f"{step}." for step in at)
    return {path[len(prefix) :].split(".")[0] for path in index.paths if path.startswith(prefix)}


def _fits(kind: str, value: object) -> bool:
    wanted = _KINDS.get(kind)
    if isinstance(value, bool):
        return kind == "bool" or (wanted is None and kind != "map")
    return kind != "map" if wanted is None else isinstance(value, wanted)
