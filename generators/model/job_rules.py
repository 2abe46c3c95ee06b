"""Rules over batches: node groups that can run them, prefixes apart, and no more at a time than there is room for."""

from __future__ import annotations

from collections.abc import Iterator

from . import gpus, names, server_sets, sizing
from .apps import GpuInferenceSettings, InferenceJob
from .base import Finding, Path, did_you_mean
from .catalog import Inputs
from .cluster import Cluster
from .node_groups import NodeGroup

APART = "results would be read as movies; keep them under prefixes apart"


def _declared(inputs: Inputs) -> dict[str, InferenceJob]:
    settings = inputs.cluster.apps.gpu_inference
    return dict(settings.jobs) if settings else {}


def jobs(inputs: Inputs) -> Iterator[Finding]:
    """Batches run on GPU node groups that exist and are alike, and read nothing that a batch writes."""
    declared = _declared(inputs)
    for name, job in declared.items():
        at = ("apps", "gpu-inference", "jobs", name)
        yield from _groups(at, inputs.cluster.node_groups, job)
        yield from _model(inputs, at, job)
        for other, each in declared.items():
            if _overlap(job.output, each.input):
                what = f"`{job.output}` and apps.gpu-inference.jobs.{other}.input `{each.input}` overlap"
                yield Finding((*at, "output"), what, APART)
    yield from _submitted(inputs)


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _submitted(inputs: Inputs) -> Iterator[Finding]:
    """What is written by whatever batch is read by none; `jobs` among themselves are looked at above."""
    settings = inputs.cluster.apps.gpu_inference
    if settings is None or settings.submit is None:
        return
    at: Path = ("apps", "gpu-inference", "submit")
    for index, role in enumerate(settings.submit.roles):
        if role in inputs.cluster.access.admins:
            hint = "leave it out here: administrators submit too, and EKS has one entry a role"
            yield Finding((*at, "roles", index), f"`{role}` is in access.admins", hint)
        elif role in settings.submit.roles[:index]:
            yield Finding((*at, "roles", index), f"`{role}` is named twice", "once is enough")
    read = {f"apps.gpu-inference.jobs.{name}.input": job.input for name, job in settings.jobs.items()}
    written = {f"apps.gpu-inference.jobs.{name}.output": job.output for name, job in settings.jobs.items()}
    read_here = {
        f"apps.gpu-inference.submit.inputs[{number}]": each for number, each in enumerate(settings.submit.inputs)
    }
    for key, ours, others in (
        ("inputs", settings.submit.inputs, written),
        ("outputs", settings.submit.outputs, read | read_here),
    ):
        for index, prefix in enumerate(ours):
            for name, other in others.items():
                if _overlap(prefix, other):
                    yield Finding((*at, key, index), f"`{prefix}` and {name} `{other}` overlap", APART)


def reach(inputs: Inputs, read: str, written: str) -> Iterator[Finding]:
    """Prefixes of a batch that is not in the file, whose role AWS does not give more than the file says.

    Paths are those of the batch itself: `input`, `output`.
    """
    settings = inputs.cluster.apps.gpu_inference
    readable, writable = names.batch_prefixes(inputs.cluster)
    models = server_sets.repositories(settings) if settings else ()
    for key, prefix, allowed, more in (
        ("input", read, (*readable, *writable, *models), "inputs"),
        ("output", written, writable, "outputs"),
    ):
        if not prefix.startswith(allowed):
            what = f"`{prefix}` is not below {' or '.join(allowed) or 'any prefix'}, and workers reach nothing else"
            yield Finding((key,), what, f"add it to apps.gpu-inference.submit.{more}, render and apply; or --write")


def _groups(at: Path, found: dict[str, NodeGroup], job: InferenceJob) -> Iterator[Finding]:
    with_gpu = {name: group for name, group in found.items() if group.gpu}
    keys: list[Path] = [("node_group",), *[("fallback", index) for index in range(len(job.fallback))]]
    named = list(zip(keys, (job.node_group, *job.fallback), strict=True))
    for key, name in named:
        if name not in with_gpu:
            hint = did_you_mean(name, with_gpu, f"GPU node groups here: {', '.join(with_gpu) or 'none'}")
            yield Finding((*at, *key), f"no GPU node group `{name}`", hint)
    first = with_gpu.get(job.node_group)
    for index, (key, name) in enumerate(named[1:], start=1):
        group = with_gpu.get(name)
        if name in [each for _, each in named[:index]]:
            yield Finding((*at, *key), f"`{name}` is named twice", "once is enough")
        elif first and group and group.gpu != first.gpu:
            what = f"node_groups.{name}.gpu is not that of node_groups.{job.node_group}"
            yield Finding((*at, *key), what, "a Job's pods are all alike: give both groups one mode and as many slices")


def _model(inputs: Inputs, at: Path, job: InferenceJob) -> Iterator[Finding]:
    """A server knows its models by name; elsewhere the worker reads the model itself, from where its role lets it."""
    settings, group = inputs.cluster.apps.gpu_inference, inputs.cluster.node_groups.get(job.node_group)
    if settings is None or group is None or group.gpu is None:
        return
    if group.gpu.mode == "server":
        yield from _served(inputs.cluster, settings, at, job)
        return
    repository = settings.model_repository
    if job.server:
        what = f"no model server runs on node_groups.{job.node_group}, which is of mode {group.gpu.mode}"
        yield Finding((*at, "server"), what, "leave it out: the worker reads the model itself")
    if not (job.model.startswith(repository) and job.model.endswith(".onnx")):
        what = f"`{job.model}` is no ONNX file below apps.gpu-inference.model_repository, `{repository}`"
        yield Finding((*at, "model"), what, f"no server runs there; for example `{repository}resnet50/1/model.onnx`")


def _served(cluster: Cluster, settings: GpuInferenceSettings, at: Path, job: InferenceJob) -> Iterator[Finding]:
    """The set that is asked stands on all the batch's node groups, and has the model."""
    there = server_sets.on(cluster, job.node_group)
    name = server_sets.of_job(cluster, job)
    if name is None and there:
        what = f"{len(there)} sets of models are on node_groups.{job.node_group}, and it says of none that it is asked"
        yield Finding(at, what, f"add `server: {there[0]}`, or another of {', '.join(there)}")
    for each in (job.node_group, *job.fallback):
        here = server_sets.on(cluster, each) if each in cluster.node_groups else []
        if name and here and name not in here:
            hint = did_you_mean(name, here, f"there is {', '.join(here)}")
            yield Finding(
                (*at, "server"), f"no set `{name}` of apps.gpu-inference.servers is on node_groups.{each}", hint
            )
    found = server_sets.sets(settings).get(name or "")
    if found and ("/" in job.model or (found.models and job.model not in found.models)):
        of = f"apps.gpu-inference.servers.{name}.models" if settings.servers else "apps.gpu-inference.models"
        what = f"`{job.model}` is no model of the server on node_groups.{job.node_group}"
        hint = f"{of} has {', '.join(found.models)}" if found.models else "its name there, without a folder"
        yield Finding((*at, "model"), what, did_you_mean(job.model, found.models, hint))


def job_sizes(inputs: Inputs) -> Iterator[Finding]:
    """Batches ask for no more than their node groups have."""
    for name, job in _declared(inputs).items():
        at = ("apps", "gpu-inference", "jobs", name)
        slots = sizing.batch_slots(inputs, job)
        if job.parallelism and job.parallelism > slots:
            where = " and ".join(f"node_groups.{each}" for each in (job.node_group, *job.fallback))
            what = f"{job.parallelism} is more than {where} can hold at once, {slots}"
            yield Finding((*at, "parallelism"), what, "leave it out: it then follows from the groups' max")
        for each in (job.node_group, *job.fallback):
            group = inputs.cluster.node_groups[each]
            share = gpus.share_mib(group, inputs.catalog.instances[group.instance_types[0]])
            if job.gpu_memory_mib and job.gpu_memory_mib > share:
                what = f"{job.gpu_memory_mib} is more than a GPU or slice of node_groups.{each} has, {share}"
                hint = "fewer slices, another instance type, or mode server, whose GPUs are whole"
                yield Finding((*at, "gpu_memory_mib"), what, hint)
