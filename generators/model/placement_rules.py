"""Rules over where node groups stand: their zones, and what a split by zones makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from .base import Finding
from .catalog import Inputs
from .managed_groups import managed_groups
from .node_groups import GROUPS_PER_CLUSTER, NodeGroup


def placement(inputs: Inputs) -> Iterator[Finding]:
    """Zones that exist, a node for each zone of a split, and names and numbers that AWS takes."""
    cluster = inputs.cluster
    for name, group in cluster.node_groups.items():
        yield from _zones(name, group, cluster.network.zones)
    found = managed_groups(cluster)
    if len(found) > GROUPS_PER_CLUSTER:
        what = (
            f"make {len(found)} managed node groups, those split by zones included; AWS's quota is {GROUPS_PER_CLUSTER}"
        )
        yield Finding(("node_groups",), what, "split fewer of them")
    taken = Counter(each.key for each in found)
    for each in found:
        if taken[each.key] > 1 and each.group.zonal:
            what = f"its part `{each.key}` has the name of node_groups.{each.key}"
            yield Finding(("node_groups", each.declared, "zonal"), what, "rename one of them")


def _zones(name: str, group: NodeGroup, known: tuple[str, ...]) -> Iterator[Finding]:
    at = ("node_groups", name, "zones")
    chosen = group.zones or known
    for index, zone in enumerate(chosen):
        if zone not in known:
            yield Finding((*at, index), f"the cluster has no zone `{zone}`", f"network.zones has {', '.join(known)}")
        if zone in chosen[:index] and group.zones:
            yield Finding((*at, index), f"zone `{zone}` is named twice", "once is enough")
    if group.zonal and group.max < len(chosen):
        what = f"{group.max} node{'s' * (group.max > 1)} in {len(chosen)} zones leave a zone without any"
        yield Finding(("node_groups", name, "zonal"), what, f"raise node_groups.{name}.max, or name fewer zones")
