"""Rules over packages that some clusters have no use for."""

from __future__ import annotations

from collections.abc import Iterator

from .base import Finding
from .catalog import Inputs


def packages(inputs: Inputs) -> Iterator[Finding]:
    """Whatever runs on nodes has nodes to run on and something to do there."""
    apps = inputs.cluster.apps
    handler = apps.aws_node_termination_handler
    if handler and not handler.scheduled_events:
        what = "every node group here is a managed one, and EKS drains their nodes itself when spot takes them"
        hint = "take it off; or, for EC2's scheduled maintenance, which EKS leaves alone, set `scheduled_events: true`"
        yield Finding(("apps", "aws-node-termination-handler"), what, hint)
    if apps.dcgm_exporter and not any(group.gpu for group in inputs.cluster.node_groups.values()):
        yield Finding(("apps", "dcgm-exporter"), "no node group here has GPUs", "take it off")
