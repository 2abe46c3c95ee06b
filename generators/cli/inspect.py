"""`fleet list` and `fleet show`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from generators.cli import console
from generators.cli.options import Cluster, OutputOption


class What(StrEnum):
    """What `fleet list` lists."""

    clusters = "clusters"
    apps = "apps"


@console.guarded
def list_(
    what: Annotated[What, typer.Argument(help="clusters, or the apps of the catalogue.")] = What.clusters,
    output: OutputOption = console.Output.text,
) -> None:
    """List the clusters, or the apps that a cluster may run."""
    from generators.pipeline import fleet, pool, show
    from generators.source.workspace import locate

    found = fleet.read(locate())
    names = found.workspace.names()
    rows: list[dict[str, object]]
    rows = show.catalogue(found) if what is What.apps else list(pool.each(found, names, show.brief))
    if output is console.Output.json:
        console.as_json(rows)
    elif rows:
        head = tuple(max(rows, key=lambda row: len(list(row))))
        console.table(head, [tuple(_cell(row.get(key, "?")) for key in head) for row in rows])


def _cell(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


@console.guarded
def show(
    cluster: Cluster,
    key: Annotated[str, typer.Argument(help="A part only, for example node_groups.workers or derived.role_arns.")] = "",
    output: OutputOption = console.Output.text,
) -> None:
    """Show a cluster's facts with all defaults filled in, and what is derived from them."""
    from generators.output.yaml_text import dump
    from generators.pipeline import fleet, show
    from generators.source.workspace import locate

    found: object = show.full(fleet.read(locate()), cluster)
    if key:
        found = show.below(found, key)
    if output is console.Output.json:
        console.as_json(found)
    else:
        console.data(dump(found).removesuffix("\n").removesuffix("\n..."))
