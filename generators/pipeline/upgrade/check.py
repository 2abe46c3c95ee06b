"""Looks at everything of a cluster that depends on its minor, as if it were on the target already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial

from generators.checks.schemas import SchemaChecker
from generators.checks.upgrade import objects, versions
from generators.checks.upgrade.concern import Concern, required
from generators.errors import wrong
from generators.model.catalog import Inputs
from generators.model.rules import findings
from generators.model.support import days_left, ordinal
from generators.output.text import texts
from generators.pipeline import rendered
from generators.pipeline.fleet import Fleet
from generators.pipeline.upgrade import as_if, changes, components
from generators.pipeline.upgrade.places import refusal
from generators.pipeline.upgrade.report import Change, Minor, Report
from generators.renderers import render, tfvars
from generators.source import clusters, support


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
    wanted, groups = texts(render(after), name), tfvars.node_groups(after)
    concerns = [*_of_minor(present, after, today), *changes.of_pins(present, target, groups, facts)]
    found = [*changes.at(clusters.whole(fleet.workspace, name, fleet.defaults), concerns)]
    found += changes.of_values(root, present, target, facts)
    with as_if.rendered(fleet.workspace, name, wanted) as temporary:
        built = rendered.built(temporary, after)
        every = [*rendered.written(name, wanted), *built.objects]
        found += changes.of_objects(root, after, every, facts)
        found += _of_schemas(target, every)
        found += [Change("required", "render", refusal(root, each, str(temporary))) for each in built.problems]
    return Report(
        cluster=name,
        source=present.cluster.kubernetes,
        target=target,
        today=today,
        minors={minor: _minor(present, minor, today) for minor in (present.cluster.kubernetes, target)},
        changes=found,
        components=components.rows(present, every, target, facts),
        nodes=components.nodes(present, groups),
        objects=len(every),
        unchecked=built.unchecked,
    )


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


def _of_minor(present: Inputs, after: Inputs, today: date) -> Iterator[Concern]:
    """The step itself, and the rules that the cluster file would break on the target."""
    yield from versions.minor(present, after.cluster.kubernetes, today)
    for found in findings(after):
        yield required("rule", found.path, found.message, found.hint)


def _of_schemas(target: str, every: Iterable[rendered.Rendered]) -> Iterator[Change]:
    """Objects that the target's API would not take. Of what it does not have at all, `objects.api` tells more."""
    schemas = SchemaChecker(target)
    for each in every:
        for problem in () if objects.gone(each.document, target) else schemas.problems(each.document):
            concern = required("schema", problem.path, problem.message, problem.hint)
            yield changes.change(concern, partial(rendered.placed, each))
