"""What `apps/gpu-inference/main.jsonnet` gets beside the facts that every app gets."""

from __future__ import annotations

from generators.model import gpu_room, gpus, names, server_sets, sizing, warm_models
from generators.model.apps import GpuInferenceSettings, InferenceJob
from generators.model.catalog import Inputs
from generators.model.model_servers import ModelServer

Facts = dict[str, object]


def facts(inputs: Inputs) -> Facts:
    """Images, sets of models, GPU node groups and batches, with every size worked out."""
    settings = inputs.cluster.apps.gpu_inference or GpuInferenceSettings()
    return {
        "images": {
            "worker": names.worker_image(inputs.cluster, settings.worker_version),
            "cudaWorker": names.worker_image(inputs.cluster, settings.worker_version + names.CUDA_SUFFIX),
        },
        "servers": {name: _server(name, each) for name, each in server_sets.sets(settings).items()},
        "warmImages": list(settings.warm_images),
        "modelFolder": _model_folder() if settings.warm_models else None,
        "nodeGroups": _groups(inputs),
        "submit": settings.submit is not None,
        "submitters": names.SUBMITTERS if names.submitter_arns(inputs.cluster) else None,
        "jobs": {name: _job(inputs, job) for name, job in sorted(settings.jobs.items())},
    }


def _server(name: str, server: ModelServer) -> Facts:
    own = server.own
    return {
        "name": names.server(name),
        "kind": server.kind,
        "image": server.image,
        "args": list(server.args),
        "models": list(server.models),
        "modelRepository": server.model_repository,
        "own": {
            "command": list(own.command),
            "port": own.port,
            "readyPath": own.ready_path,
            "livePath": own.live_path,
        }
        if own
        else None,
    }


def _job(inputs: Inputs, job: InferenceJob) -> Facts:
    shards = sizing.shards(inputs, job)
    enough = job.enough_percentage
    return {
        "nodeGroups": [job.node_group, *job.fallback],
        "input": job.input,
        "output": job.output,
        "model": job.model,
        "server": server_sets.of_job(inputs.cluster, job),
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
            free = gpu_room.room(inputs, name)
            found[name] = {
                "mode": group.gpu.mode,
                "sharing": group.gpu.sharing,
                "gpusPerNode": gpus.offered(group, instance),
                "max": group.max,
                "cpuMilli": free.cpu_milli,
                "memoryMib": free.memory_mib,
                "gpuMemoryMib": free.gpu_memory_mib,
                "servers": server_sets.on(inputs.cluster, name),
                "gpusPerServer": server_sets.gpus_each(inputs, name),
                "selector": {names.GROUP_LABEL: name},
                "taints": names.node_taints(group),
                "warm": _warm(inputs, name) if warm_models.on(inputs.cluster) else None,
            }
    return found


def _model_folder() -> Facts:
    return {"path": names.MODEL_FOLDER, "nodes": {names.ROLE_LABEL: names.GPU_ROLE}}


def _warm(inputs: Inputs, name: str) -> Facts:
    return {
        "models": warm_models.named(inputs.cluster, name),
        "limitMib": warm_models.room_mib(inputs.cluster.node_groups[name]),
        "cpuMilli": warm_models.WARMER_CPU_MILLI,
        "memoryMib": warm_models.WARMER_MEMORY_MIB,
    }
