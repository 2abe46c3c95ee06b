"""Facts that all clusters share, each overridable in a cluster file."""

from __future__ import annotations

from typing import Literal

from .access import RoleName
from .base import Account, Domain, Minor, Model, Region
from .cluster import Git
from .network import VpcPool


class Defaults(Model):
    """`clusters/defaults.yaml`."""

    git: Git
    kubernetes: Minor
    region: Region
    domain: Domain
    """A cluster's access.domain is `<name>.<domain>` unless it says otherwise."""
    hosted_zone: Domain | None = None
    """Clusters' access.hosted_zone unless they say otherwise; left out, `domain`."""
    accounts: dict[Literal["development", "staging", "production"], Account]
    """The AWS account of each environment."""
    admins: tuple[RoleName, ...]
    vpc_pool: VpcPool
    """Where `fleet new` takes a VPC's /16 from."""
