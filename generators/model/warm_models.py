"""Models that GPU nodes keep in a folder of their own: which, how much they may take, and what keeping them costs."""

from __future__ import annotations

from collections.abc import Iterator

from . import server_sets
from .apps import GpuInferenceSettings
from .base import Finding, Path
from .catalog import Inputs
from .cluster import Cluster
from .model_servers import DEFAULT_SET
from .node_groups import NodeGroup

USED_PERCENTAGE = 85
"""Of a disk; above it, the kubelet removes images (imageGCHighThresholdPercent), those pulled ahead too."""
SCRATCH_GIB = 40
"""For /tmp of all pods of a node together (apps/lib/gpu.libsonnet)."""
IMAGES_GIB = 70
"""The system and two images of Triton, the present and the next: containerd keeps each as it was pulled, some 10 GiB,
and unpacked, some 20 (our own estimate)."""
MODELS_MIN_GIB = 10
"""With less room, warming is not worth its pods (our own choice)."""
WARMER_CPU_MILLI, WARMER_MEMORY_MIB = 20, 256
"""Of a node's warmer, and of the container beside each model server that holds its models: four files at a time take
150 MiB (measured)."""


def on(cluster: Cluster) -> bool:
    """Whether the cluster's GPU nodes keep models."""
    return _settings(cluster).warm_models


def named(cluster: Cluster, group: str) -> list[str]:
    """What a node of the group keeps, sorted: folders of servers' models, or the ONNX files of batches."""
    settings, sets = _settings(cluster), server_sets.sets(_settings(cluster))
    served = {
        f"{sets[name].model_repository}{model}/"
        for name in server_sets.on(cluster, group)
        for model in sets[name].models
    }
    gpu = cluster.node_groups[group].gpu
    if gpu and gpu.mode != "server":
        served |= {job.model for job in settings.jobs.values() if group in (job.node_group, *job.fallback)}
    return sorted(served)


def room_mib(group: NodeGroup) -> int:
    """MiB of a node's disk that models may take."""
    return group.disk_gb * 1024 * USED_PERCENTAGE // 100 - (SCRATCH_GIB + IMAGES_GIB) * 1024


def overhead(cluster: Cluster, group: str) -> tuple[int, int, int]:
    """Millicores, MiB and pods that keeping models takes of a node."""
    if not on(cluster):
        return 0, 0, 0
    count = 1 + len(server_sets.on(cluster, group))
    return count * WARMER_CPU_MILLI, count * WARMER_MEMORY_MIB, 1


def warm_models(inputs: Inputs) -> Iterator[Finding]:
    """Nodes have room for models, and know which."""
    cluster = inputs.cluster
    if not on(cluster):
        return
    for name, group in cluster.node_groups.items():
        if group.gpu and room_mib(group) < MODELS_MIN_GIB * 1024:
            needed = -(-(MODELS_MIN_GIB + SCRATCH_GIB + IMAGES_GIB) * 100 // USED_PERCENTAGE)
            what = f"{group.disk_gb} leaves no room for the models of apps.gpu-inference.warm_models"
            hint = f"at least {needed}, of which images and scratch space take {SCRATCH_GIB + IMAGES_GIB}"
            yield Finding(("node_groups", name, "disk_gb"), what, hint)
    settings = _settings(cluster)
    used = {each for name in cluster.node_groups for each in server_sets.on(cluster, name)}
    for name in sorted(used):
        if not server_sets.sets(settings)[name].models:
            hint = "name the models: otherwise all that lies in the bucket would come to every node"
            yield Finding(_models(settings, name), "apps.gpu-inference.warm_models needs them", hint)


def _models(settings: GpuInferenceSettings, name: str) -> Path:
    at: Path = ("apps", "gpu-inference")
    return (*at, "servers", name, "models") if settings.servers else (*at, "models") if name == DEFAULT_SET else at


def _settings(cluster: Cluster) -> GpuInferenceSettings:
    return cluster.apps.gpu_inference or GpuInferenceSettings()
