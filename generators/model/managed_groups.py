"""What AWS gets for the node groups of a cluster file: one managed node group each, or one a zone."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from . import names
from .cluster import Cluster
from .node_groups import Mix, NodeGroup


@dataclass(frozen=True)
class ManagedGroup:
    """One managed node group of `declared` in the cluster file: its zones by full name, its share of nodes."""

    key: str
    declared: str
    group: NodeGroup
    zones: tuple[str, ...]
    min: int
    max: int
    mix: Mix | None

    @property
    def name(self) -> str:
        """Its name in AWS. What AWS cannot change in place changes the name: the successor starts before this one goes.

        Eight hexadecimal digits of a checksum at the end, as `names.asg_pattern` expects.
        """
        group = self.group
        fixed = (group.capacity, "gpu" if group.gpu else "cpu", *group.instance_types, *sorted(self.zones))
        return f"{self.key}-{zlib.crc32(' '.join(fixed).encode()):08x}"


def managed_groups(cluster: Cluster) -> list[ManagedGroup]:
    """All of them, sorted by key. A key is the declared name, with the zone's letter where it is split by zones."""
    found = [each for name, group in cluster.node_groups.items() for each in _managed(cluster, name, group)]
    return sorted(found, key=lambda each: each.key)


def _managed(cluster: Cluster, name: str, group: NodeGroup) -> list[ManagedGroup]:
    letters = group.zones or cluster.network.zones
    zones = names.zones(cluster, letters)
    if not group.zonal:
        return [ManagedGroup(name, name, group, tuple(zones), group.min, group.max, group.mix)]
    return [
        ManagedGroup(
            key=f"{name}-{letters[index]}",
            declared=name,
            group=group,
            zones=(zone,),
            min=_share(group.min, len(zones), index),
            max=_share(group.max, len(zones), index),
            mix=_mix(group.mix, len(zones), index),
        )
        for index, zone in enumerate(zones)
    ]


def _share(total: int, parts: int, index: int) -> int:
    """The part of `total` at `index`: all parts together are the total, and the first ones are the larger."""
    return total // parts + (index < total % parts)


def _mix(mix: Mix | None, parts: int, index: int) -> Mix | None:
    return mix and mix.model_copy(update={"on_demand_base": _share(mix.on_demand_base, parts, index)})
