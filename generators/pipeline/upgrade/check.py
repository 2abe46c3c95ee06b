"""Looks at everything of a cluster that depends on its minor, as if it were on the target already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from generators.checks.schemas import SchemaChecker
from generators.checks.upgrade import nodes, objects, values, versions
from generators.checks.upgrade.concern import Concern, required
from generators.errors import Problem, wrong
from generators.model.base import Finding
from generators.model.catalog import Inputs
from generators.model.rules import findings
from generators.model.support import Support, days_left, ordinal
from generators.output.text import texts
from generators.pipeline import rendered
from generators.pipeline.fleet import Fleet
from generators.pipeline.upgrade import as_if, components, hand_written
from generators.pipeline.upgrade.report import Change, Minor, Report
from generators.renderers import render
from generators.renderers.tfvars import render as tfvars
from generators.source import binding, clusters, reader, support
from generators.source.nodes import Node


def next_minor(fleet: Fleet, name: str) -> str:
    """The minor after the cluster's own, or its own where that is the newest known. Raises FleetError."""
    present = fleet.load(name).cluster.kubernetes
    following = f"1.{ordinal(present)[1] + 1}"
    return following if following in fleet.catalog.minors else present


def check(fleet: Fleet, name: str, target: str, today: date) -> Report:
    """All that stands between the cluster and the minor. Raises FleetError where the call or a file is wrong."""
    present = fleet.load(name)
    _refuse(present, target)
    after = replace(present, cluster=present.cluster.model_copy(update={"kubernetes": target}))
    root, facts = fleet.workspace.root, support.load()
    wanted = texts(render(after), name)
    with as_if.rendered(fleet.workspace, name, wanted) as temporary:
        built = rendered.built(temporary, after)
    found = [*rendered.written(name, wanted), *built.objects]
    terraform: Any = tfvars(after)["terraform/cluster.tfvars.json"]
    groups = terraform["node_groups"]
    changes = [
        *_at(_cluster_file(fleet, name), _of_cluster(present, after, today, facts)),
        *_at(_cluster_file(fleet, name), nodes.images(groups, present.cluster.apps.names(), target, facts)),
        *_of_values(root, present, target, facts),
        *_of_objects(root, after, found, facts),
        *(Change("required", "render", _refusal(root, problem, str(temporary))) for problem in built.problems),
    ]
    source = present.cluster.kubernetes
    minors = {each: _minor(present, each, today) for each in (source, target)}
    rows, pairs = components.rows(present, found, target, facts), components.nodes(present, groups)
    return Report(name, source, target, today, minors, changes, rows, pairs, len(found), built.unchecked)


def _refuse(present: Inputs, target: str) -> None:
    known, source = present.catalog.minors, present.cluster.kubernetes
    if target not in known:
        hint = f"one of {', '.join(known)}; a new one needs its row in generators/data/minors.json"
        raise wrong("fleet upgrade", f"Kubernetes {target} is not known here", key="--to", hint=hint)
    if ordinal(target) < ordinal(source):
        what = f"{present.cluster.name} is on {source}, and EKS never goes back to {target}"
        raise wrong("fleet upgrade", what, key="--to", hint="to leave a minor behind, make a new cluster")


def _minor(inputs: Inputs, minor: str, today: date) -> Minor:
    facts = inputs.catalog.minors[minor]
    standard, extended = facts.standard_support_ends, facts.extended_support_ends
    left, left_extended = days_left(standard, today), days_left(extended, today)
    return Minor(facts.on_eks_since, standard, left, extended, left_extended, facts.kernel)


def _cluster_file(fleet: Fleet, name: str) -> Node:
    node = reader.read(fleet.workspace.existing(name) / "cluster.yaml", clusters.shown(name))
    return clusters.complete(node, fleet.defaults)


def _at(node: Node, concerns: Iterable[Concern]) -> Iterator[Change]:
    """Concerns about a file that a person wrote, each at its line."""
    for each in concerns:
        yield _change(each, partial(binding.located, node))


def _change(concern: Concern, placed: Callable[[Finding], Problem]) -> Change:
    return Change(concern.level, concern.check, placed(concern.finding), concern.edit)


def _of_cluster(present: Inputs, after: Inputs, today: date, facts: Support) -> Iterator[Concern]:
    target = after.cluster.kubernetes
    yield from versions.minor(present, target, today)
    yield from versions.addons(present, target, facts)
    yield from versions.dns(present, target)
    for found in findings(after):
        yield required("rule", found.path, found.message, found.hint)


def _of_values(root: Path, present: Inputs, target: str, facts: Support) -> Iterator[Change]:
    """Charts in app.yaml, and hand-written values over them."""
    tag = present.catalog.minors[target].cluster_autoscaler
    for app, found in present.apps().items():
        path = f"apps/{app}/app.yaml"
        if concern := values.chart(found, target, facts):
            yield from _at(reader.read(root / path, path), [concern])
        if app in present.overrides:
            path = f"clusters/{present.cluster.name}/values/{app}.yaml"
            node = reader.read(root / path, path)
            plain: Any = node.plain()
            yield from _at(node, values.override(app, plain, target, tag))


def _of_objects(root: Path, after: Inputs, found: list[rendered.Rendered], facts: Support) -> Iterator[Change]:
    schemas = SchemaChecker(after.cluster.kubernetes)
    for each in found:
        for concern in _of_object(after, each, schemas, facts):
            yield _change(concern, partial(_placed, root, after, each))


def _of_object(after: Inputs, each: rendered.Rendered, schemas: SchemaChecker, facts: Support) -> Iterator[Concern]:
    target = after.cluster.kubernetes
    gone = objects.api(each.document, target)
    if gone:
        yield gone
    if gone is None or gone.level == "recommended":
        for problem in schemas.problems(each.document):
            yield required("schema", problem.path, problem.message, problem.hint)
    for path, image in objects.images(each.document):
        if concern := objects.image(path, image, target, after.catalog.minors[target].coredns, facts):
            yield concern


def _refusal(root: Path, problem: Problem, temporary: str) -> Problem:
    """What kustomize or helm refused, in one line, and at the key that a chart refuses a minor by."""
    lines = [line for line in problem.message.splitlines() if line and "--debug" not in line]
    told = replace(problem, message=" ".join(lines).replace(f"{temporary}/", ""))
    path = f"{problem.place.file}/Chart.yaml"
    if "kubeVersion" not in told.message or not (root / path).is_file():
        return told
    return replace(told, place=reader.read(root / path, path).place_of(("kubeVersion",)), key="kubeVersion")


def _placed(root: Path, after: Inputs, each: rendered.Rendered, finding: Finding) -> Problem:
    """At the line that a person wrote, where one is found; else in what was rendered."""
    problem = rendered.placed(each, finding)
    written = _value(each.document, finding.path)
    if not (each.app and isinstance(written, str)):
        return problem
    metadata: Any = each.document.get("metadata") or {}
    image, tag = objects.split(written) if finding.path[-1] == "image" else ("", "")
    beside = [
        word for word in (each.document.get("kind"), metadata.get("name"), image) if isinstance(word, str) and word
    ]
    app = after.catalog.apps[each.app]
    place = hand_written.find(root, each.app, app, [text for text in (written, tag) if text], beside)
    return replace(problem, place=place) if place else problem


def _value(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        fits = isinstance(document, list) if isinstance(step, int) else isinstance(document, dict) and step in document
        if not fits:
            return None
        document = document[step]
    return document
