"""What of a cluster does not go with a Kubernetes minor, each thing at the place where a person wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from generators.checks.upgrade import nodes, objects, values, versions
from generators.checks.upgrade.concern import Concern
from generators.errors import Problem
from generators.model.base import Finding
from generators.model.catalog import Inputs
from generators.model.support import Support
from generators.pipeline.rendered import Rendered
from generators.pipeline.upgrade.places import placed
from generators.pipeline.upgrade.report import Change
from generators.source import binding, reader
from generators.source.nodes import Node


def at(node: Node, concerns: Iterable[Concern]) -> Iterator[Change]:
    """Concerns about a file that a person wrote, each at its line."""
    for each in concerns:
        yield change(each, partial(binding.located, node))


def change(concern: Concern, located: Callable[[Finding], Problem]) -> Change:
    """A concern at its place."""
    return Change(concern.level, concern.check, located(concern.finding), concern.edit)


def of_pins(present: Inputs, target: str, groups: Mapping[str, Any], facts: Support) -> Iterator[Concern]:
    """Add-ons, CoreDNS and images of nodes, by paths of the cluster file; `groups`: node groups of the tfvars."""
    yield from versions.addons(present, target, facts)
    yield from versions.dns(present, target)
    yield from nodes.images(groups, present.cluster.apps.names(), target, facts)


def of_values(root: Path, present: Inputs, target: str, facts: Support) -> Iterator[Change]:
    """Charts in app.yaml, and hand-written values over them."""
    tag = present.catalog.minors[target].cluster_autoscaler
    for app, found in present.apps().items():
        path = f"apps/{app}/app.yaml"
        if concern := values.chart(found, target, facts):
            yield from at(reader.read(root / path, path), [concern])
        if app in present.overrides:
            path = f"clusters/{present.cluster.name}/values/{app}.yaml"
            node = reader.read(root / path, path)
            plain: Any = node.plain()
            yield from at(node, values.override(app, plain, target, tag))


def of_objects(root: Path, after: Inputs, found: Iterable[Rendered], facts: Support) -> Iterator[Change]:
    """API versions and images in what was rendered, for the minor that `after` is on."""
    target = after.cluster.kubernetes
    coredns = after.catalog.minors[target].coredns
    for each in found:
        concerns = [objects.api(each.document, target)]
        concerns += [
            objects.image(path, image, target, coredns, facts) for path, image in objects.images(each.document)
        ]
        for concern in filter(None, concerns):
            yield change(concern, partial(placed, root, after, each))
