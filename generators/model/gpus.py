"""What a GPU node offers to pods, and how much memory is behind it."""

from __future__ import annotations

from .catalog import Instance
from .node_groups import NodeGroup


def slices(group: NodeGroup) -> int:
    """Parts of each GPU; one where GPUs are whole."""
    return (group.gpu.slices if group.gpu else None) or 1


def offered(group: NodeGroup, kind: Instance) -> int:
    """What a node has as `nvidia.com/gpu`: GPUs, or all their slices; none where the group has no `gpu`."""
    return kind.gpus * slices(group) if group.gpu else 0


def share_mib(group: NodeGroup, kind: Instance) -> int:
    """GPU memory in MiB behind one `nvidia.com/gpu`."""
    return kind.gpu_memory_mib // slices(group)
