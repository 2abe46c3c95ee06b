"""The node termination handler: what of EC2's events is left for it beside managed node groups."""

from __future__ import annotations

from generators.model.apps import NodeTerminationHandlerSettings
from generators.model.catalog import Inputs
from generators.renderers.charts.placement import Values


def facts(inputs: Inputs) -> Values:
    """Region, and EC2's scheduled events where they were asked for."""
    settings = inputs.cluster.apps.aws_node_termination_handler or NodeTerminationHandlerSettings()
    return {"awsRegion": inputs.cluster.region, "enableScheduledEventDraining": settings.scheduled_events}
