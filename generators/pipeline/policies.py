"""Policy over a cluster's rendered objects, and exceptions that no cluster needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING

from generators.checks.policy.facts import facts
from generators.checks.policy.objects import mapping
from generators.checks.policy.review import review, review_values
from generators.errors import Problem
from generators.model.base import Finding
from generators.model.catalog import Inputs
from generators.model.exceptions import Excuse
from generators.pipeline import rendered
from generators.source import binding, reader
from generators.source.nodes import Node, merge
from generators.source.workspace import Workspace

if TYPE_CHECKING:
    from generators.pipeline.validate import Report


def problems(inputs: Inputs, objects: Sequence[rendered.Rendered]) -> tuple[list[Problem], frozenset[Excuse]]:
    """What breaks a rule without a reason; and the exceptions that were needed."""
    found = review(facts(inputs), [(each.app, each.document) for each in objects])
    return [rendered.placed(objects[each.index], each.finding) for each in found.broken], found.needed


def of_values(inputs: Inputs, files: Mapping[str, Sequence[Node]]) -> tuple[list[Problem], frozenset[Excuse]]:
    """The same for the values of third-party charts; `files` are each app's values files, lowest precedence first.

    Objects of our own charts are rendered, so those are looked at instead.
    """
    merged = {name: reduce(lambda under, over: merge(over, under), nodes) for name, nodes in files.items() if nodes}
    charts = [(name, node) for name, node in merged.items() if inputs.catalog.apps[name].chart]
    found = review_values(facts(inputs), [(name, mapping(node.plain())) for name, node in charts])
    return [binding.located(charts[each.index][1], each.finding) for each in found.broken], found.needed


def declared(inputs: Inputs) -> frozenset[Excuse]:
    """Every exception of the cluster's apps."""
    return frozenset(
        (name, rule, pattern)
        for name, app in inputs.apps().items()
        for rule, objects in app.exceptions.items()
        for pattern in objects
    )


def stale(workspace: Workspace, reports: Sequence[Report]) -> list[tuple[str, Problem]]:
    """Exceptions that no object of any cluster needs, each with a cluster that has the app.

    Only where `reports` are of all clusters, and each one's objects were all looked at: an object that was not built
    may need one.
    """
    if any(report.needed is None for report in reports):
        return []
    owners = {excuse: report.cluster for report in reports for excuse in report.exceptions}
    needed = {excuse for report in reports for excuse in report.needed or ()}
    return [(owners[excuse], _stale(workspace, excuse)) for excuse in sorted(owners.keys() - needed)]


def _stale(workspace: Workspace, excuse: Excuse) -> Problem:
    app, rule, pattern = excuse
    file = f"apps/{app}/app.yaml"
    told = "no object needs this exception on any cluster"
    finding = Finding(("exceptions", rule, pattern), told, "take it out: it would hide what comes later")
    return binding.located(reader.read(workspace.root / file, file), finding)
