"""`fleet render`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from generators.cli import console
from generators.cli.options import All, Clusters, OutputOption

if TYPE_CHECKING:
    from generators.pipeline.render import Mode, Outcome


@console.guarded
def render(
    clusters: Clusters = None,
    everything: All = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; show a diff and exit 1 if files differ.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; list what would change.")] = False,
    output: OutputOption = console.Output.text,
) -> None:
    """Write each cluster's generated/ folder from its cluster.yaml."""
    if check and dry_run:
        raise typer.BadParameter("--check and --dry-run exclude each other")
    if everything and clusters:
        raise typer.BadParameter("--all and names exclude each other")
    mode: Mode = "check" if check else "dry-run" if dry_run else "write"
    outcomes = run(clusters or [], mode)
    if output is console.Output.json:
        console.as_json([_row(each) for each in outcomes])
    else:
        _show(outcomes, mode)
    finish(outcomes, mode)


def run(names: list[str], mode: Mode) -> list[Outcome]:
    """Renders the clusters, with progress."""
    from functools import partial

    from generators.output.disk import locked
    from generators.pipeline import fleet, pool
    from generators.pipeline.render import render_cluster
    from generators.source.workspace import locate

    workspace = locate()
    with locked(workspace.clusters, "clusters", console.waiting):
        found = fleet.read(workspace)
        chosen = found.chosen(names, everything=not names)
        done = pool.each(found, chosen, partial(render_cluster, mode=mode))
        return list(console.progress(done, len(chosen), "rendering"))


def _row(outcome: Outcome) -> dict[str, object]:
    problems = [problem.facts() for problem in outcome.problems]
    return {"cluster": outcome.cluster, **outcome.counts(), "problems": problems}


def _show(outcomes: list[Outcome], mode: Mode) -> None:
    for outcome in outcomes:
        prefix = f"clusters/{outcome.cluster}/generated"
        if mode == "check":
            for line in outcome.diff:
                console.data(line)
        elif mode == "dry-run":
            for word, paths in (
                ("add", outcome.plan.added),
                ("change", outcome.plan.changed),
                ("remove", outcome.plan.stale),
            ):
                for path in paths:
                    console.data(f"{word:6} {prefix}/{path}")


def finish(outcomes: list[Outcome], mode: Mode) -> None:
    """Says what was done or is to do, and exits as the contract says."""
    from generators.errors import FleetError

    problems = [problem for outcome in outcomes for problem in outcome.problems]
    different = [outcome for outcome in outcomes if outcome.plan.differs]
    if good := [outcome for outcome in outcomes if not outcome.problems]:
        console.say(_summary(good, mode))
    if problems:
        raise FleetError(problems)
    if mode == "check" and different:
        names = " ".join(outcome.cluster for outcome in different)
        console.say(f"generated files are not what the sources say; mend them with: fleet render {names}")
        raise typer.Exit(console.FOUND)


def _summary(outcomes: list[Outcome], mode: Mode) -> str:
    counts = [outcome.counts() for outcome in outcomes]
    files = sum(sum(each.values()) for each in counts)
    touched = files - sum(each["same"] for each in counts)
    done = {"write": "written or removed", "check": "to be written or removed", "dry-run": "to be written or removed"}
    what = f"{touched} {done[mode]}" if touched else "all up to date"
    return f"{console.count(len(counts), 'cluster')}, {console.count(files, 'file')}: {what}"
