"""`fleet charts index`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generators.cli import console
from generators.cli.options import OutputOption, TodayOption, day

if TYPE_CHECKING:
    from generators.pipeline.charts.index import Index

app = typer.Typer(help="Third-party charts: what values they take.", no_args_is_help=True)


@app.callback()
def charts() -> None:
    """Third-party charts: what values they take."""


@app.command("index")
@console.guarded
def index(
    chart: Annotated[str, typer.Argument(metavar="CHART", help="Name of the chart, as in app.yaml.")],
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="Version of the chart; left out, the one in app.yaml.")
    ] = "",
    given: Annotated[
        Path | None,
        typer.Option("--from", metavar="PATH", help="Archive (.tgz) or folder of the chart, instead of helm pull."),
    ] = None,
    pin: Annotated[bool, typer.Option("--pin", help="Write the version to app.yaml too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would change.")] = False,
    licence: Annotated[
        str, typer.Option(metavar="SPDX", help="Licence of the chart, where it names none: Apache-2.0.")
    ] = "",
    today: TodayOption = "",
    output: OutputOption = console.Output.text,
) -> None:
    """Refresh the index of a chart's value paths; exits 1 where the version would not take a value that we write."""
    from generators.output.disk import locked
    from generators.pipeline import fleet
    from generators.pipeline.charts import keep, obtain
    from generators.pipeline.charts.index import compare
    from generators.source.workspace import locate

    since = day(today)
    workspace = locate()
    found = fleet.read(workspace)
    known = obtain.pinned(found, chart)
    packed = obtain.packed(known, version or known.version, given)
    with locked(workspace.clusters, "clusters", console.waiting):
        made = compare(found, known, packed)
        if not dry_run and keep.write(made, known, licence or packed.licence, since):
            console.say(f"wrote generators/data/chart_values/{chart}.json")
        for path in keep.pin(found, made) if pin and not dry_run else ():
            console.say(f"{path}: chart.version is {made.version}; next: fleet render")
    if output is console.Output.json:
        console.as_json(made.facts())
    else:
        _show(made)
    _finish(made)


def _show(made: Index) -> None:
    console.data(
        f"{made.chart} {made.before or '(no index)'} → {made.version}: {console.count(len(made.paths), 'path')}"
    )
    for word, paths in (("added", made.added), ("removed", made.removed)):
        for path in paths if made.before else ():
            console.data(f"  {word:7} {path}")
    for path, before, now in made.changed:
        console.data(f"  changed {path}: {before} → {now}")


def _finish(made: Index) -> None:
    from generators.errors import FleetError

    if made.orphans:
        console.problems(FleetError(made.orphans))
        console.say(
            f"{console.count(len(made.orphans), 'value')} of ours that {made.chart} {made.version} does not take"
        )
        raise typer.Exit(console.FOUND)
    console.say(f"{made.chart} {made.version} takes every value that we write")
