"""metrics-server: system nodes, and as much as the fleet's nodes need."""

from __future__ import annotations

from generators.model import sizing
from generators.model.catalog import Inputs
from generators.renderers.charts.placement import SYSTEM_SELECTOR, SYSTEM_TOLERATION, Values, spread


def facts(inputs: Inputs) -> Values:
    """CPU and memory by nodes, and no two replicas on one system node."""
    cpu, memory = sizing.metrics_server(inputs)
    return {
        "nodeSelector": SYSTEM_SELECTOR,
        "tolerations": [SYSTEM_TOLERATION],
        "topologySpreadConstraints": [spread("metrics-server")],
        "resources": {
            "requests": {"cpu": f"{cpu}m", "memory": f"{memory}Mi"},
            "limits": {"memory": f"{2 * memory}Mi"},
        },
    }
