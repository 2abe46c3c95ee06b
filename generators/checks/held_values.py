"""Values of third-party charts that are no cluster's choice. Helm takes them all; it is Argo CD or a pod that fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generators.model.base import Finding, Path, did_you_mean
from generators.model.catalog import HeldValue

CLASSES = ("system-cluster-critical", "system-node-critical")
"""PriorityClasses that every cluster has. Those of apps are for their own pods."""


def findings(held: Mapping[str, HeldValue], values: Mapping[str, object], at: Path = ()) -> Iterator[Finding]:
    """What one values file says otherwise than app.yaml holds it, and words that would fail on every cluster."""
    for key, value in values.items():
        path = (*at, key)
        kept = held.get(".".join(map(str, path)))
        if kept and value != kept.value:
            yield Finding(path, f"must be {_text(kept.value)}: {kept.reason}", "take it out of this file")
        if key.lower().endswith("priorityclassname") and value and value not in CLASSES:
            yield Finding(path, f"no cluster has the PriorityClass `{value}`", did_you_mean(str(value), CLASSES, OR))
        if key == "serviceMonitor" and _on(value):
            what = "no app brings the kind ServiceMonitor, so that Argo CD could not sync"
            yield Finding((*path, "enabled"), what, "set it to false: metrics go to CloudWatch")
        if key == "hostNetwork" and _on(value):
            what = "gives its pods the node's network, and with it the node's role and every port on it"
            yield Finding(path, what, "take it out; pods here do without instance metadata")
        if isinstance(value, Mapping):
            yield from findings(held, value, path)


OR = f"there are {' and '.join(CLASSES)}"


def _on(value: object) -> bool:
    return value is True or (isinstance(value, Mapping) and value.get("enabled") is True)


def _text(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
