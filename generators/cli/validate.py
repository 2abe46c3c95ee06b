"""`fleet validate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from generators.cli import console
from generators.cli.options import All, Clusters, OutputOption

if TYPE_CHECKING:
    from generators.pipeline.validate import Report


@console.guarded
def validate(
    clusters: Clusters = None,
    everything: All = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail where something could not be checked (for CI).")
    ] = False,
    output: OutputOption = console.Output.text,
) -> None:
    """Check each cluster's file, its rendered objects against schemas and policy, and its chart values."""
    if everything and clusters:
        raise typer.BadParameter("--all and names exclude each other")
    reports = run(clusters or [])
    _add_shared(reports)
    if not clusters:
        _add_stale_exceptions(reports)
    if output is console.Output.json:
        console.as_json([_row(report) for report in reports])
    finish(reports, strict=strict)


def run(names: list[str]) -> list[Report]:
    """Validates the clusters, with progress."""
    from generators.pipeline import fleet, pool
    from generators.pipeline.validate import validate_cluster
    from generators.source.workspace import locate

    found = fleet.read(locate())
    chosen = found.chosen(names, everything=not names)
    done = pool.each(found, chosen, validate_cluster)
    return list(console.progress(done, len(chosen), "validating"))


def _add_shared(reports: list[Report]) -> None:
    """What only a look at several clusters shows."""
    from generators.pipeline.validate import overlaps, shared_roles

    found = {report.cluster: report for report in reports}
    for cluster, problem in (*overlaps(reports), *shared_roles(reports)):
        found[cluster].problems.append(problem)


def _add_stale_exceptions(reports: list[Report]) -> None:
    from generators.pipeline import policies
    from generators.source.workspace import locate

    found = {report.cluster: report for report in reports}
    for cluster, problem in policies.stale(locate(), reports):
        found[cluster].problems.append(problem)


def _row(report: Report) -> dict[str, object]:
    return {
        "cluster": report.cluster,
        "objects": report.objects,
        "values": report.values,
        "problems": [problem.facts() for problem in report.problems],
        "unchecked": report.unchecked,
    }


def finish(reports: list[Report], *, strict: bool) -> None:
    """Says what was checked and what was not, and exits as the contract says."""
    from generators.errors import FleetError

    # A mistake in what clusters share is one mistake.
    problems = list(dict.fromkeys(problem for report in reports for problem in report.problems))
    unchecked = [line for report in reports for line in report.unchecked]
    for line in unchecked:
        console.warn(line)
    if problems:
        console.problems(FleetError(problems))
        console.say(f"{console.count(len(problems), 'problem')} in {console.count(len(reports), 'cluster')}")
        raise typer.Exit(console.WRONG if any(report.unreadable for report in reports) else console.FOUND)
    objects, values = sum(each.objects for each in reports), sum(each.values for each in reports)
    checked = f"{console.count(objects, 'object')}, {console.count(values, 'values file')}"
    console.say(f"{console.count(len(reports), 'cluster')} valid: {checked}")
    if unchecked and strict:
        console.say("--strict: something could not be checked, and that counts as a failure")
        raise typer.Exit(console.FOUND)
