"""What pods of GPU inference may take of a node: what it leaves to pods, less what runs on every node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import gpus, server_sets, sizing, warm_models
from .allocatable import allocatable
from .base import Finding
from .catalog import Inputs
from .node_groups import NodeGroup

EVERY_NODE_CPU_MILLI, EVERY_NODE_MEMORY_MIB = 600, 1152
"""For the pods of every GPU node: network, proxy, DNS cache, logs, metrics, volumes, device plugin, image warmer. The
tests add up what those request."""
EVERY_NODE_PODS = 10
"""How many these are."""
POD_CPU_MIN_MILLI, POD_MEMORY_MIN_MIB = 250, 1024
"""With less, a process that decodes and predicts does not start (our own estimate)."""
SLICE_MEMORY_MIN_MIB = 1024
"""A CUDA context alone takes some 300 to 500 MiB of a GPU (our own estimate)."""


@dataclass(frozen=True)
class Room:
    """Of one node: millicores, MiB, equal pods that share them, pods it takes, and MiB of GPU memory for each."""

    cpu_milli: int
    memory_mib: int
    pods: int
    pods_max: int
    gpu_memory_mib: int


def room(inputs: Inputs, name: str) -> Room:
    """Of a node of this GPU group, all its types together: one shape, and the fewest pods, as EKS sets it up."""
    group = inputs.cluster.node_groups[name]
    kind = inputs.catalog.instances[group.instance_types[0]]
    node = allocatable(kind, sizing.max_pods(inputs, group))
    cpu, memory, more_pods = warm_models.overhead(inputs.cluster, name)
    return Room(
        cpu_milli=node.cpu_milli - EVERY_NODE_CPU_MILLI - cpu,
        memory_mib=node.memory_mib - EVERY_NODE_MEMORY_MIB - memory,
        pods=pods(inputs, name),
        pods_max=node.pods - EVERY_NODE_PODS - more_pods,
        gpu_memory_mib=gpus.share_mib(group, kind),
    )


def pods(inputs: Inputs, name: str) -> int:
    """Equal pods on one node: one a GPU or slice; the model servers and one worker beside them."""
    group = inputs.cluster.node_groups[name]
    if group.gpu and group.gpu.mode == "server":
        return len(server_sets.on(inputs.cluster, name)) + 1
    return gpus.offered(group, inputs.catalog.instances[group.instance_types[0]])


def shares(inputs: Inputs) -> Iterator[Finding]:
    """Each pod gets enough of its node, and each slice enough of its GPU."""
    for name, group in inputs.cluster.node_groups.items():
        if group.gpu:
            yield from _share(name, group, room(inputs, name))


def _share(name: str, group: NodeGroup, found: Room) -> Iterator[Finding]:
    at = ("node_groups", name, "gpu")
    cpu, memory = found.cpu_milli // found.pods, found.memory_mib // found.pods
    if cpu < POD_CPU_MIN_MILLI or memory < POD_MEMORY_MIN_MIB:
        what = f"{found.pods} pods on a `{group.instance_types[0]}` get {cpu}m CPU and {memory} MiB each"
        yield Finding(
            at, what, f"at least {POD_CPU_MIN_MILLI}m and {POD_MEMORY_MIN_MIB} MiB: fewer slices, or more node"
        )
    if found.pods > found.pods_max:
        what = f"{found.pods} pods on a `{group.instance_types[0]}`, which has room for {found.pods_max} beside its own"
        yield Finding(at, what, "fewer slices, or network.cni.prefix_delegation: nodes then hold more pods")
    if found.gpu_memory_mib < SLICE_MEMORY_MIN_MIB:
        what = f"a slice of `{group.instance_types[0]}` has {found.gpu_memory_mib} MiB of GPU memory"
        yield Finding(at, what, f"at least {SLICE_MEMORY_MIN_MIB} MiB, of which CUDA takes its part: fewer slices")
