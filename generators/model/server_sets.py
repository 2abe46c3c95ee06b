"""Which sets of models run on which node groups, and what each gets of a node's GPUs."""

from __future__ import annotations

from . import gpus
from .apps import GpuInferenceSettings, InferenceJob
from .catalog import Inputs
from .cluster import Cluster
from .model_servers import DEFAULT_SET, ModelServer


def sets(settings: GpuInferenceSettings) -> dict[str, ModelServer]:
    """Each set by name, with image and repository; without `servers`, the one that the app's own keys describe."""
    declared = settings.servers or {DEFAULT_SET: ModelServer(models=settings.models)}
    return {
        name: each.model_copy(
            update={
                "image": each.image or settings.server_image,
                "model_repository": each.model_repository or settings.model_repository,
            }
        )
        for name, each in sorted(declared.items())
    }


def repositories(settings: GpuInferenceSettings) -> tuple[str, ...]:
    """Prefixes of the bucket that hold models, those that workers read themselves included."""
    return tuple(sorted({settings.model_repository, *(str(each.model_repository) for each in sets(settings).values())}))


def on(cluster: Cluster, group: str) -> list[str]:
    """Names of the sets that run on a node group, sorted; none on one that is not of mode `server`."""
    settings, gpu = cluster.apps.gpu_inference, cluster.node_groups[group].gpu
    if settings is None or gpu is None or gpu.mode != "server":
        return []
    return [name for name, each in sets(settings).items() if not each.node_groups or group in each.node_groups]


def gpus_each(inputs: Inputs, group: str) -> int:
    """How many `nvidia.com/gpu` each server on a node of the group holds; 0 where they cannot be divided evenly."""
    found = inputs.cluster.node_groups[group]
    offered = gpus.offered(found, inputs.catalog.instances[found.instance_types[0]])
    count = len(on(inputs.cluster, group)) or 1
    whole, rest = divmod(offered, count)
    # Two slices may be of one GPU, and a process that computes sees one of them.
    return 0 if rest or (gpus.sliced(found) and whole > 1) else whole


def of_job(cluster: Cluster, job: InferenceJob) -> str | None:
    """The set that a batch asks: the one it names, or the only one on its node group. None where that is not told."""
    there = on(cluster, job.node_group)
    return job.server or (there[0] if len(there) == 1 else None)
