"""Spot node groups as AWS has them: the node group, its Auto Scaling group, the shapes of instance types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from generators.cli import console
from scripts.target import Target, retries

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from types_boto3_ec2.type_defs import InstanceTypeInfoTypeDef
    from types_boto3_eks.type_defs import NodegroupTypeDef

BATCH = 100
"""The most names that one DescribeAutoScalingGroups or DescribeInstanceTypes takes."""


def node_groups(target: Target, names: list[str]) -> dict[str, NodegroupTypeDef]:
    """Node groups of the cluster by name; one that AWS does not have is left out. EKS describes one in a call."""
    client = target.session.client("eks", config=retries())
    found = {}
    for name in console.progress(names, len(names), "reading node groups"):
        try:
            found[name] = client.describe_nodegroup(clusterName=target.name, nodegroupName=name)["nodegroup"]
        except client.exceptions.ResourceNotFoundException:
            continue
    return found


def auto_scaling_group(node_group: NodegroupTypeDef) -> str:
    """Name of the Auto Scaling group that EKS made for it; empty before there is one."""
    made = node_group.get("resources", {}).get("autoScalingGroups", [])
    return made[0]["name"] if made else ""


def auto_scaling_groups(target: Target, names: list[str]) -> dict[str, AutoScalingGroupTypeDef]:
    """Auto Scaling groups by name, without their instances."""
    pages = target.session.client("autoscaling", config=retries()).get_paginator("describe_auto_scaling_groups")
    asked = (
        page["AutoScalingGroups"]
        for batch in _batches(names)
        for page in pages.paginate(
            AutoScalingGroupNames=batch, IncludeInstances=False, PaginationConfig={"PageSize": BATCH}
        )
    )
    return {each["AutoScalingGroupName"]: each for groups in asked for each in groups}


def shapes(target: Target, kinds: Iterable[str]) -> dict[str, str]:
    """Each instance type to its shape in words, for example `4 vCPU, 16 GiB, 1× A10G`. Equal words, equal shape."""
    pages = target.session.client("ec2", config=retries()).get_paginator("describe_instance_types")
    asked = (
        page["InstanceTypes"] for batch in _batches(sorted(set(kinds))) for page in pages.paginate(InstanceTypes=batch)
    )
    return {each["InstanceType"]: _shape(each) for kinds in asked for each in kinds}


def _shape(kind: InstanceTypeInfoTypeDef) -> str:
    gpus = [f"{each['Count']}× {each['Name']}" for each in kind.get("GpuInfo", {}).get("Gpus", [])]
    size = [f"{kind['VCpuInfo']['DefaultVCpus']} vCPU", f"{kind['MemoryInfo']['SizeInMiB'] / 1024:g} GiB"]
    return ", ".join([*size, *gpus])


def _batches(items: list[str]) -> Iterator[list[Any]]:
    yield from (items[start : start + BATCH] for start in range(0, len(items), BATCH))
