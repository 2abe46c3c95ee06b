"""The network of a cluster: address blocks, zones, and how the VPC CNI hands addresses out."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .base import Cidr, Matching, Model, refuse


def _size(low: int, high: int, what: str) -> AfterValidator:
    def check(block: IPv4Network) -> IPv4Network:
        if not low <= block.prefixlen <= high:
            raise refuse(f"`{block}` is /{block.prefixlen}; {what} lies between /{low} and /{high}")
        return block

    return AfterValidator(check)


RFC_1918 = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
SHARED = IPv4Network("100.64.0.0/10")
"""Address space for carriers, which AWS allows in VPCs."""


def _within(allowed: tuple[IPv4Network, ...]) -> AfterValidator:
    def check(block: IPv4Network) -> IPv4Network:
        if not any(block.subnet_of(each) for each in allowed):
            raise refuse(
                f"`{block}` is not address space that AWS takes here", f"take it from {', '.join(map(str, allowed))}"
            )
        return block

    return AfterValidator(check)


VpcPool = Annotated[Cidr, _size(8, 16, "a pool of /16 blocks"), _within((*RFC_1918, SHARED))]
VpcBlock = Annotated[Cidr, _size(16, 20, "a VPC of this fleet"), _within((*RFC_1918, SHARED))]
PodBlock = Annotated[Cidr, _size(16, 20, "a secondary block for pods"), _within((*RFC_1918, SHARED))]
ServiceBlock = Annotated[Cidr, _size(12, 24, "an EKS service range"), _within(RFC_1918)]
Zone = Annotated[str, Matching("[a-f]", "the letter of an availability zone, a to f", "a")]


class Cni(Model):
    """Settings of the VPC CNI add-on. A warm target left out keeps the CNI's own default."""

    prefix_delegation: bool = False
    """Hand out /28 prefixes instead of single addresses; needs Nitro instances and raises max-pods."""
    warm_prefix_target: Annotated[int, Field(ge=1, le=16)] | None = None
    """Prefixes kept ready on each node; only with prefix_delegation."""
    warm_eni_target: Annotated[int, Field(ge=0, le=8)] | None = None
    """Network interfaces kept ready on each node; without prefix_delegation."""


class Network(Model):
    """Address blocks and zones. Subnets follow from them: see `subnets.py`."""

    vpc_cidr: VpcBlock
    """The VPC's primary block: nodes, load balancers and, without pod_cidrs, pods."""
    zones: Annotated[tuple[Zone, ...], Field(min_length=2, max_length=3)]
    """Letters of the availability zones in the region, for example [a, c, d]."""
    pod_cidrs: Annotated[tuple[PodBlock, ...], Field(max_length=4)] = ()
    """Secondary blocks for pods, so that they do not use up the primary block's addresses."""
    service_cidr: ServiceBlock = IPv4Network("172.20.0.0/16")
    """Kubernetes Service addresses; the cluster DNS address is its tenth."""
    nat: Literal["per-zone", "single"] = "per-zone"
    """One NAT gateway per zone, or one for all (cheaper; its zone's loss cuts every zone off)."""
    flow_logs: bool = False
    """Record VPC flow logs."""
    cni: Cni = Cni()
