"""`fleet set` and `fleet delete`."""

from __future__ import annotations

from typing import Annotated

import typer

from generators.cli import console
from generators.cli.options import Cluster


@console.guarded
def set_(
    cluster: Cluster,
    key: Annotated[str, typer.Argument(help="For example node_groups.workers.max or network.zones[0].")],
    value: Annotated[str, typer.Argument(help="As YAML: 50, true, spot, '[a, c]'.")],
) -> None:
    """Set one key of a cluster.yaml; comments, order and quotes stay as they are."""
    from generators.pipeline import change, fleet
    from generators.source.workspace import locate

    changed = change.set_key(fleet.read(locate()), cluster, key, value)
    console.say(f"clusters/{cluster}/cluster.yaml: {key} is {value}" + ("" if changed else " already"))
    if changed:
        console.say(f"next: fleet render {cluster}")


@console.guarded
def delete(
    cluster: Cluster,
    confirm: Annotated[
        str, typer.Option(metavar="CLUSTER", help="The name once more; without it nothing is removed.")
    ] = "",
) -> None:
    """Remove a cluster's folder. What it has in AWS stays: `terraform destroy` comes first."""
    from generators.output.disk import locked
    from generators.pipeline import change, fleet
    from generators.source.workspace import locate

    workspace = locate()
    with locked(workspace.clusters, "clusters", console.waiting):
        change.delete(fleet.read(workspace), cluster, confirm)
    console.say(f"removed clusters/{cluster}/; git still has what was committed, and AWS what was built")
