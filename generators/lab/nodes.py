"""Simulated nodes: what EKS's managed node groups would bring, by the cluster file and the instance data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from generators.model import gpus, names, sizing
from generators.model.allocatable import allocatable
from generators.model.catalog import Inputs, Instance
from generators.model.managed_groups import ManagedGroup, managed_groups

Node = dict[str, Any]


def counts(inputs: Inputs, total: int = 0) -> dict[str, int]:
    """Nodes of each managed group, by key: its minimum and, up to `total`, more in the measure of its room to grow.

    A total below the sum of the minimums, or above that of the maximums, is taken to be that sum.
    """
    groups = managed_groups(inputs.cluster)
    found = {each.key: each.min for each in groups}
    room = {each.key: each.max - each.min for each in groups}
    more = max(0, min(total - sum(found.values()), sum(room.values())))
    shares = {key: more * each / max(1, sum(room.values())) for key, each in room.items()}
    found = {key: found[key] + int(share) for key, share in shares.items()}
    left = more - sum(int(share) for share in shares.values())
    for key in sorted(shares, key=lambda key: int(shares[key]) - shares[key])[:left]:
        found[key] += 1
    return found


def nodes(inputs: Inputs, wanted: dict[str, int]) -> list[Node]:
    """So many nodes of each managed group, over its zones in turn."""
    groups = {each.key: each for each in managed_groups(inputs.cluster)}
    return [node for key, count in wanted.items() for node in _group(inputs, groups[key], count)]


def _group(inputs: Inputs, group: ManagedGroup, count: int) -> Iterator[Node]:
    for index in range(count):
        zone = group.zones[index % len(group.zones)]
        yield _node(inputs, group, zone, group.group.instance_types[index % len(group.group.instance_types)], index)


def _node(inputs: Inputs, group: ManagedGroup, zone: str, kind: str, index: int) -> Node:
    instance = inputs.catalog.instances[kind]
    name = f"{group.name}-{index}"
    # As EC2 writes an instance id: seventeen hexadecimal digits.
    instance_id = f"i-{hashlib.sha256(f'{inputs.cluster.name}/{name}'.encode()).hexdigest()[:17]}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": _labels(inputs, group, zone, kind, instance) | {HOST: name}},
        "spec": {"providerID": f"aws:///{zone}/{instance_id}", "taints": names.node_taints(group.group)},
        "status": _status(inputs, group, instance),
    }


HOST = "kubernetes.io/hostname"


def _labels(inputs: Inputs, group: ManagedGroup, zone: str, kind: str, instance: Instance) -> dict[str, str]:
    """Ours, and those that EKS and its kubelet set."""
    return {
        **names.node_labels(group.declared, group.group, instance),
        "eks.amazonaws.com/capacityType": "SPOT" if group.group.capacity == "spot" else "ON_DEMAND",
        "eks.amazonaws.com/nodegroup": group.name,
        "kubernetes.io/arch": instance.arch,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": kind,
        "topology.kubernetes.io/region": inputs.cluster.region,
        "topology.kubernetes.io/zone": zone,
    }


def _status(inputs: Inputs, group: ManagedGroup, instance: Instance) -> Node:
    free = allocatable(instance, sizing.max_pods(inputs, group.group))
    offered = gpus.offered(group.group, instance)
    extra = {"ephemeral-storage": f"{group.group.disk_gb}Gi", "pods": str(free.pods)}
    # What the NVIDIA device plugin would tell kubelet.
    extra |= {"nvidia.com/gpu": str(offered)} if offered else {}
    return {
        "capacity": {"cpu": str(instance.vcpu), "memory": f"{instance.memory_mib}Mi", **extra},
        "allocatable": {"cpu": f"{free.cpu_milli}m", "memory": f"{free.memory_mib}Mi", **extra},
    }
