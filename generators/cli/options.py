"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from generators.cli.console import Output

if TYPE_CHECKING:
    from datetime import date


def complete_cluster(incomplete: str) -> list[str]:
    """Names of clusters, for the shell."""
    from generators.errors import FleetError
    from generators.source.workspace import locate

    try:
        return [name for name in locate().names() if name.startswith(incomplete)]
    except FleetError:
        return []


Cluster = Annotated[
    str, typer.Argument(metavar="CLUSTER", help="Name of the cluster.", autocompletion=complete_cluster)
]
Clusters = Annotated[
    list[str] | None,
    typer.Argument(help="Names of clusters; none means all.", autocompletion=complete_cluster),
]
All = Annotated[bool, typer.Option("--all", help="All clusters, the default where none is named.")]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="text for people, json for machines.")]
TodayOption = Annotated[
    str,
    typer.Option("--today", metavar="DATE", envvar="FLEET_TODAY", help="As in 2026-11-24; left out, today in UTC."),
]


def day(text: str) -> date:
    """The day that `--today` means. Raises FleetError."""
    from datetime import UTC, date, datetime

    from generators.errors import wrong

    if not text:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong("fleet", f"`{text}` is not a date", key="--today", hint="for example 2026-11-24") from None
