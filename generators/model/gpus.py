"""What a GPU node offers to pods, and how much memory is behind it."""

from __future__ import annotations

from .catalog import Instance
from .node_groups import NodeGroup


def sliced(group: NodeGroup) -> bool:
    """Whether each GPU is several to Kubernetes: by taking turns, by MPS or by MIG."""
    return bool(group.gpu and (group.gpu.slices or group.gpu.mig))


def slices(group: NodeGroup, kind: Instance) -> int:
    """Parts of each GPU; one where GPUs are whole. MIG's profile must be one of the GPU's."""
    if group.gpu and group.gpu.mig:
        return kind.mig[group.gpu.mig].instances
    return (group.gpu.slices if group.gpu else None) or 1


def offered(group: NodeGroup, kind: Instance) -> int:
    """What a node has as `nvidia.com/gpu`: GPUs, or all their slices; none where the group has no `gpu`."""
    return kind.gpus * slices(group, kind) if group.gpu else 0


def share_mib(group: NodeGroup, kind: Instance) -> int:
    """GPU memory in MiB behind one `nvidia.com/gpu`."""
    if group.gpu and group.gpu.mig:
        return kind.mig[group.gpu.mig].memory_mib
    return kind.gpu_memory_mib // slices(group, kind)
