"""This cluster's facts in each chart's language: one module a chart that needs any, each with `facts`."""

from __future__ import annotations

from collections.abc import Callable

from generators.model.catalog import Inputs
from generators.renderers.charts import (
    argo_cd,
    aws_ebs_csi_driver,
    aws_node_termination_handler,
    cloudwatch_agent,
    cluster_autoscaler,
    dcgm_exporter,
    external_secrets,
    fluent_bit,
    metrics_server,
    node_local_dns,
    nvidia_device_plugin,
)
from generators.renderers.charts.placement import Values

CHARTS: dict[str, Callable[[Inputs], Values]] = {
    "argo-cd": argo_cd.facts,
    "aws-ebs-csi-driver": aws_ebs_csi_driver.facts,
    "aws-node-termination-handler": aws_node_termination_handler.facts,
    "cloudwatch-agent": cloudwatch_agent.facts,
    "cluster-autoscaler": cluster_autoscaler.facts,
    "dcgm-exporter": dcgm_exporter.facts,
    "external-secrets": external_secrets.facts,
    "fluent-bit": fluent_bit.facts,
    "metrics-server": metrics_server.facts,
    "node-local-dns": node_local_dns.facts,
    "nvidia-device-plugin": nvidia_device_plugin.facts,
}
"""App → the values that follow from the cluster."""
