"""external-secrets: system nodes, and how it signs in to AWS."""

from __future__ import annotations

from generators.model.catalog import Inputs
from generators.renderers.charts.placement import AWS_ENV, SYSTEM_SELECTOR, SYSTEM_TOLERATION, Values, env, spread


def facts(inputs: Inputs) -> Values:
    """Region, system nodes, and no two replicas on one."""
    return {
        "nodeSelector": SYSTEM_SELECTOR,
        "tolerations": [SYSTEM_TOLERATION],
        "topologySpreadConstraints": [spread("external-secrets")],
        "extraEnv": env({**AWS_ENV, "AWS_REGION": inputs.cluster.region}),
    }
