"""`fleet lab`: the platform on this machine, without AWS."""

from __future__ import annotations

from typing import Annotated

import typer

from generators.cli import console
from generators.cli.options import Cluster, OutputOption
from generators.lab import Charts

app = typer.Typer(
    help="A committed cluster on this machine, without AWS: a real control plane, simulated nodes, Argo CD.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("up")
@console.guarded
def up(
    cluster: Cluster,
    nodes: Annotated[
        int,
        typer.Option(min=0, help="Simulated nodes in all; left out, the sum of minimums.", show_default=False),
    ] = 0,
    charts: Annotated[
        Charts,
        typer.Option(
            envvar="FLEET_LAB_CHARTS",
            help="Third-party charts that are in: those whose repositories answer from here, all, or none.",
        ),
    ] = "auto",
) -> None:
    """Start the lab of a cluster; it runs until `fleet lab down`.

    Containers do not run: kwok says of each pod that it is ready. Charts whose repositories do not answer are left
    out, and named. `make control-plane` builds the programs.
    """
    from generators.lab import control
    from generators.source.workspace import locate

    workspace = locate()
    workspace.existing(cluster)
    for line in control.start(workspace, cluster, nodes, charts):
        console.say(line)


@app.command("down")
@console.guarded
def down(cluster: Cluster) -> None:
    """End the lab of a cluster and remove its folder."""
    from generators.lab import control

    console.say(f"the lab of {cluster} is gone" if control.down(cluster) else f"there is no lab of {cluster}")


@app.command("status")
@console.guarded
def status(output: OutputOption = console.Output.text) -> None:
    """Show the labs of this user."""
    from generators.lab import control

    found = control.all_labs()
    rows = [
        {
            "cluster": each.cluster,
            "state": each.word,
            "up": each.up,
            "kubernetes": each.kubernetes,
            "kubeconfig": str(each.folder / "kubeconfig"),
            "left_out": each.left_out,
        }
        for each in found
    ]
    if output is console.Output.json:
        console.as_json(rows)
    elif not rows:
        console.say("there is no lab; `fleet lab up CLUSTER` starts one")
    else:
        console.table(
            ("cluster", "state", "version", "kubeconfig"),
            [(each.cluster, each.word, each.kubernetes, str(each.folder / "kubeconfig")) for each in found],
        )
