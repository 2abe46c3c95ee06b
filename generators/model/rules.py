"""Rules over a whole cluster, after each field alone is right. A rule names every key that takes part in it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from itertools import combinations

from . import names, sizing
from .base import Finding
from .catalog import Inputs
from .node_groups import NodeGroup


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """`did you mean …?` for the nearest known word, or `otherwise`."""
    near = difflib.get_close_matches(word, sorted(known), n=1)
    return f"did you mean `{near[0]}`?" if near else otherwise


def reference(inputs: Inputs) -> Iterator[Finding]:
    """Names that must exist: region, Kubernetes minor, instance types, apps, node groups of jobs."""
    cluster, facts = inputs.cluster, inputs.catalog
    if cluster.region not in facts.regions:
        hint = did_you_mean(cluster.region, facts.regions, "see generators/data/regions.json")
        yield Finding(("region",), f"`{cluster.region}` is not a region that this fleet knows", hint)
    if cluster.kubernetes not in facts.minors:
        known = ", ".join(f'"{minor}"' for minor in facts.minors)
        yield Finding(("kubernetes",), f"Kubernetes {cluster.kubernetes} is not supported here", f"one of {known}")
    for name, group in cluster.node_groups.items():
        for index, kind in enumerate(group.instance_types):
            if kind not in facts.instances:
                hint = did_you_mean(kind, facts.instances, "see generators/data/instances.json")
                yield Finding(("node_groups", name, "instance_types", index), f"no instance type `{kind}`", hint)
    for app in cluster.apps.names():
        if app not in facts.apps:
            yield Finding(
                ("apps", app),
                f"no app `{app}` in apps/",
                did_you_mean(app, facts.apps, "see `fleet list apps`"),
            )


def addresses(inputs: Inputs) -> Iterator[Finding]:
    """Address blocks of one cluster must not overlap."""
    network = inputs.cluster.network
    blocks = {("network", "vpc_cidr"): network.vpc_cidr, ("network", "service_cidr"): network.service_cidr}
    blocks |= {("network", "pod_cidrs", index): block for index, block in enumerate(network.pod_cidrs)}  # type: ignore[misc]
    for (one, first), (two, second) in combinations(blocks.items(), 2):
        if first.overlaps(second):
            owner = ".".join(map(str, one))
            yield Finding(two, f"`{second}` overlaps {owner} `{first}`", "addresses can be routed to one place only")
    if len(set(network.zones)) < len(network.zones):
        yield Finding(("network", "zones"), "a zone is named twice", "each zone gets one set of subnets")
    cni = network.cni
    if cni.warm_prefix_target is not None and not cni.prefix_delegation:
        hint = "set network.cni.prefix_delegation: true, or leave the target out"
        yield Finding(
            ("network", "cni", "warm_prefix_target"),
            "has no effect without network.cni.prefix_delegation",
            hint,
        )
    if cni.warm_eni_target is not None and cni.prefix_delegation:
        hint = "use network.cni.warm_prefix_target"
        yield Finding(("network", "cni", "warm_eni_target"), "is not for use with network.cni.prefix_delegation", hint)


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
    if group.gpu and not gpu:
        yield Finding(
            ("node_groups", name, "gpu"),
            f"`{group.instance_types[0]}` has no NVIDIA GPU",
            "for example g4dn.xlarge has one T4",
        )


def _describe(shape: tuple[str, int, int, str, int]) -> str:
    arch, vcpu, memory, gpu, count = shape
    return f"{vcpu} vCPU, {memory / 1024:g} GiB, {arch}" + (f", {count}× {gpu}" if count else "")


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
    if group.gpu and (group.gpu.mode == "shared") != (group.gpu.slices is not None):
        yield Finding(
            (*at, "gpu"),
            "`slices` belongs to mode `shared`, and only to it",
            "`gpu: {mode: shared, slices: 4}`",
        )
    for key in sorted(
        set(group.labels)
        & {
            names.ROLE_LABEL,
            names.GROUP_LABEL,
            names.GPU_MODE_LABEL,
            names.GPU_PRESENT_LABEL,
            names.ACCELERATOR_LABEL,
        }
    ):
        yield Finding((*at, "labels", key), "this label follows from the group", "leave it out")
    for key in sorted(group.labels):
        if key.split("/")[0].endswith(("kubernetes.io", "k8s.io", "eks.amazonaws.com")):
            yield Finding(
                (*at, "labels", key),
                "a kubelet may not set labels of Kubernetes' or EKS's own domains",
                "use a domain of yours",
            )


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
    system = [group for group in found.values() if group.role == "system"]
    if not any(group.capacity == "on-demand" and group.min >= 1 for group in system):
        yield Finding(
            ("node_groups",),
            "no node group has `role: system`, `capacity: on-demand` and `min` of 1 or more",
            "CoreDNS on spot alone dies with it: `system: {instance_types: [m6i.large], capacity: on-demand, "
            "role: system, min: 2, max: 4}`",
        )


def dns(inputs: Inputs) -> Iterator[Finding]:
    """CoreDNS within its ten replicas carries the load, or node-local DNS takes it off."""
    apps = inputs.cluster.apps
    if apps.coredns is None or "node-local-dns" in apps.names():
        return
    if reason := sizing.dns_overload(sizing.dns(inputs)):
        hint = "add `node-local-dns: {}` to apps: most answers then come from the node itself"
        yield Finding(("apps", "coredns"), f"more than {sizing.REPLICAS_MAX} replicas would be needed: {reason}", hint)


def jobs(inputs: Inputs) -> Iterator[Finding]:
    """Batches run on GPU node groups that exist and whose GPUs no model server holds."""
    settings = inputs.cluster.apps.gpu_inference
    found = inputs.cluster.node_groups
    for name, job in (settings.jobs if settings else {}).items():
        at = ("apps", "gpu-inference", "jobs", name)
        group = found.get(job.node_group)
        if group is None or group.gpu is None:
            with_gpu = [other for other, each in found.items() if each.gpu]
            hint = did_you_mean(job.node_group, with_gpu, f"GPU node groups here: {', '.join(with_gpu) or 'none'}")
            yield Finding((*at, "node_group"), f"no GPU node group `{job.node_group}`", hint)
        if job.input == job.output:
            yield Finding(
                (*at, "output"),
                f"is apps.gpu-inference.jobs.{name}.input too",
                "results would be read as movies",
            )


def findings(inputs: Inputs) -> list[Finding]:
    """All rules. Those that need instance data come only after all references hold."""
    first = [*reference(inputs), *addresses(inputs), *groups(inputs), *jobs(inputs)]
    return first or list(dns(inputs))
