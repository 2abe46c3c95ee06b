"""This cluster's facts in each chart's language: one module a chart that needs any, each with `facts`."""

from __future__ import annotations

from collections.abc import Callable

from generators.model.catalog import Inputs
from generators.renderers.charts import (
    argo_cd,
    cloudwatch_agent,
    cluster_autoscaler,
    external_secrets,
    fluent_bit,
    node_local_dns,
    nvidia_device_plugin,
)
from generators.renderers.charts.placement import Values

CHARTS: dict[str, Callable[[Inputs], Values]] = {
    "argo-cd": argo_cd.facts,
    "cloudwatch-agent": cloudwatch_agent.facts,
    "cluster-autoscaler": cluster_autoscaler.facts,
    "external-secrets": external_secrets.facts,
    "fluent-bit": fluent_bit.facts,
    "node-local-dns": node_local_dns.facts,
    "nvidia-device-plugin": nvidia_device_plugin.facts,
}
"""App → the values that follow from the cluster."""
