"""Rules over a whole cluster, after each field alone is right. A rule names every key that takes part in it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from . import sizing, subnets
from .access_rules import access
from .base import Finding, Path, did_you_mean, dotted
from .catalog import Inputs
from .gpu_room import shares
from .job_rules import job_sizes, jobs
from .network import RFC_1918, SHARED
from .node_group_rules import groups
from .package_rules import packages
from .pipelines import pipelines
from .placement_rules import placement
from .secrets import secrets
from .server_rules import server_sizes, servers
from .warm_models import warm_models


def reference(inputs: Inputs) -> Iterator[Finding]:
    """Names that must exist: region, Kubernetes minor, instance types, apps, node groups of jobs."""
    cluster, facts = inputs.cluster, inputs.catalog
    if cluster.region not in facts.regions:
        hint = did_you_mean(cluster.region, facts.regions, "see generators/data/regions.json")
        yield Finding(("region",), f"`{cluster.region}` is not a region that this fleet knows", hint)
    elif len(cluster.network.zones) > len(facts.regions[cluster.region].zones):
        known = ", ".join(facts.regions[cluster.region].zones)
        what = f"{cluster.region} has fewer zones than network.zones names"
        yield Finding(("network", "zones"), what, f"new accounts see {known} there")
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
    blocks: dict[Path, IPv4Network] = {
        ("network", "vpc_cidr"): network.vpc_cidr,
        ("network", "service_cidr"): network.service_cidr,
        **{("network", "pod_cidrs", index): block for index, block in enumerate(network.pod_cidrs)},
    }
    for (one, first), (two, second) in combinations(blocks.items(), 2):
        if first.overlaps(second):
            yield Finding(
                two, f"`{second}` overlaps {dotted(one)} `{first}`", "addresses can be routed to one place only"
            )
    yield from _secondary(inputs)
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


def _secondary(inputs: Inputs) -> Iterator[Finding]:
    """AWS refuses to mix private ranges in one VPC; 100.64.0.0/10 goes with each of them."""
    network = inputs.cluster.network
    own = next((each for each in RFC_1918 if network.vpc_cidr.subnet_of(each)), None)
    for index, block in enumerate(network.pod_cidrs):
        if not block.subnet_of(SHARED) and (own is None or not block.subnet_of(own)):
            what = f"AWS does not add `{block}` to a VPC of network.vpc_cidr `{network.vpc_cidr}`"
            yield Finding(
                ("network", "pod_cidrs", index), what, f"take it from {SHARED}" + (f" or {own}" if own else "")
            )


def capacity(inputs: Inputs) -> Iterator[Finding]:
    """Every pod of every planned node gets an address."""
    network, total = inputs.cluster.network, sizing.planned(inputs)
    nodes, pods = subnets.addresses(inputs.cluster)
    if total.nodes + (0 if network.pod_cidrs else total.pods) > nodes:
        what = f"{total.nodes} nodes" + ("" if network.pod_cidrs else f" and their {total.pods} pods")
        hint = "give pods blocks of their own in network.pod_cidrs, or take a larger network.vpc_cidr"
        yield Finding(("network", "vpc_cidr"), f"has {nodes} addresses in private subnets for {what}", hint)
    if network.pod_cidrs and total.pods > pods:
        hint = "add a block: 100.64.0.0/10 has room for 64 of them"
        yield Finding(("network", "pod_cidrs"), f"have {pods} addresses in these zones for {total.pods} pods", hint)


def dns(inputs: Inputs) -> Iterator[Finding]:
    """CoreDNS within its ten replicas carries the load, or node-local DNS takes it off."""
    apps = inputs.cluster.apps
    if apps.coredns is None or "node-local-dns" in apps.names():
        return
    if reason := sizing.dns_overload(sizing.dns(inputs)):
        hint = "add `node-local-dns: {}` to apps: most answers then come from the node itself"
        yield Finding(("apps", "coredns"), f"more than {sizing.REPLICAS_MAX} replicas would be needed: {reason}", hint)


def logs(inputs: Inputs) -> Iterator[Finding]:
    """A namespace whose logs are left out has none to take a sample of."""
    settings = inputs.cluster.apps.fluent_bit
    for name in sorted(settings.sampled_namespaces) if settings else ():
        namespace = name.partition("/")[0]
        if settings is None or namespace not in settings.excluded_namespaces:
            continue
        what = f"`{namespace}` is in apps.fluent-bit.excluded_namespaces too"
        yield Finding(("apps", "fluent-bit", "sampled_namespaces", name), what, "leave it out of one of them")


def delivery(inputs: Inputs) -> Iterator[Finding]:
    """Nothing reaches a cluster without Argo CD."""
    if inputs.cluster.apps.argo_cd is None:
        what = "argo-cd is not among them, and nothing else would sync the others"
        yield Finding(("apps",), what, "add `argo-cd: {}`")


def data(inputs: Inputs) -> Iterator[Finding]:
    """Data goes only when that was said twice."""
    storage = inputs.cluster.storage
    if storage.discard_data and not storage.deletable:
        what = "data is lost only when told twice"
        yield Finding(("storage", "discard_data"), what, "set storage.deletable too, or leave both out")


def findings(inputs: Inputs) -> list[Finding]:
    """All rules. Those that need instance data come only after all references hold."""
    first = [
        *reference(inputs),
        *addresses(inputs),
        *access(inputs),
        *delivery(inputs),
        *logs(inputs),
        *groups(inputs),
        *placement(inputs),
        *servers(inputs),
        *jobs(inputs),
        *warm_models(inputs),
        *data(inputs),
        *pipelines(inputs),
        *packages(inputs),
        *secrets(inputs),
    ]
    return first or [*capacity(inputs), *dns(inputs), *shares(inputs), *server_sizes(inputs), *job_sizes(inputs)]
