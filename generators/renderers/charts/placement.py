"""Where a chart's pods go and how they sign in to AWS, in the words that all charts share."""

from __future__ import annotations

from collections.abc import Mapping

from generators.model import names
from generators.model.catalog import Inputs

Values = dict[str, object]
SYSTEM_SELECTOR = {names.ROLE_LABEL: "system"}
AWS_ENV = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "10",
    "AWS_RETRY_MODE": "adaptive",
    "AWS_STS_REGIONAL_ENDPOINTS": "regional",
}
"""For AWS's SDKs: the region's own STS, fewer calls when AWS asks for it, and never instance metadata."""
SYSTEM_TOLERATION = {"key": names.SYSTEM_TAINT["key"], "operator": "Exists"}


def spread(instance: str) -> Values:
    """No two pods of a release on one node; those of the version before do not count, nor do cordoned nodes."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app.kubernetes.io/instance": instance}},
        "matchLabelKeys": ["pod-template-hash"],
        "nodeTaintsPolicy": "Honor",
    }


def gpu_tolerations(inputs: Inputs) -> list[Values]:
    """Of every taint that a GPU node group has."""
    groups = [group for group in inputs.cluster.node_groups.values() if group.gpu]
    taints = {taint["key"] for group in groups for taint in names.node_taints(group)}
    return [{"key": key, "operator": "Exists"} for key in sorted(taints)]


def env(variables: Mapping[str, str]) -> list[Values]:
    """Variables as Kubernetes lists them."""
    return [{"name": name, "value": value} for name, value in sorted(variables.items())]
