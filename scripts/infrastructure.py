"""Plans, applies and destroys a cluster's AWS side: `make plan`, `make apply`, `make destroy`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from generators.cli import console
from generators.errors import FleetError, Place, Problem, wrong
from scripts import destruction, leftovers, saved_plan, teardown, terraform
from scripts.command import Cluster, DryRun, guarded, new_app
from scripts.kube import Kubeconfig
from scripts.teardown import Timeout

app = new_app("Terraform for one cluster, with its state in S3.")
Yes = Annotated[bool, typer.Option("--yes", help="Apply without asking; for CI.")]


@app.command()
@guarded
def plan(
    cluster: Cluster,
    check: Annotated[
        bool, typer.Option("--check", help="Save nothing, take no lock; exit 1 if AWS is not what git says.")
    ] = False,
) -> None:
    """Show what an apply would change, and save that for the apply."""
    root = terraform.ready(cluster)
    if check:
        if saved_plan.differs(root):
            console.say(f"{cluster} in AWS is not what git says: make plan NAME={cluster}")
            raise typer.Exit(console.FOUND)
    elif saved_plan.SavedPlan(root).make():
        console.say(f"next: make apply NAME={cluster}, which does exactly this")
        return
    console.say("nothing to do")


@app.command()
@guarded
def apply(cluster: Cluster, yes: Yes = False) -> None:
    """Apply the saved plan; without a valid one, plan, show and ask."""
    root = terraform.ready(cluster)
    plan = saved_plan.SavedPlan(root)
    if not plan.valid():
        if not yes and not sys.stdin.isatty():
            hint = f"make plan NAME={cluster} first, or AUTO_APPROVE=1"
            raise wrong("apply", "there is no saved plan of these files, and nobody to ask", hint=hint)
        if not plan.make():
            console.say("nothing to do")
            return
        if not yes and not typer.confirm("Apply this?", err=True):
            console.say("nothing was changed; the plan is saved")
            raise typer.Exit(console.FOUND)
    plan.apply()


@app.command()
@guarded
def destroy(
    cluster: Cluster,
    confirm: Annotated[str, typer.Option(metavar="CLUSTER", help="The name once more.")] = "",
    skip_kubernetes: Annotated[
        bool, typer.Option("--skip-kubernetes", help="Leave alone what the cluster's own controllers made in AWS.")
    ] = False,
    timeout: Timeout = teardown.TIMEOUT,
    kubeconfig: Kubeconfig = None,
    dry_run: DryRun = False,
) -> None:
    """Remove the cluster. Its data stay, unless the cluster file says otherwise twice. Interrupted, run it again."""
    if not dry_run:
        destruction.confirmed(cluster, confirm)
    root = terraform.ready(cluster)
    data = destruction.data_of(root)
    data.refuse()
    if skip_kubernetes:
        console.say("Kubernetes is left alone: load balancers and volumes that it made are listed at the end")
    else:
        _kubernetes(root, kubeconfig, timeout, dry_run=dry_run)
    if dry_run:
        for address in data.going():
            console.data(f"would remove {address}")
        destruction.tell_kept(data.kept())
        return
    saved_plan.SavedPlan(root).forget()
    data.keep()
    _terraform(root, data)
    kept = data.kept()
    destruction.tell_kept(kept)
    if left := leftovers.find(root.target, set(kept)):
        destruction.tell_left(left)
        raise typer.Exit(console.FOUND)
    console.say(f"{cluster} is gone from AWS. Its files: make delete-cluster NAME={cluster} CONFIRM={cluster}")


def _terraform(root: terraform.Root, data: destruction.Data) -> None:
    """All that Terraform holds. Where it cannot go on, what others made is told too: that may be what holds it up."""
    name = root.target.name
    with leftovers.sweeping(root.target):
        again = f"make destroy NAME={name} CONFIRM={name} goes on from here"
        try:
            root.must("apply", "-destroy", "-auto-approve", "-input=false", root.variables, hint=again)
        except FleetError:
            _tell_others(root, data)
            raise


def _tell_others(root: terraform.Root, data: destruction.Data) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        destruction.tell_others(leftovers.find(root.target, set(data.kept()), root.resources()))
    except (BotoCoreError, ClientError, FleetError) as error:
        console.warn(f"what else stands in AWS could not be found out: {error}")


def _kubernetes(root: terraform.Root, kubeconfig: Kubeconfig, timeout: int, *, dry_run: bool) -> None:
    """What the cluster's controllers made in AWS goes first. An error names the way to go without."""
    try:
        teardown.run(root.target, kubeconfig, timeout, dry_run=dry_run)
    except FleetError as error:
        said = "so what the cluster's own controllers made in AWS cannot be removed first"
        hint = "reach it, or SKIP_KUBERNETES=1 (--skip-kubernetes): what is left is listed at the end"
        raise FleetError([*error.problems, Problem(Place("destroy"), said, hint=hint)]) from None


if __name__ == "__main__":
    app()
