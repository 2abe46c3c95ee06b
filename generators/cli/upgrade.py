"""`fleet upgrade`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from generators.cli import console
from generators.cli.options import Cluster, OutputOption, TodayOption, day

if TYPE_CHECKING:
    from datetime import date

    from generators.pipeline.fleet import Fleet
    from generators.pipeline.upgrade.report import Change, Minor, Report


@console.guarded
def upgrade(
    cluster: Cluster,
    to: Annotated[
        str, typer.Option("--to", metavar="MINOR", help="Kubernetes minor, as in 1.36; left out, the next one.")
    ] = "",
    write: Annotated[
        bool, typer.Option("--write", help="Make the changes that stand in cluster.yaml, and render.")
    ] = False,
    today: TodayOption = "",
    output: OutputOption = console.Output.text,
) -> None:
    """Check from git what another Kubernetes minor asks of a cluster; exits 1 where a person must change something."""
    report = _run(cluster, to, day(today), write=write)
    if output is console.Output.json:
        console.as_json(report.facts())
    else:
        _show(report)
    _finish(report, write=write)


def _run(cluster: str, to: str, today: date, *, write: bool) -> Report:
    from generators.output.disk import locked
    from generators.pipeline import fleet
    from generators.pipeline.upgrade.check import check, next_minor
    from generators.source.workspace import locate

    workspace = locate()
    found = fleet.read(workspace)
    target = to or next_minor(found, cluster)
    if not write:
        return check(found, cluster, target, today)
    with locked(workspace.clusters, "clusters", console.waiting):
        return _write(found, cluster, target, today)


def _write(found: Fleet, cluster: str, target: str, today: date) -> Report:
    """Edits, renders, and checks again what is left."""
    from generators.errors import FleetError
    from generators.model.base import dotted
    from generators.pipeline.render import render_cluster
    from generators.pipeline.upgrade.check import check
    from generators.pipeline.upgrade.write import write

    report = check(found, cluster, target, today)
    for each in report.edits() if write(found, report) else ():
        console.say(f"clusters/{cluster}/cluster.yaml: {dotted(each.path)} is {each.value}")
    outcome = render_cluster(found, cluster, "write")
    if outcome.problems:
        raise FleetError(outcome.problems)
    changed = len(outcome.plan.added) + len(outcome.plan.changed) + len(outcome.plan.stale)
    console.say(f"clusters/{cluster}/generated/: {console.count(changed, 'file')} written or removed")
    return check(found, cluster, target, today)


def _show(report: Report) -> None:
    console.data(f"{report.cluster}: Kubernetes {report.source} → {report.target}, as of {report.today}")
    for name, minor in report.minors.items():
        console.data(f"  {name}: {_support(minor)}; nodes' kernel {minor.kernel}")
    console.data("")
    rows: list[tuple[str, ...]] = [
        (row.component, row.version, row.verdict.range, row.verdict.level) for row in report.components
    ]
    console.table(("component", "version", "Kubernetes", f"on {report.target}"), rows)
    console.data("")
    nodes: list[tuple[str, ...]] = [(each.group, each.ami_type, each.device_plugin or "–") for each in report.nodes]
    console.table(("node group", "image", "device plugin"), nodes)
    if report.source != report.target:
        console.data(f"kubelets of {report.source} may run under {report.target}: node groups follow the control plane")
    for level in ("required", "recommended"):
        changes = report.of(level)
        console.data(f"\n{level}: {console.count(len(changes), 'change') if changes else 'nothing'}")
        for each in changes:
            _change(each)


def _support(minor: Minor) -> str:
    standard = f"standard support until {minor.standard_support_ends} ({_days(minor.standard_days_left)})"
    return f"{standard}, extended until {minor.extended_support_ends} ({_days(minor.extended_days_left)})"


def _days(left: int) -> str:
    return f"{console.count(left, 'day')} left" if left >= 0 else f"ended {console.count(-left, 'day')} ago"


def _change(each: Change) -> None:
    problem = each.problem
    console.data(f"  {problem.place}: {problem.key}{': ' if problem.key else ''}{problem.message} [{each.check}]")
    hint = f"{problem.hint} (--write does)" if each.edit else problem.hint
    console.data(f"    hint: {hint}")


def _finish(report: Report, *, write: bool) -> None:
    for line in report.unchecked:
        console.warn(line)
    by_hand, edits = len(report.by_hand()), len(report.edits())
    console.say(f"{console.count(report.objects, 'object')} and {len(report.components)} components looked at")
    if edits and not write:
        console.say(
            f"{console.count(edits, 'change')} that `fleet upgrade {report.cluster} --to {report.target} --write` makes"
        )
    if by_hand:
        console.say(f"{console.count(by_hand, 'required change')} by hand: see their hints")
        raise typer.Exit(console.FOUND)
