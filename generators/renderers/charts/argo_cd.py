"""Argo CD: its page, its place, and memory for what it keeps."""

from __future__ import annotations

from generators.model import names
from generators.model.catalog import Inputs
from generators.renderers.charts.placement import SYSTEM_SELECTOR, SYSTEM_TOLERATION, Values


def facts(inputs: Inputs) -> Values:
    """Domain and NodePort of its pages, system nodes, and memory by nodes."""
    cluster, app = inputs.cluster, inputs.catalog.apps["argo-cd"]
    memory = _memory(sum(group.max for group in cluster.node_groups.values()))
    return {
        "global": {
            **({"domain": names.ui_host(cluster, app.ui)} if app.ui else {}),
            "nodeSelector": SYSTEM_SELECTOR,
            "tolerations": [SYSTEM_TOLERATION],
        },
        "controller": {"resources": {"requests": {"cpu": "250m", "memory": memory}, "limits": {"memory": memory}}},
        "server": {"service": {"type": "NodePort", "nodePortHttp": app.ui.node_port}} if app.ui else {},
    }


def _memory(nodes: int) -> str:
    """It keeps the cluster's objects: 512 MiB and 2 MiB a node, in steps of 256 MiB (our own estimate)."""
    return f"{512 + -(-2 * nodes // 256) * 256}Mi"
