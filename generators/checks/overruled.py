"""An override may say how a chart runs on a cluster, not on which cluster: that follows from cluster.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generators.model.base import Finding, Path
from generators.model.cluster import Cluster


def findings(
    cluster: Cluster, below: Mapping[str, object], override: Mapping[str, object], at: Path = ()
) -> Iterator[Finding]:
    """Where `override` replaces the cluster's name or region that the files `below` it hand to the chart."""
    facts = {cluster.name: "name", cluster.region: "region"}
    for key, value in override.items():
        under = below.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            yield from findings(cluster, under, value, (*at, key))
        elif isinstance(under, str) and under in facts and value != under:
            what = f"`{value}` is not the cluster's {facts[under]}, `{under}`: its pods would work on another one"
            yield Finding((*at, key), what, "take it out: it follows from cluster.yaml")
