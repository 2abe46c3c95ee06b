"""Where a chart's pods go, in the words that all charts share."""

from __future__ import annotations

from generators.model import names

Values = dict[str, object]
SYSTEM_SELECTOR = {names.ROLE_LABEL: "system"}
SYSTEM_TOLERATION = {"key": names.SYSTEM_TAINT["key"], "operator": "Exists"}


def spread(instance: str) -> Values:
    """No two pods of a release on one node."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app.kubernetes.io/instance": instance}},
    }
