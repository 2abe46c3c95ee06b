"""The CloudWatch agent: what it measures, how often, memory for the one that watches all, and GPUs."""

from __future__ import annotations

from generators.model import names
from generators.model.apps import CloudwatchAgentSettings
from generators.model.catalog import Inputs
from generators.model.monitoring import AGENT_APP
from generators.renderers.charts.placement import SYSTEM_SELECTOR, SYSTEM_TOLERATION, Values

EXPORTER_APP = "dcgm-exporter"
"""The app that tells how busy GPUs are."""


def facts(inputs: Inputs) -> Values:
    """Cluster, region, pace, memory by nodes; of GPUs what their groups and dcgm-exporter allow."""
    cluster = inputs.cluster
    settings = cluster.apps.cloudwatch_agent or CloudwatchAgentSettings()
    nodes = sum(group.max for group in cluster.node_groups.values())
    return {
        "clusterName": cluster.name,
        "region": cluster.region,
        "enhanced": settings.enhanced,
        "interval": settings.interval_seconds,
        "resources": {"limits": {"memory": memory(nodes)}},
        "gpu": _gpu(inputs),
    }


def asks_gpus(inputs: Inputs) -> bool:
    """Whether an agent asks dcgm-exporter how busy GPUs are."""
    apps = inputs.apps()
    gpus = any(group.gpu for group in inputs.cluster.node_groups.values())
    return gpus and EXPORTER_APP in apps and AGENT_APP in apps


def _gpu(inputs: Inputs) -> Values:
    if not asks_gpus(inputs):
        return {"requested": any(group.gpu for group in inputs.cluster.node_groups.values())}
    return {
        "requested": True,
        "used": True,
        "exporter": {
            "namespace": inputs.apps()[EXPORTER_APP].namespace,
            "labels": {"app.kubernetes.io/instance": EXPORTER_APP},
        },
        "nodeGroupLabel": names.GROUP_LABEL,
        "nodeSelector": SYSTEM_SELECTOR,
        "tolerations": [SYSTEM_TOLERATION],
    }


def memory(nodes: int) -> str:
    """Any agent may have to keep the cluster's objects: 400 MiB and half a MiB a node, by 100 (our estimate)."""
    return f"{400 + -(-nodes // 200) * 100}Mi"
