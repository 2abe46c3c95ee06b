"""Fluent Bit: which logs go where, and what bounds their cost."""

from __future__ import annotations

from generators.model.apps import FluentBitSettings
from generators.model.catalog import Inputs
from generators.model.monitoring import WORKER_APP
from generators.renderers.charts.placement import Values


def facts(inputs: Inputs) -> Values:
    """Cluster, region, kinds of logs, and what of pods' logs is left out."""
    cluster = inputs.cluster
    settings = cluster.apps.fluent_bit or FluentBitSettings()
    application: Values = {
        "enabled": "application" in settings.logs,
        "excludedNamespaces": sorted(settings.excluded_namespaces),
        "sampledNamespaces": dict(sorted(settings.sampled_namespaces.items())),
        "dropPatterns": list(settings.drop_patterns),
        "linesPerSecond": settings.lines_per_second or 0,
    }
    return {
        "clusterName": cluster.name,
        "region": cluster.region,
        "application": application,
        "metrics": {"namespaces": metric_namespaces(inputs)},
        "dataplane": {"enabled": "dataplane" in settings.logs},
        "host": {"enabled": "host" in settings.logs, "priority": settings.host_priority},
    }


def metric_namespaces(inputs: Inputs) -> list[str]:
    """Namespaces whose metrics reach CloudWatch: of apps that write some among their lines, where lines are read."""
    settings, workers = inputs.cluster.apps.fluent_bit, inputs.apps().get(WORKER_APP)
    if settings is None or workers is None or "application" not in settings.logs:
        return []
    return [] if workers.namespace in settings.excluded_namespaces else [workers.namespace]
