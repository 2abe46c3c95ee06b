"""What the rules know of a cluster: its nodes as the scheduler sees them, its namespaces, its registries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from generators.model import names
from generators.model.catalog import App, Inputs
from generators.model.managed_groups import managed_groups
from generators.model.node_groups import NodeGroup

ANY: frozenset[str] = frozenset()
"""Values of a label that is there, with values that git does not know."""
UNKNOWN_VALUES = (
    "eks.amazonaws.com/nodegroup-image",
    "eks.amazonaws.com/sourceLaunchTemplateId",
    "eks.amazonaws.com/sourceLaunchTemplateVersion",
    "k8s.io/cloud-provider-aws",
    "kubernetes.io/hostname",
    "topology.k8s.aws/zone-id",
)
"""Labels that EKS or its cloud provider put on every node (kubernetes.io, labels-annotations-taints; EKS guide)."""
PIPELINES = "kubeflow-pipelines"
"""The app whose namespace keeps nothing on volumes."""


@dataclass(frozen=True)
class Nodes:
    """The nodes of one node group: values that each label may have, and taints (key, value, effect)."""

    name: str
    labels: Mapping[str, frozenset[str]]
    taints: tuple[tuple[str, str, str], ...] = ()
    system: bool = False


@dataclass(frozen=True)
class Facts:
    """One cluster's facts. `levels` is the Pod Security level of each namespace that declares one."""

    minor: tuple[int, int]
    nodes: tuple[Nodes, ...]
    levels: Mapping[str, str]
    own_registry: str
    registries: tuple[str, ...]
    """Allowed registries, or repositories in them: an image's name is one of these or lies below."""
    pipelines_namespaces: frozenset[str] = frozenset()
    apps: Mapping[str, App] = field(default_factory=dict)


def facts(inputs: Inputs) -> Facts:
    """The facts of one cluster."""
    cluster, catalog, apps = inputs.cluster, inputs.catalog, inputs.apps()
    major, minor = cluster.kubernetes.split(".")
    eks = f"{catalog.regions[cluster.region].eks_registry}.dkr.ecr.{cluster.region}.amazonaws.com"
    own = names.registry(cluster)
    return Facts(
        minor=(int(major), int(minor)),
        nodes=tuple(_nodes(inputs, name, group) for name, group in cluster.node_groups.items()),
        levels={app.namespace: app.pod_security for app in apps.values() if app.pod_security},
        own_registry=own,
        registries=(own, eks, *catalog.registries),
        pipelines_namespaces=frozenset(app.namespace for name, app in apps.items() if name == PIPELINES),
        apps=apps,
    )


def _nodes(inputs: Inputs, name: str, group: NodeGroup) -> Nodes:
    return Nodes(
        name=name,
        labels=_labels(inputs, name, group),
        taints=tuple((taint["key"], taint["value"], taint["effect"]) for taint in names.node_taints(group)),
        system=group.role == "system",
    )


def _labels(inputs: Inputs, name: str, group: NodeGroup) -> dict[str, frozenset[str]]:
    """What we give a node, what EKS does, and what the kubelet and the cloud provider say of it."""
    cluster, instances = inputs.cluster, inputs.catalog.instances
    own = names.node_labels(name, group, instances[group.instance_types[0]])
    zones = frozenset(names.zones(cluster, group.zones or ()))
    arch = frozenset(instances[kind].arch for kind in group.instance_types)
    kinds, region, linux = frozenset(group.instance_types), frozenset([cluster.region]), frozenset(["linux"])
    managed = frozenset(each.name for each in managed_groups(cluster) if each.declared == name)
    return {
        **dict.fromkeys(UNKNOWN_VALUES, ANY),
        "eks.amazonaws.com/capacityType": frozenset([group.capacity.upper().replace("-", "_")]),
        "eks.amazonaws.com/nodegroup": managed,
        "kubernetes.io/arch": arch,
        "beta.kubernetes.io/arch": arch,
        "kubernetes.io/os": linux,
        "beta.kubernetes.io/os": linux,
        "node.kubernetes.io/instance-type": kinds,
        "beta.kubernetes.io/instance-type": kinds,
        "topology.kubernetes.io/region": region,
        "failure-domain.beta.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zones,
        "failure-domain.beta.kubernetes.io/zone": zones,
        **{key: frozenset([value]) for key, value in own.items()},
    }
