"""Rules over one third-party chart: its catalogue, the identities declared for it, and the values that it gets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from generators.checks.identity import environment
from generators.checks.identity.charts import ChartAccount, Release, reads
from generators.checks.identity.evidence import Spot, Told
from generators.model.base import Finding, Path, did_you_mean
from generators.model.catalog import App, ChartValues
from generators.model.identities import ROLE_ANNOTATION

CATALOGUE = "generators/data/chart_accounts.json"
SERVICE_ACCOUNT = re.compile(r"(.*\.)?serviceAccount")


def findings(release: Release, app: App, index: ChartValues | None) -> Told:
    """What is wrong with a chart's ServiceAccounts, in its app.yaml and in its values."""
    about = Spot("app", release.app)
    if not release.facts.source:
        what = f"nobody has looked up the ServiceAccounts of {release.chart}"
        yield about, Finding(("chart", "name"), what, f"add the chart to {CATALOGUE}, with what its templates say")
        return
    if index and app.chart and index.version == app.chart.version:
        yield from ((about, finding) for finding in _drift(release, index))
    yield from ((about, finding) for finding in _declared(release, app))
    yield from ((release.spot, finding) for finding in _values(release, app))


def _drift(release: Release, index: ChartValues) -> Iterator[Finding]:
    """Where the catalogue and the pinned version's values part ways."""
    known = {each.path for each in release.facts.accounts if each.path}
    found = {path for path, kind in index.paths.items() if kind.startswith("map") and SERVICE_ACCOUNT.fullmatch(path)}
    hint = f"read the chart's templates again and mend {CATALOGUE}"
    for path in sorted(known - found):
        yield Finding(("chart", "version"), f"{release.chart} {index.version} has no `{path}` any more", hint)
    for path in sorted(found - known):
        yield Finding(("chart", "version"), f"{release.chart} {index.version} takes a ServiceAccount at `{path}`", hint)


def _declared(release: Release, app: App) -> Iterator[Finding]:
    paths = {each.path for each in release.facts.accounts if each.path}
    declared = {identity.values_path for identity in app.identities.values()}
    for name, identity in app.identities.items():
        if identity.values_path not in paths:
            hint = did_you_mean(identity.values_path or "", paths, f"it has {', '.join(sorted(paths)) or 'none'}")
            what = f"{release.chart} takes no ServiceAccount at `{identity.values_path}`"
            yield Finding(("identities", name, "values_path"), what, hint)
    for each in release.active():
        if release.calls_aws(each) and each.path not in declared:
            what = f"pods of {release.chart} call AWS ({each.pods}), and no identity has the values_path `{each.path}`"
            hint = "without one they would ask the node's metadata, which is closed to pods: declare what they may do"
            yield Finding(("identities",), what, hint)


def _values(release: Release, app: App) -> Iterator[Finding]:
    takers = {(*each.steps, "annotations", ROLE_ANNOTATION) for each in release.facts.accounts if each.path}
    for path in _annotations((), release.values):
        if path not in takers:
            hint = f"{release.chart} takes annotations of ServiceAccounts at " + _listed(release)
            yield Finding(path, "a role here is the role of nobody", hint)
    for key in release.facts.static_keys:
        if release.value(key):
            what = "is a static key: it never expires, and git keeps it"
            yield Finding(tuple(key.split(".")), what, "take it away: the ServiceAccount's role is enough")
    declared = {identity.values_path for identity in app.identities.values()}
    for each in release.active():
        if each.env:
            yield from _environment(release, each, calls=release.calls_aws(each) and each.path in declared)


def _listed(release: Release) -> str:
    return ", ".join(f"{each.path}.annotations" for each in release.facts.accounts if each.path) or "no path"


def _annotations(at: Path, value: object) -> Iterator[Path]:
    """Where values name a role."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key == ROLE_ANNOTATION and child:
                yield (*at, key)
            yield from _annotations((*at, key), child)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _annotations((*at, index), child)


def _environment(release: Release, each: ChartAccount, *, calls: bool) -> Iterator[Finding]:
    at = tuple(each.env.split("."))
    given = release.value(each.env)
    variables = given if isinstance(given, Mapping) else environment.named(given)
    wanted = reads(each.sdk) if each.reads is None else each.reads
    yield from (Finding(at, *told) for told in environment.problems(variables, wanted if calls else ()))
