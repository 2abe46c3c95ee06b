"""Sizes of node groups that are there: cluster-autoscaler changes them, and Terraform must not set them back.

Terraform's provider sends a group's present size with each change of its minimum or maximum: the size that it had when
the plan was made. And EKS refuses a minimum above the present size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from generators.cli import console
from generators.errors import FleetError, wrong
from scripts.command import Cluster, DryRun, guarded, new_app
from scripts.target import Target, load, retries

app = new_app("Raise node groups to the minimum of the cluster file, before Terraform sets that minimum.")


@dataclass(frozen=True)
class Resize:
    """A plan's change of a node group's limits: its name in AWS, the new minimum, and the size that goes with them."""

    name: str
    minimum: int
    size: int


def resizes(plan: dict[str, Any]) -> Iterator[Resize]:
    """Those of a plan, as Terraform shows it in JSON; of groups that are there already."""
    for each in plan.get("resource_changes", ()):
        change = each["change"]
        if each["type"] == "aws_eks_node_group" and change["actions"] == ["update"]:
            [before], [after] = change["before"]["scaling_config"], change["after"]["scaling_config"]
            if before != after:
                yield Resize(change["after"]["node_group_name"], after["min_size"], after["desired_size"])


def refuse_too_low(target: Target, planned: list[Resize]) -> None:
    """Raises FleetError where EKS would refuse a new minimum, in the middle of an apply."""
    hint = f"make grow NAME={target.name}, then plan again"
    problems = [
        problem
        for each in planned
        if each.minimum > each.size
        for problem in wrong(
            each.name,
            f"has {console.count(each.size, 'node')}, and EKS takes no minimum of {each.minimum} above that",
            hint=hint,
        ).problems
    ]
    if problems:
        raise FleetError(problems)


def refuse_moved(target: Target, planned: list[Resize]) -> None:
    """Raises FleetError where nodes came or went since the plan was made: it would set the group back."""
    problems = [
        problem
        for each in planned
        if (now := sizes(target, each.name).get("desiredSize", 0)) != each.size
        for problem in wrong(
            each.name,
            f"has {console.count(now, 'node')} now, and the plan would set it to {each.size}",
            hint=f"make plan NAME={target.name}, and apply that soon",
        ).problems
    ]
    if problems:
        raise FleetError(problems)


def sizes(target: Target, name: str) -> dict[str, int]:
    """`minSize`, `maxSize` and `desiredSize` of a node group; empty where AWS has none of that name."""
    eks = target.session.client("eks", config=retries())
    try:
        found = eks.describe_nodegroup(clusterName=target.name, nodegroupName=name)["nodegroup"]
    except eks.exceptions.ResourceNotFoundException:
        return {}
    return cast("dict[str, int]", found["scalingConfig"])


@app.command()
@guarded
def grow(cluster: Cluster, dry_run: DryRun = False) -> None:
    """Start the nodes that a new minimum in the cluster file asks for. Terraform can set that minimum then."""
    target, low = load(cluster), 0
    for key, group in target.facts["node_groups"].items():
        now, minimum = sizes(target, group["name"]), group["min_size"]
        if now and now["desiredSize"] < minimum:
            low += 1
            console.say(f"{key}: {now['desiredSize']} → {minimum} nodes")
            if not dry_run:
                _grow(target, group["name"], now, minimum)
    if not low:
        console.say("no node group is below its minimum")


def _grow(target: Target, name: str, now: dict[str, int], minimum: int) -> None:
    """Set the size, and wait until EKS takes the next change: it refuses one while it is at work."""
    eks = target.session.client("eks", config=retries())
    eks.update_nodegroup_config(
        clusterName=target.name,
        nodegroupName=name,
        scalingConfig={"desiredSize": minimum, "maxSize": max(now["maxSize"], minimum)},
    )
    eks.get_waiter("nodegroup_active").wait(clusterName=target.name, nodegroupName=name)


if __name__ == "__main__":
    app(prog_name="node_sizes")
