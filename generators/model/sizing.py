"""How big things must be for the nodes that a cluster file plans."""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import gpus
from .apps import CorednsSettings, InferenceJob
from .catalog import Inputs
from .node_groups import NodeGroup

REPLICAS_MIN, REPLICAS_MAX = 5, 10
NODES_PER_REPLICA, CORES_PER_REPLICA = 16, 256
"""EKS's CoreDNS autoscaler: max(nodes/16, cores/256) (AWS documentation, coredns-autoscaling)."""
QUERIES_PER_CORE = 17_000
"""Server queries per second of one busy core (coredns/deployment, Scaling_CoreDNS.md: 33.7k on 2 vCPU)."""
PACKETS_PER_ENI = 1024
"""Packets per second from one network interface to the VPC resolver (AWS best practices, networking)."""
MEMORY_BASE_MIB, OBJECTS_PER_MIB = 54, 1000
"""CoreDNS without autopath: (pods + services)/1000 + 54 MB (coredns/deployment, Scaling_CoreDNS.md)."""
MEMORY_LIMIT_MIN_MIB = 170
"""EKS's own limit; never below it."""
CPU_REQUEST_MIN_MILLI = 100
SHARDS_PER_SLOT, SHARDS_MAX, PARALLELISM_MAX = 10, 100_000, 5_000
"""Of an indexed Job, our own: with more than 100,000 completions Kubernetes bounds parallelism and failed indexes."""
PODS_SMALL, PODS_LARGE, SMALL_VCPU = 110, 250, 30
"""Managed node groups cap max-pods: 110 up to 30 vCPU, 250 above (EKS user guide, choosing an instance type)."""


@dataclass(frozen=True)
class Nodes:
    """The most that the node groups can hold: nodes, cores (vCPU) and pods."""

    nodes: int
    cores: int
    pods: int


@dataclass(frozen=True)
class Dns:
    """CoreDNS: replicas, memory in MiB, CPU in millicores, and the peak load that it is planned for."""

    replicas: int
    memory_request_mib: int
    memory_limit_mib: int
    cpu_request_milli: int
    queries: int
    forwarded: int
    interfaces: int
    """System nodes whose interfaces share the forwarded packets."""


def max_pods(inputs: Inputs, group: NodeGroup) -> int:
    """Pods that a node of the group can hold: the smallest of its types, and no more than EKS lets it."""
    prefix = inputs.cluster.network.cni.prefix_delegation
    types = [inputs.catalog.instances[name] for name in group.instance_types]
    return min(
        min(kind.max_pods_prefix if prefix else kind.max_pods, PODS_SMALL if kind.vcpu <= SMALL_VCPU else PODS_LARGE)
        for kind in types
    )


def planned(inputs: Inputs) -> Nodes:
    """Totals over the node groups at their max."""
    groups = inputs.cluster.node_groups.values()
    return Nodes(
        nodes=sum(group.max for group in groups),
        cores=sum(group.max * inputs.catalog.instances[group.instance_types[0]].vcpu for group in groups),
        pods=sum(group.max * max_pods(inputs, group) for group in groups),
    )


def system_nodes(inputs: Inputs) -> int:
    """System nodes that are always there: no node is added because replicas share one."""
    return sum(group.min for group in inputs.cluster.node_groups.values() if group.role == "system")


def _up(value: float, step: int) -> int:
    return math.ceil(value / step) * step


def dns(inputs: Inputs) -> Dns:
    """CoreDNS for the planned nodes, by the published formulas."""
    settings = inputs.cluster.apps.coredns or CorednsSettings()
    total = planned(inputs)
    wanted = max(math.ceil(total.nodes / NODES_PER_REPLICA), math.ceil(total.cores / CORES_PER_REPLICA))
    replicas = settings.replicas or min(max(wanted, REPLICAS_MIN), REPLICAS_MAX)
    queries = total.nodes * settings.queries_per_node
    request = _up(MEMORY_BASE_MIB + total.pods / OBJECTS_PER_MIB, 10)
    return Dns(
        replicas=replicas,
        memory_request_mib=request,
        memory_limit_mib=max(MEMORY_LIMIT_MIN_MIB, _up(request * 1.5, 10)),
        cpu_request_milli=max(CPU_REQUEST_MIN_MILLI, _up(queries / replicas / QUERIES_PER_CORE * 1000, 50)),
        queries=queries,
        forwarded=math.ceil(queries * settings.external_percentage / 100),
        interfaces=min(replicas, system_nodes(inputs)),
    )


def dns_pods_min(inputs: Inputs) -> int:
    """CoreDNS pods that answer while a node is drained: all but one. Of EKS's own two, where the app is off, one."""
    return dns(inputs).replicas - 1 if inputs.cluster.apps.coredns else 1


def dns_overload(found: Dns) -> str:
    """Why ten replicas would not carry the load, or an empty text."""
    if found.queries > found.replicas * QUERIES_PER_CORE:
        carried = found.replicas * QUERIES_PER_CORE
        return f"{found.queries} queries/s are planned and {found.replicas} replicas carry {carried}"
    if found.forwarded > found.interfaces * PACKETS_PER_ENI:
        carried = found.interfaces * PACKETS_PER_ENI
        return (
            f"{found.forwarded} packets/s to the VPC resolver are planned and the interfaces of "
            f"{found.interfaces} system nodes carry {carried}"
        )
    return ""


def job_slots(inputs: Inputs, group: NodeGroup) -> int:
    """Shards that a GPU node group can hold at once: one a GPU or slice; beside a model server, one a node."""
    if group.gpu is None or group.gpu.mode == "server":
        return group.max
    return group.max * gpus.offered(group, inputs.catalog.instances[group.instance_types[0]])


def job_groups(inputs: Inputs, job: InferenceJob) -> list[NodeGroup]:
    """Node groups that may run a batch, its own first."""
    return [inputs.cluster.node_groups[name] for name in (job.node_group, *job.fallback)]


def batch_slots(inputs: Inputs, job: InferenceJob) -> int:
    """Shards of a batch that all its node groups can hold at once; no more than Kubernetes counts well."""
    return min(sum(job_slots(inputs, group) for group in job_groups(inputs, job)), PARALLELISM_MAX)


def shards(inputs: Inputs, job: InferenceJob) -> int:
    """As written, or so many that a spot node takes little with it and the last ones do not wait for one."""
    return job.shards or min(SHARDS_PER_SLOT * batch_slots(inputs, job), SHARDS_MAX)


def parallelism(inputs: Inputs, job: InferenceJob) -> int:
    """Shards at a time: as written, or as many as there are and the node groups can hold."""
    return min(job.parallelism or batch_slots(inputs, job), shards(inputs, job))


def metrics_server(inputs: Inputs) -> tuple[int, int]:
    """CPU in millicores and memory in MiB that metrics-server requests: for 100 nodes at least.

    One millicore and 2 MiB a node (metrics-server README, Scaling).
    """
    nodes = max(planned(inputs).nodes, 100)
    return _up(nodes, 50), _up(2 * nodes, 50)


def ebs_controller_mib(inputs: Inputs) -> int:
    """Memory in MiB that each container of the EBS CSI controller requests: its caches hold every node, twice.

    64 MiB and a quarter of one a node, our own estimate from the size of Node and CSINode objects.
    """
    return _up(64 + planned(inputs).nodes / 4, 16)
