"""Rules over node groups, each alone and together."""

from __future__ import annotations

from collections.abc import Iterator

from . import names
from .base import Finding, Path, did_you_mean
from .catalog import Inputs, Instance
from .node_groups import Gpu, NodeGroup

DERIVED_LABELS = frozenset(
    {
        names.ROLE_LABEL,
        names.GROUP_LABEL,
        names.GPU_MODE_LABEL,
        names.GPU_PRESENT_LABEL,
        names.ACCELERATOR_LABEL,
        names.MPS_LABEL,
        names.PLUGIN_CONFIG_LABEL,
    }
)


def _shape(inputs: Inputs, name: str, group: NodeGroup) -> Iterator[Finding]:
    first, *others = (inputs.catalog.instances[kind] for kind in group.instance_types)
    for index, other in enumerate(others, start=1):
        if other.shape != first.shape:
            here, there = group.instance_types[index], group.instance_types[0]
            yield Finding(
                ("node_groups", name, "instance_types", index),
                f"`{here}` is not of the shape of `{there}` ({_describe(other.shape)}; {_describe(first.shape)})",
                "cluster-autoscaler plans with the first type only; make a second node group",
            )
    gpu = first.gpus > 0 and first.gpu_manufacturer == "nvidia"
    if gpu and not group.gpu:
        hint = f"add `gpu: {{mode: server}}`, `job` or `shared` to node_groups.{name}"
        yield Finding(
            ("node_groups", name, "instance_types", 0),
            f"`{group.instance_types[0]}` has GPUs and the group no `gpu`",
            hint,
        )
    if group.gpu and group.gpu.mig:
        yield from _mig(("node_groups", name, "gpu"), group.gpu.mig, group.instance_types[0], first)
    if group.gpu and not gpu:
        yield Finding(
            ("node_groups", name, "gpu"),
            f"`{group.instance_types[0]}` has no NVIDIA GPU",
            "for example g4dn.xlarge has one T4",
        )


def _describe(shape: tuple[str, int, int, str, int, int]) -> str:
    arch, vcpu, memory, gpu, count, each = shape
    gpus = f", {count}× {gpu} of {each} MiB" if count else ""
    return f"{vcpu} vCPU, {memory / 1024:g} GiB, {arch}{gpus}"


def _group(name: str, group: NodeGroup) -> Iterator[Finding]:
    at = ("node_groups", name)
    if group.min > group.max:
        yield Finding((*at, "min"), f"{group.min} is more than node_groups.{name}.max, {group.max}")
    if group.gpu and group.role == "system":
        yield Finding(
            (*at, "gpu"),
            "a system node group has no GPUs",
            "kube-system would hold GPU nodes; make a second group",
        )
    if group.gpu:
        yield from _sharing((*at, "gpu"), group.gpu)
    yield from _labels(at, group)


def _sharing(at: Path, gpu: Gpu) -> Iterator[Finding]:
    key = "mig" if gpu.mig else "slices"
    if gpu.mode == "shared" and not (gpu.slices or gpu.mig):
        yield Finding(at, "mode `shared` needs `slices`, or `mig`", "`gpu: {mode: shared, slices: 4}`")
    if gpu.mode == "job" and (gpu.slices or gpu.mig):
        yield Finding((*at, key), "mode `job` is for whole GPUs", "take `mode: shared`, or leave it out")
    if gpu.mig and gpu.slices:
        yield Finding((*at, "slices"), "MIG's instances are not sliced again", "leave `slices` or `mig` out")
    elif gpu.sharing != "time-slicing" and gpu.slices is None:
        hint = "`gpu: {mode: shared, slices: 4, sharing: mps}`, or leave it out"
        yield Finding((*at, "sharing"), "is for slices, and there are none", hint)


def _mig(at: Path, profile: str, name: str, kind: Instance) -> Iterator[Finding]:
    if profile not in kind.mig:
        there = ", ".join(f"{each} (×{facts.instances})" for each, facts in kind.mig.items())
        hint = f"there are {there}" if there else "its GPUs have no MIG that this fleet knows; take `slices`"
        what = f"`{profile}` is no MIG profile of the {kind.gpu_name.upper()} of a `{name}`"
        yield Finding((*at, "mig"), what, hint)


def _labels(at: tuple[str, str], group: NodeGroup) -> Iterator[Finding]:
    for key in sorted(group.labels):
        if key in DERIVED_LABELS:
            yield Finding((*at, "labels", key), "this label follows from the group", "leave it out")
        elif f".{key.partition('/')[0]}".endswith((".kubernetes.io", ".k8s.io", ".eks.amazonaws.com")):
            what = "a kubelet may not set labels of Kubernetes' or EKS's own domains"
            yield Finding((*at, "labels", key), what, "use a domain of yours")


def _mix(inputs: Inputs, name: str, group: NodeGroup) -> Iterator[Finding]:
    at = ("node_groups", name, "mix")
    if group.mix is None:
        return
    if group.capacity != "spot":
        yield Finding(at, f"node_groups.{name}.capacity is on-demand already", "a mix is for `capacity: spot`")
    if group.mix.on_demand_base > group.max:
        yield Finding(
            (*at, "on_demand_base"),
            f"{group.mix.on_demand_base} is more than node_groups.{name}.max, {group.max}",
        )
    for kind in sorted(set(group.mix.weights) - set(group.instance_types)):
        hint = did_you_mean(
            kind,
            group.instance_types,
            f"node_groups.{name}.instance_types has {', '.join(group.instance_types)}",
        )
        yield Finding((*at, "weights", kind), f"`{kind}` is not a type of this group", hint)
    weights = {group.mix.weights.get(kind, 1) for kind in group.instance_types}
    if len(weights) > 1 and "cluster-autoscaler" in inputs.cluster.apps.names():
        yield Finding(
            (*at, "weights"),
            "unequal weights stop apps.cluster-autoscaler from scaling this group up (kubernetes/autoscaler#4851)",
            "give each type the same weight, or take cluster-autoscaler off this cluster",
        )


def groups(inputs: Inputs) -> Iterator[Finding]:
    """Node groups, each alone and together."""
    found = inputs.cluster.node_groups
    for name, group in found.items():
        yield from _group(name, group)
        yield from _mix(inputs, name, group)
        if all(kind in inputs.catalog.instances for kind in group.instance_types):
            yield from _shape(inputs, name, group)
    yield from _gpu_apps(inputs)
    if not any(map(_keeps_on_demand, found.values())):
        yield Finding(
            ("node_groups",),
            "no node group has `role: system`, `min` of 1 or more, and either `capacity: on-demand` or "
            "`mix.on_demand_base` of 1 or more",
            "CoreDNS on spot alone dies with it: `system: {instance_types: [m6i.large], capacity: on-demand, "
            "role: system, min: 2, max: 4}`",
        )


def _keeps_on_demand(group: NodeGroup) -> bool:
    base = group.mix.on_demand_base if group.mix else 0
    return group.role == "system" and group.min >= 1 and (group.capacity == "on-demand" or base >= 1)


def _gpu_apps(inputs: Inputs) -> Iterator[Finding]:
    """What pods on GPU nodes cannot do without, and what a group of model servers cannot."""
    apps = inputs.cluster.apps
    settings = apps.gpu_inference
    batches = settings.jobs.values() if settings else ()
    used = {name for job in batches for name in (job.node_group, *job.fallback)}
    for name, group in inputs.cluster.node_groups.items():
        at = ("node_groups", name)
        if group.gpu and "nvidia-device-plugin" not in apps.names():
            hint = "add `nvidia-device-plugin: {}` to apps: the nodes' image has the driver and not the plugin"
            yield Finding((*at, "gpu"), "no pod will get a GPU without apps.nvidia-device-plugin", hint)
        if settings and group.gpu and group.gpu.mode == "server" and group.min == 0 and name not in used:
            hint = "set `min: 1` or more, or give the group a job: a DaemonSet alone adds no node"
            yield Finding((*at, "min"), "no node will ever start here, and so no model server", hint)
