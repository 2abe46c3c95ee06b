"""Charts and what people write over them: versions that the minor supports, and image tags that would not move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.upgrade.concern import Concern, judged, recommended, required
from generators.model.catalog import App
from generators.model.support import Support, Verdict, ordinal, verdict

AUTOSCALER = "cluster-autoscaler"


def chart_verdict(app: App, target: str, support: Support) -> Verdict | None:
    """What is known of an app's chart on the minor; None for an app without a third-party chart."""
    if app.chart is None:
        return None
    found = {each.name: (name, each) for name, each in support.components.items() if each.kind == "chart"}
    name, component = found.get(app.chart.name, (app.chart.name, None))
    return verdict(name, component, app.chart.version, target)


def chart(app: App, target: str, support: Support) -> Concern | None:
    """The chart's version in app.yaml, where it is not known to fit."""
    found = chart_verdict(app, target, support)
    return judged("chart", ("chart", "version"), found) if found else None


def override(app: str, values: Mapping[str, Any], target: str, tag: str) -> Iterator[Concern]:
    """Image tags that a hand-written values file holds: they have the last word. `tag`: cluster-autoscaler's own."""
    for path, written in _tags((), values):
        if app == AUTOSCALER and path == ("image", "tag"):
            if ordinal(written)[:2] != ordinal(target)[:2]:
                what = f"cluster-autoscaler {written} is not of Kubernetes {target}: their minors must be equal"
                yield required(
                    "autoscaler", path, what, f"remove it, as `fleet` writes {tag}; or take a tag v{target}.…"
                )
        else:
            what = f"holds the image at {written}, whatever the chart's version is made for"
            yield recommended("override", path, what, f"see that it supports Kubernetes {target}, or remove it")


def _tags(path: tuple[str, ...], values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _tags((*path, key), value)
        elif key == "tag" and path and path[-1].lower().endswith("image") and isinstance(value, (str, int, float)):
            yield (*path, key), str(value)
