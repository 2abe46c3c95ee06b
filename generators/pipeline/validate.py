"""Validates one cluster: its files are up to date, its objects fit schemas and policy, its values exist in charts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, reduce
from ipaddress import IPv4Network
from itertools import zip_longest

from generators.checks import chart_values, held_values, overruled, scope
from generators.checks.identity import role_names
from generators.checks.policy.objects import mapping
from generators.checks.schemas import SchemaChecker
from generators.checks.upgrade import objects as objects_of_minor
from generators.errors import FleetError, Place, Problem, wrong
from generators.model.base import Finding
from generators.model.catalog import Inputs
from generators.model.exceptions import Excuse
from generators.model.identities import identities
from generators.output import disk
from generators.output.plan import Plan, compare
from generators.output.text import texts
from generators.pipeline import identity, policies, rendered, stores, value_files
from generators.pipeline.fleet import Fleet
from generators.pipeline.upgrade import present
from generators.renderers import render, repository
from generators.source import binding, reader
from generators.source.nodes import Node, merge


@dataclass(frozen=True)
class Report:
    """What was checked on one cluster. `unchecked` names what could not be, with the cure."""

    cluster: str
    objects: int = 0
    values: int = 0
    problems: list[Problem] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    vpc_cidr: str = ""
    account: str = ""
    roles: list[tuple[str, str]] = field(default_factory=list)
    """IAM roles that the cluster has in its AWS account, each with its owner."""
    unreadable: bool = False
    """The sources themselves are wrong, so that nothing could be rendered."""
    exceptions: frozenset[Excuse] = frozenset()
    """Exceptions from policy that its apps make."""
    needed: frozenset[Excuse] | None = None
    """Those of them that an object needs; None where not every object could be looked at."""


@cache
def _schemas(kubernetes: str) -> SchemaChecker:
    return SchemaChecker(kubernetes)


def validate_cluster(fleet: Fleet, name: str) -> Report:
    """All checks of one cluster. Never raises: problems are in the report."""
    try:
        inputs = fleet.load(name)
        wanted = texts(render(inputs), name)
        folder = fleet.workspace.existing(name)
        plan = compare(folder / disk.GENERATED, wanted)
        stale = _stale(name, wanted, plan)
        problems = list(stale)
        files = {app: list(_value_nodes(fleet, inputs, app, wanted)) for app in inputs.apps()}
        values = _values(fleet, inputs, files)
        problems += [problem for _, found in values for problem in found]
        wrong_values = {app for app, found in values if found}
        on_disk = rendered.built(fleet.workspace.root, inputs, wrong_values)
        built = rendered.Built() if stale else on_disk
        problems += built.problems
        objects = [*rendered.written(name, wanted), *built.objects]
        for each in objects:
            problems += _object_problems(inputs, each)
        broken, needed = policies.problems(inputs, objects)
        broken_values, needed_values = policies.of_values(inputs, files)
        problems += [*broken, *broken_values]
        problems += identity.problems(
            identity.committed(fleet, inputs, identity.Render(wanted, objects), plan, on_disk)
        )
        problems += stores.problems(inputs, objects)
        problems += present.problems(fleet, inputs, objects)
        whole = not (stale or built.problems or built.unchecked or wrong_values)
        return Report(
            cluster=name,
            objects=len(objects),
            values=len(values),
            problems=problems,
            unchecked=built.unchecked,
            vpc_cidr=str(inputs.cluster.network.vpc_cidr),
            account=inputs.cluster.account,
            roles=list(role_names.taken(inputs.cluster, identities(inputs))),
            exceptions=policies.declared(inputs),
            needed=needed | needed_values if whole else None,
        )
    except FleetError as error:
        return Report(name, problems=error.problems, unreadable=True)
    except OSError as error:
        return Report(name, problems=wrong(str(error.filename or name), error.strerror or str(error)).problems)


def _stale(name: str, wanted: dict[str, str], plan: Plan) -> list[Problem]:
    words = (("is missing", plan.added), ("is not what the sources say", plan.changed), ("is stale", plan.stale))
    return [
        Problem(_first_difference(name, path, wanted, plan), message, hint=f"run `fleet render {name}`")
        for message, paths in words
        for path in paths
    ]


def _first_difference(name: str, path: str, wanted: dict[str, str], plan: Plan) -> Place:
    """The line of a changed file where it parts from the sources; a file that is missing or stale as a whole."""
    file = f"clusters/{name}/{disk.GENERATED}/{path}"
    if path not in plan.changed:
        return Place(file)
    lines = zip_longest(plan.before[path].split("\n"), wanted[path].split("\n"))
    line = next(number for number, (old, new) in enumerate(lines, start=1) if old != new)
    return Place(file, min(line, plan.before[path].count("\n") or 1), 1)


def _object_problems(inputs: Inputs, each: rendered.Rendered) -> list[Problem]:
    minor = inputs.cluster.kubernetes
    schema = [] if objects_of_minor.gone(each.document, minor) else _schemas(minor).problems(each.document)
    findings = [Finding(problem.path, problem.message, problem.hint) for problem in schema]
    if each.app:
        findings += scope.findings(each.app, inputs.catalog.apps[each.app], each.document)
    return [rendered.placed(each, finding) for finding in findings]


def _values(fleet: Fleet, inputs: Inputs, files: dict[str, list[Node]]) -> list[tuple[str, list[Problem]]]:
    """For each values file of a helm app, the app and the file's problems."""
    found = []
    for name, nodes in files.items():
        if finding := chart_values.unindexed(fleet.catalog, fleet.catalog.apps[name]):
            path = f"apps/{name}/app.yaml"
            found.append((name, [binding.located(reader.read(fleet.workspace.root / path, path), finding)]))
        for number, node in enumerate(nodes):
            findings = chart_values.findings(fleet.catalog, name, mapping(node.plain()))
            if chart := fleet.catalog.apps[name].chart:
                findings += held_values.findings(chart.held_values, mapping(node.plain()))
            if number == 0 and fleet.catalog.apps[name].own_chart:
                # What a chart of ours leaves empty, a cluster fills in.
                findings = [each for each in findings if not any(other.find(each.path) for other in nodes[1:])]
            found.append((name, [binding.located(node, finding) for finding in findings]))
        if name in inputs.overrides:
            found[-1][1].extend(_overruled(inputs, nodes))
    return found


def _overruled(inputs: Inputs, nodes: list[Node]) -> list[Problem]:
    """What the last file, a person's own, says of the cluster otherwise than the cluster is."""
    below = reduce(lambda under, over: merge(over, under), nodes[:-1])
    findings = overruled.findings(inputs.cluster, mapping(below.plain()), mapping(nodes[-1].plain()))
    return [binding.located(nodes[-1], finding) for finding in findings]


def _value_nodes(fleet: Fleet, inputs: Inputs, name: str, wanted: dict[str, str]) -> Iterator[Node]:
    """The values files of a helm app, lowest precedence first; of a chart of ours its own before them."""
    if own := fleet.catalog.apps[name].own_chart:
        path = f"{repository.chart(own)}/values.yaml"
        if (fleet.workspace.root / path).is_file():  # a chart can do without
            yield reader.read(fleet.workspace.root / path, path)
    yield from value_files.read(fleet, inputs, name, wanted)


def shared_roles(reports: list[Report]) -> list[tuple[str, Problem]]:
    """Clusters, of those looked at, that would make an IAM role which another one makes in the same account."""
    found = role_names.across([(report.cluster, report.account, report.roles) for report in reports])
    return [
        (cluster, Problem(Place(f"clusters/{cluster}/cluster.yaml"), finding.message, "name", finding.hint))
        for cluster, finding in found
    ]


def overlaps(reports: list[Report]) -> list[tuple[str, Problem]]:
    """Clusters, of those looked at, whose VPCs overlap: they could never be peered, nor reached from one network."""
    blocks = sorted((IPv4Network(report.vpc_cidr), report.cluster) for report in reports if report.vpc_cidr)
    problems = []
    reach, owner = None, ""
    for block, cluster in blocks:
        if reach is not None and reach.overlaps(block):
            place = Place(f"clusters/{cluster}/cluster.yaml")
            hint = f"`fleet set {cluster} network.vpc_cidr …`, or make the cluster anew: `fleet new` takes a free block"
            message = f"`{block}` overlaps `{reach}` of {owner}"
            problems.append((cluster, Problem(place, message, "network.vpc_cidr", hint)))
        else:
            reach, owner = block, cluster
    return problems
