"""Subnets, cut from the cluster's address blocks the same way everywhere."""

from __future__ import annotations

from ipaddress import IPv4Network

from . import names
from .cluster import Cluster


def _quarters(block: IPv4Network) -> list[IPv4Network]:
    return list(block.subnets(prefixlen_diff=2))


def private(cluster: Cluster) -> dict[str, str]:
    """Zone → private subnet: the first quarters of the VPC, one a zone."""
    return {
        zone: str(net) for zone, net in zip(names.zones(cluster), _quarters(cluster.network.vpc_cidr), strict=False)
    }


def public(cluster: Cluster) -> dict[str, str]:
    """Zone → public subnet: sixteenths of the VPC's last quarter; load balancers and NAT need few addresses."""
    blocks = _quarters(cluster.network.vpc_cidr)[3].subnets(prefixlen_diff=4)
    return {zone: str(net) for zone, net in zip(names.zones(cluster), blocks, strict=False)}


def pods(cluster: Cluster) -> dict[str, list[str]]:
    """Zone → pod subnets: a quarter of each secondary block."""
    found: dict[str, list[str]] = {zone: [] for zone in names.zones(cluster)}
    for block in cluster.network.pod_cidrs:
        for zone, net in zip(found, _quarters(block), strict=False):
            found[zone].append(str(net))
    return found if cluster.network.pod_cidrs else {}


RESERVED = 5
"""Addresses of each subnet that AWS keeps."""


def addresses(cluster: Cluster) -> tuple[int, int]:
    """Addresses that nodes and pods can have: in the private subnets, and in the pod subnets."""
    return (
        sum(_usable(net) for net in private(cluster).values()),
        sum(_usable(net) for nets in pods(cluster).values() for net in nets),
    )


def _usable(net: str) -> int:
    return IPv4Network(net).num_addresses - RESERVED
