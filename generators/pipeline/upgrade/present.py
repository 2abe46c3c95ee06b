"""What of a cluster does not go with the minor that it is on now. No day has a say in it: it belongs to validation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from generators.errors import Problem
from generators.model.catalog import Inputs
from generators.pipeline.fleet import Fleet
from generators.pipeline.rendered import Rendered
from generators.pipeline.upgrade import changes
from generators.renderers import tfvars
from generators.source import clusters, support


def problems(fleet: Fleet, inputs: Inputs, objects: list[Rendered]) -> Iterator[Problem]:
    """Required changes alone: what is only untested or deprecated is for `fleet upgrade` to tell."""
    minor, root, facts = inputs.cluster.kubernetes, fleet.workspace.root, support.load()
    node = clusters.whole(fleet.workspace, inputs.cluster.name, fleet.defaults)
    pins = changes.at(node, changes.of_pins(inputs, minor, tfvars.node_groups(inputs), facts))
    values = changes.of_values(root, inputs, minor, facts)
    for each in chain(pins, values, changes.of_objects(root, inputs, objects, facts)):
        if each.level == "required":
            yield each.problem
