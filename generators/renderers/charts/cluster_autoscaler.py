"""cluster-autoscaler: which groups grow first, at what pace, and memory for the fleet."""

from __future__ import annotations

from generators.model import names
from generators.model.apps import ClusterAutoscalerSettings
from generators.model.catalog import Inputs
from generators.model.managed_groups import ManagedGroup, managed_groups
from generators.renderers.charts.placement import AWS_ENV, SYSTEM_SELECTOR, SYSTEM_TOLERATION, Values, spread

SPOT_PRIORITY, ON_DEMAND_PRIORITY = 50, 10
"""cluster-autoscaler's priority expander takes the highest that can scale up."""


def facts(inputs: Inputs) -> Values:
    """Region, cluster, image of the minor, priorities of groups, system nodes."""
    cluster = inputs.cluster
    settings = cluster.apps.cluster_autoscaler or ClusterAutoscalerSettings()
    nodes = sum(group.max for group in cluster.node_groups.values())
    return {
        "fullnameOverride": "cluster-autoscaler",
        "awsRegion": cluster.region,
        "autoDiscovery": {"clusterName": cluster.name},
        "image": {"tag": inputs.catalog.minors[cluster.kubernetes].cluster_autoscaler},
        "extraEnv": AWS_ENV,
        "extraArgs": {"scale-down-unneeded-time": settings.scale_down_unneeded},
        "expanderPriorities": _priorities(managed_groups(cluster)),
        "nodeSelector": SYSTEM_SELECTOR,
        "tolerations": [SYSTEM_TOLERATION],
        "topologySpreadConstraints": [spread("cluster-autoscaler")],
        "resources": _resources(nodes),
    }


def _priorities(groups: list[ManagedGroup]) -> dict[str, list[str]]:
    """Spot first; on-demand when no spot group can grow."""
    found: dict[str, list[str]] = {}
    for each in groups:
        priority = SPOT_PRIORITY if each.group.capacity == "spot" else ON_DEMAND_PRIORITY
        found.setdefault(str(priority), []).append(names.asg_pattern(each.key))
    return dict(sorted(found.items()))


def _resources(nodes: int) -> Values:
    """Memory grows with nodes and their pods: 300 MiB and 1 MiB a node, in steps of 100 MiB (our own estimate)."""
    memory = f"{300 + -(-nodes // 100) * 100}Mi"
    return {"requests": {"cpu": "100m", "memory": memory}, "limits": {"memory": memory}}
