"""`fleet new`."""

from __future__ import annotations

from typing import Annotated

import typer

from generators.cli import console, render, validate
from generators.cli.options import complete_cluster

NEXT = """\
clusters/{name}/ is complete and valid. Next:
  1. read    clusters/{name}/cluster.yaml, and change what should be otherwise; then `make render`
  2. commit  git checkout -b {name} && git add clusters/{name} && git commit -m "Add cluster {name}"
  3. review  open a pull request: cluster.yaml and everything that follows from it stand side by side
  4. build   make state-bucket plan apply NAME={name}, in an AWS account: docs/how-to/first-cluster.md
  5. sync    apply ends with Argo CD installed; from then on it follows the branch"""


@console.guarded
def new(
    name: Annotated[str, typer.Argument(help="Name of the new cluster, for example prod-osaka.")],
    region: Annotated[str, typer.Option(help="AWS region; by default that of clusters/defaults.yaml.")] = "",
    account: Annotated[str, typer.Option(help="AWS account; by default that of the environment.")] = "",
    environment: Annotated[str, typer.Option(help="development, staging or production.")] = "",
    like: Annotated[
        str, typer.Option(help="Copy this cluster's file, comments and all.", autocompletion=complete_cluster)
    ] = "",
) -> None:
    """Make a new cluster: write its file with a free VPC block, render it and validate it."""
    _create(name, region, account, environment, like)
    outcomes = render.run([name], "write")
    render.finish(outcomes, "write")
    validate.finish(validate.run([name]), strict=False)
    console.say(NEXT.format(name=name))


def _create(name: str, region: str, account: str, environment: str, like: str) -> None:
    from generators.output.disk import locked
    from generators.pipeline import fleet
    from generators.pipeline.new import Wanted, create
    from generators.source.workspace import locate

    workspace = locate()
    with locked(workspace.clusters, "clusters", console.waiting):
        create(fleet.read(workspace), Wanted(name, region, account, environment, like))
    console.say(f"made clusters/{name}/cluster.yaml")
