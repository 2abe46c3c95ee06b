"""The versions of a cluster's components, each with what is known of it on the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.upgrade import objects, values
from generators.checks.upgrade.nodes import PLUGIN
from generators.model.catalog import Inputs
from generators.model.support import Support, verdict
from generators.pipeline.rendered import Rendered
from generators.pipeline.upgrade.report import Nodes, Row


def rows(present: Inputs, found: list[Rendered], target: str, facts: Support) -> list[Row]:
    """Charts, pinned add-ons and programs known by their image, by name."""
    every = {*_charts(present, target, facts), *_addons(present, target, facts), *_programs(found, target, facts)}
    return sorted(every, key=lambda row: (row.component, row.version))


def _charts(present: Inputs, target: str, facts: Support) -> Iterator[Row]:
    for app in present.apps().values():
        told = values.chart_verdict(app, target, facts)
        if app.chart and told:
            yield Row(app.chart.name, app.chart.version, told)


def _addons(present: Inputs, target: str, facts: Support) -> Iterator[Row]:
    for name, version in present.cluster.addon_versions.items():
        if name in facts.components:
            yield Row(name, version, verdict(name, facts.components[name], version, target))


def _programs(found: list[Rendered], target: str, facts: Support) -> Iterator[Row]:
    known = objects.known_images(facts)
    for each in found:
        for _, image in objects.images(each.document):
            name, tag = objects.split(image)
            if name in known and tag:
                component, about = known[name]
                yield Row(component, tag, verdict(component, about, tag, target))


def nodes(present: Inputs, groups: Mapping[str, Mapping[str, Any]]) -> list[Nodes]:
    """Each managed node group (`node_groups` of cluster.tfvars.json) with its image and device plugin."""
    plugin = present.apps().get(PLUGIN)
    version = plugin.chart.version if plugin and plugin.chart else ""
    return [
        Nodes(name, str(group["ami_type"]), version if "NVIDIA" in str(group["ami_type"]) else "")
        for name, group in groups.items()
    ]
