"""Each spot node group of a cluster file beside what AWS has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from generators.errors import Place, Problem
from scripts import spot_groups, spot_settings
from scripts.target import Target

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from types_boto3_eks.type_defs import NodegroupTypeDef

State = Literal["same", "differs", "refused", "missing", "busy"]
SETTLED = frozenset({"ACTIVE", "DEGRADED"})
"""States of a node group in which EKS itself is not at work on it."""


@dataclass
class Compared:
    """One spot node group of the cluster file, beside what AWS has. `update`: what UpdateAutoScalingGroup would get."""

    key: str
    node_group: str
    auto_scaling_group: str = ""
    state: State = "same"
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    update: dict[str, Any] = field(default_factory=dict)
    caution: str = ""

    def facts(self) -> dict[str, Any]:
        """The same for a machine."""
        return {
            "group": self.key,
            "node_group": self.node_group,
            "auto_scaling_group": self.auto_scaling_group,
            "state": self.state,
            "changes": {name: {"is": now, "should_be": then} for name, (now, then) in self.changes.items()},
            "problems": [each.facts() for each in self.problems],
        }


def compare(target: Target) -> list[Compared]:
    """Every spot node group of the cluster file, in its order."""
    said = {key: group for key, group in target.facts["node_groups"].items() if group["capacity_type"] == "SPOT"}
    eks = spot_groups.node_groups(target, [group["name"] for group in said.values()])
    named = {
        key: spot_groups.auto_scaling_group(eks[group["name"]]) for key, group in said.items() if group["name"] in eks
    }
    asgs = spot_groups.auto_scaling_groups(target, sorted(filter(None, named.values())))
    mixed = [asgs[name] for key, name in named.items() if said[key]["mix"] and name in asgs]
    shapes = spot_groups.shapes(target, {kind for group in mixed for kind in spot_settings.types(group)})
    return [_compare(target, key, group, eks.get(group["name"]), asgs, shapes) for key, group in said.items()]


def _compare(
    target: Target,
    key: str,
    said: dict[str, Any],
    node_group: NodegroupTypeDef | None,
    asgs: dict[str, AutoScalingGroupTypeDef],
    shapes: dict[str, str],
) -> Compared:
    if node_group is None:
        return Compared(key, said["name"], state="missing")
    name = spot_groups.auto_scaling_group(node_group)
    found = Compared(key, said["name"], name)
    if node_group["status"] not in SETTLED:
        found.state = "busy"
    elif problems := list(_problems(target, said["mix"], node_group, asgs.get(name), shapes)):
        file = str(target.tfvars.relative_to(target.workspace.root))
        found.state = "refused"
        found.problems = [Problem(Place(file), what, f"node_groups.{key}", hint) for what, hint in problems]
    else:
        wanted = spot_settings.wanted(said["mix"], asgs[name])
        found.changes = spot_settings.live(asgs[name]).changes(wanted)
        found.state = "differs" if found.changes else "same"
        found.update = spot_settings.request(asgs[name], wanted)
        found.caution = spot_settings.caution(wanted, autoscaled=_autoscaled(target))
    return found


def _autoscaled(target: Target) -> bool:
    return any(each["app"] == "cluster-autoscaler" for each in target.facts["identities"].values())


def _problems(
    target: Target,
    mix: dict[str, Any] | None,
    node_group: NodegroupTypeDef,
    asg: AutoScalingGroupTypeDef | None,
    shapes: dict[str, str],
) -> Iterator[tuple[str, str]]:
    if node_group["capacityType"] != "SPOT":
        yield f"AWS has it as {node_group['capacityType']}, the cluster file as SPOT", "terraform apply"
    elif asg is None:
        yield "its Auto Scaling group is gone", "EKS cannot mend that: make the node group anew"
    else:
        yield from spot_settings.refusals(mix, asg, shapes, autoscaled=_autoscaled(target))
