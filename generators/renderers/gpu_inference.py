"""What `apps/gpu-inference/main.jsonnet` gets beside the facts that every app gets."""

from __future__ import annotations

from generators.model import gpu_room, names, sizing
from generators.model.apps import GpuInferenceSettings, InferenceJob
from generators.model.catalog import Inputs

Facts = dict[str, object]


def facts(inputs: Inputs) -> Facts:
    """Images, models, GPU node groups and batches, with every size worked out."""
    settings = inputs.cluster.apps.gpu_inference or GpuInferenceSettings()
    return {
        "images": {
            "server": settings.server_image,
            "worker": names.worker_image(inputs.cluster, settings.worker_version),
            "cudaWorker": names.worker_image(inputs.cluster, settings.worker_version + names.CUDA_SUFFIX),
        },
        "modelRepository": settings.model_repository,
        "models": list(settings.models),
        "warmImages": list(settings.warm_images),
        "nodeGroups": _groups(inputs),
        "jobs": {name: _job(inputs, job) for name, job in sorted(settings.jobs.items())},
    }


def _job(inputs: Inputs, job: InferenceJob) -> Facts:
    shards = sizing.shards(inputs, job)
    enough = job.enough_percentage
    return {
        "nodeGroups": [job.node_group, *job.fallback],
        "input": job.input,
        "output": job.output,
        "model": job.model,
        "shards": shards,
        "parallelism": sizing.parallelism(inputs, job),
        "deadlineSeconds": job.deadline_hours * 3600,
        "maxFailed": -(-shards * job.failed_percentage // 100),
        "enough": -(-shards * enough // 100) if enough else None,
        "suspend": job.suspend,
        "schedule": job.schedule,
        "timeZone": job.time_zone,
    }


def _groups(inputs: Inputs) -> Facts:
    found: Facts = {}
    for name, group in sorted(inputs.cluster.node_groups.items()):
        if group.gpu:
            instance = inputs.catalog.instances[group.instance_types[0]]
            free = gpu_room.room(inputs, group)
            found[name] = {
                "mode": group.gpu.mode,
                "slices": group.gpu.slices,
                "sharing": group.gpu.sharing,
                "gpusPerNode": instance.gpus,
                "max": group.max,
                "cpuMilli": free.cpu_milli,
                "memoryMib": free.memory_mib,
                "gpuMemoryMib": instance.gpu_memory_mib,
                "selector": {names.GROUP_LABEL: name},
                "taints": names.node_taints(group),
            }
    return found
