"""What the Auto Scaling group of a spot node group has, and what it should have. No call to AWS is made here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef

EKS_STRATEGY = "price-capacity-optimized"
"""EKS's own for spot groups of Kubernetes 1.28 and newer (EKS user guide, managed node groups, 2024-12)."""
STRATEGIES = frozenset({EKS_STRATEGY, "capacity-optimized", "capacity-optimized-prioritized"})
"""What is left as it is: the strategies that look at spare capacity. EKS gave older groups the second."""
NO_MIX: dict[str, Any] = {"on_demand_base": 0, "on_demand_percentage": 0, "weights": {}}
"""What EKS makes of a spot group, and so what a group goes back to when its mix is taken away."""
EXCLUDED = frozenset({"SpotInstancePools", "DistributionSegments"})
"""Parts of a distribution that AWS takes with `lowest-price`, or without on-demand base and percentage, only."""


@dataclass(frozen=True)
class Settings:
    """What is held on an Auto Scaling group. `weights`: capacity units of each type, or none at all."""

    on_demand_base: int
    on_demand_percentage: int
    weights: dict[str, int]
    spot_allocation: str
    capacity_rebalancing: bool

    def changes(self, wanted: Settings) -> dict[str, tuple[Any, Any]]:
        """Name of each setting that differs, to what it is and what it should be."""
        pairs = {each.name: (getattr(self, each.name), getattr(wanted, each.name)) for each in fields(self)}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def overrides(group: AutoScalingGroupTypeDef) -> list[Any]:
    """The instance types of the group, in its order of preference."""
    return list(group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("Overrides", []))


def types(group: AutoScalingGroupTypeDef) -> list[str]:
    """Their names."""
    return [each["InstanceType"] for each in overrides(group) if "InstanceType" in each]


def live(group: AutoScalingGroupTypeDef) -> Settings:
    """What the group has. What AWS leaves out of its answer is AWS's default."""
    shares = group.get("MixedInstancesPolicy", {}).get("InstancesDistribution", {})
    weighted = (each for each in overrides(group) if each.get("WeightedCapacity"))
    return Settings(
        on_demand_base=shares.get("OnDemandBaseCapacity", 0),
        on_demand_percentage=shares.get("OnDemandPercentageAboveBaseCapacity", 100),
        weights={each["InstanceType"]: int(each["WeightedCapacity"]) for each in weighted},
        spot_allocation=shares.get("SpotAllocationStrategy", "lowest-price"),
        capacity_rebalancing=group.get("CapacityRebalance", False),
    )


def wanted(mix: dict[str, Any] | None, group: AutoScalingGroupTypeDef) -> Settings:
    """What the group should have. AWS takes weights for all types or for none: one left out counts 1."""
    said = mix or NO_MIX
    strategy = live(group).spot_allocation
    return Settings(
        on_demand_base=said["on_demand_base"],
        on_demand_percentage=said["on_demand_percentage"],
        weights={kind: said["weights"].get(kind, 1) for kind in types(group)} if said["weights"] else {},
        spot_allocation=strategy if strategy in STRATEGIES else EKS_STRATEGY,
        capacity_rebalancing=True,
    )


def request(group: AutoScalingGroupTypeDef, wanted: Settings) -> dict[str, Any]:
    """Arguments of the one UpdateAutoScalingGroup that makes it so; beside the name, only what changes.

    The launch template is never among them, so its version stays EKS's, even where EKS moves it at this moment. A
    distribution and a list of overrides are sent whole, with all that they held.
    """
    changes = live(group).changes(wanted)
    policy: dict[str, Any] = {}
    if changes.keys() & {"on_demand_base", "on_demand_percentage", "spot_allocation"}:
        shares = group.get("MixedInstancesPolicy", {}).get("InstancesDistribution", {})
        policy["InstancesDistribution"] = {
            **{key: value for key, value in shares.items() if key not in EXCLUDED},
            "OnDemandBaseCapacity": wanted.on_demand_base,
            "OnDemandPercentageAboveBaseCapacity": wanted.on_demand_percentage,
            "SpotAllocationStrategy": wanted.spot_allocation,
        }
    if "weights" in changes:
        policy["LaunchTemplate"] = {"Overrides": [_weighted(each, wanted.weights) for each in overrides(group)]}
    found: dict[str, Any] = {"AutoScalingGroupName": group["AutoScalingGroupName"]}
    if policy:
        found["MixedInstancesPolicy"] = policy
    if "capacity_rebalancing" in changes:
        found["CapacityRebalance"] = wanted.capacity_rebalancing
    return found


def _weighted(override: dict[str, Any], weights: dict[str, int]) -> dict[str, Any]:
    rest = {key: value for key, value in override.items() if key != "WeightedCapacity"}
    return {**rest, "WeightedCapacity": str(weights[rest["InstanceType"]])} if weights else rest


def refusals(
    mix: dict[str, Any] | None, group: AutoScalingGroupTypeDef, shapes: dict[str, str], *, autoscaled: bool
) -> Iterator[tuple[str, str]]:
    """Why nothing may be written on this group: what is wrong, and a hint.

    `shapes`: of each type, in words. `autoscaled`: cluster-autoscaler sizes the groups of this cluster. Its tags on the
    group say nothing: EKS puts them on every one.
    """
    found = types(group)
    if not found or len(found) < len(overrides(group)):
        yield "its Auto Scaling group lists no instance types", "EKS makes one that does; somebody changed it by hand"
        return
    if mix is None:
        return
    if absent := sorted(set(mix["weights"]) - set(found)):
        yield (
            f"{', '.join(absent)} is not among the types of its Auto Scaling group, {', '.join(found)}",
            "terraform apply",
        )
    if len({shapes[kind] for kind in found}) > 1:
        said = "; ".join(f"{kind} {shapes[kind]}" for kind in found)
        yield (
            f"its types are not of one shape: {said}",
            "cluster-autoscaler plans with the first type; make a second group",
        )
    if autoscaled and len(set(wanted(mix, group).weights.values())) > 1:
        yield (
            "unequal weights stop cluster-autoscaler from scaling this group up (kubernetes/autoscaler#4851)",
            "give each type the same weight, or take cluster-autoscaler off this cluster",
        )


def caution(wanted: Settings, *, autoscaled: bool) -> str:
    """What speaks against these settings without forbidding them."""
    if autoscaled and set(wanted.weights.values()) - {1}:
        return "with weights the group's sizes count units, and cluster-autoscaler takes them for nodes"
    return ""
