"""Clusters with GPU node groups of all kinds, and whether pods fit their nodes."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import yaml

from generators.model import gpu_room, sizing
from generators.model.allocatable import allocatable
from generators.model.apps import GpuInferenceSettings
from generators.model.catalog import Inputs
from generators.model.node_groups import NodeGroup
from tests.fleets import ROOT, committed
from tests.gpu_inference import gpus, mib

TYPES = {name: kind for name, kind in committed().catalog.instances.items() if kind.gpus}
GPU_TYPES = sorted(TYPES)
MIG_TYPES = sorted(name for name, kind in TYPES.items() if kind.mig)
PROFILES = sorted({profile for kind in TYPES.values() for profile in kind.mig})
EVERYWHERE = {
    "nvidia-device-plugin": ["apps/nvidia-device-plugin/values.yaml"],
    "dcgm-exporter": ["apps/dcgm-exporter/values.yaml"],
    "node-local-dns": ["apps/node-local-dns/values.yaml"],
    "fluent-bit": ["charts/fluent-bit/values.yaml"],
    "cloudwatch-agent": ["charts/cloudwatch-agent/values.yaml"],
}
OF_EKS = (150, 0)
"""aws-node with its policy agent, and kube-proxy: millicores as EKS requests them; they request no memory."""
VOLUMES = (30, 192)
"""The EBS CSI driver's pod on each node: three containers of 10m and 64Mi."""


def cluster(groups: dict[str, Any], inference: dict[str, Any], *, prefixes: bool = True) -> Inputs:
    """prod-tokyo with these GPU groups in place of its own; no rule has looked at it yet."""
    inputs = committed().load("prod-tokyo")
    kept = {name: each for name, each in inputs.cluster.node_groups.items() if not each.gpu}
    parsed = {name: NodeGroup.model_validate_json(json.dumps(each)) for name, each in groups.items()}
    settings = GpuInferenceSettings.model_validate_json(json.dumps(inference))
    cni = inputs.cluster.network.cni.model_copy(update={"prefix_delegation": prefixes})
    update = {
        "node_groups": kept | parsed,
        "apps": inputs.cluster.apps.model_copy(update={"gpu_inference": settings}),
        "network": inputs.cluster.network.model_copy(update={"cni": cni}),
    }
    return Inputs(inputs.cluster.model_copy(update=update), inputs.catalog)


@cache
def everywhere() -> tuple[int, int]:
    """Millicores and MiB that the pods of every GPU node request, by the values that they are installed with."""
    cpu, memory = OF_EKS[0] + VOLUMES[0], OF_EKS[1] + VOLUMES[1]
    for paths in EVERYWHERE.values():
        for path in paths:
            requests = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))["resources"]["requests"]
            cpu += int(requests["cpu"].removesuffix("m"))
            memory += mib(requests["memory"])
    return cpu, memory


def declared(kind: str, mode: str, slices: int, most: int) -> dict[str, Any]:
    gpu = {"mode": mode, **({"slices": slices} if mode == "shared" else {})}
    return {"instance_types": [kind], "capacity": "spot", "gpu": gpu, "min": 1, "max": most}


def fits(inputs: Inputs, name: str, servers: list[Any], worker: Any) -> None:
    """All slots of one node at once, beside what runs on every node; a worker that is None has none."""
    group = inputs.cluster.node_groups[name]
    slots = slots_of(inputs, name) // group.max if worker else 0
    node = allocatable(inputs.catalog.instances[group.instance_types[0]], sizing.max_pods(inputs, group))
    requests = [pod["containers"][0]["resources"]["requests"] for pod in [*servers, *[worker] * slots]]
    cpu, memory = everywhere()
    assert sum(int(each["cpu"].removesuffix("m")) for each in requests) + cpu <= node.cpu_milli
    assert sum(mib(each["memory"]) for each in requests) + memory <= node.memory_mib
    counted = parts(inputs, name)
    assert len(requests) + gpu_room.EVERY_NODE_PODS <= node.pods
    assert sum(map(gpus, servers)) + (gpus(worker) * slots if worker else 0) == counted


def parts(inputs: Inputs, name: str) -> int:
    """GPUs of a node, or slices, or MIG instances, counted from the data alone."""
    group = inputs.cluster.node_groups[name]
    assert group.gpu
    kind = inputs.catalog.instances[group.instance_types[0]]
    return kind.gpus * (kind.mig[group.gpu.mig].instances if group.gpu.mig else group.gpu.slices or 1)


def slots_of(inputs: Inputs, name: str) -> int:
    """Shards that a group holds at once."""
    group = inputs.cluster.node_groups[name]
    assert group.gpu
    return group.max * (1 if group.gpu.mode == "server" else parts(inputs, name))
