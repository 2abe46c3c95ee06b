"""Where a chart's pods go and how they sign in to AWS, in the words that all charts share."""

from __future__ import annotations

from generators.model import names
from generators.model.catalog import Inputs

Values = dict[str, object]
SYSTEM_SELECTOR = {names.ROLE_LABEL: "system"}
SYSTEM_TOLERATION = {"key": names.SYSTEM_TAINT["key"], "operator": "Exists"}


def spread(instance: str) -> Values:
    """No two pods of a release on one node."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app.kubernetes.io/instance": instance}},
    }


def aws_env(inputs: Inputs) -> list[Values]:
    """Environment for AWS's SDKs: the region's own STS, fewer retries when AWS asks for it, never instance metadata."""
    variables = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "10",
        "AWS_REGION": inputs.cluster.region,
        "AWS_RETRY_MODE": "adaptive",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
    }
    return [{"name": name, "value": value} for name, value in variables.items()]
