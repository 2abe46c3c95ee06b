"""What a node leaves to pods: EC2's figures less what the hypervisor, kubelet and eviction keep back."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .catalog import Instance

HYPERVISOR_SHARE = 0.075
"""Memory that an instance does not show its system (Karpenter's VM_MEMORY_OVERHEAD_PERCENT)."""
RESERVED_MEMORY_MIB, RESERVED_MEMORY_PER_POD_MIB = 255, 11
"""kube-reserved of nodeadm (awslabs/amazon-eks-ami, nodeadm/internal/kubelet/config.go, 2026-07)."""
EVICTION_MEMORY_MIB = 100
"""kubelet's memory.available threshold, as nodeadm sets it."""
RESERVED_CPU_SHARES = (0.06, 0.01, 0.005, 0.005)
"""Of the first four cores, and of each further one `RESERVED_CPU_REST` (the same file)."""
RESERVED_CPU_REST = 0.0025


@dataclass(frozen=True)
class Allocatable:
    """What pods on a node may request together: millicores, MiB, number of pods."""

    cpu_milli: int
    memory_mib: int
    pods: int


def allocatable(instance: Instance, max_pods: int) -> Allocatable:
    """Of a node of this type that holds `max_pods`. A c5.xlarge with 58 pods leaves 3920m and 6584 MiB."""
    memory = math.floor(instance.memory_mib * (1 - HYPERVISOR_SHARE))
    reserved = RESERVED_MEMORY_MIB + RESERVED_MEMORY_PER_POD_MIB * max_pods + EVICTION_MEMORY_MIB
    return Allocatable(1000 * instance.vcpu - _reserved_cpu(instance.vcpu), memory - reserved, max_pods)


def _reserved_cpu(cores: int) -> int:
    shares = sum(RESERVED_CPU_SHARES[:cores]) + RESERVED_CPU_REST * max(0, cores - len(RESERVED_CPU_SHARES))
    return round(1000 * shares)
