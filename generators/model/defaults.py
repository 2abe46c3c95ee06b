"""Facts that all clusters share, each overridable in a cluster file."""

from __future__ import annotations

from typing import Literal

from .access import RoleName
from .base import Account, Cidr, Domain, Minor, Model, Region
from .cluster import Git


class Defaults(Model):
    """`clusters/defaults.yaml`."""

    git: Git
    kubernetes: Minor
    region: Region
    domain: Domain
    """A cluster's access.domain is `<name>.<domain>` unless it says otherwise."""
    accounts: dict[Literal["development", "staging", "production"], Account]
    """The AWS account of each environment."""
    admins: tuple[RoleName, ...]
    vpc_pool: Cidr
    """Where `fleet new` takes a VPC's /16 from."""
