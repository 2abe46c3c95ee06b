"""One cluster: everything that a person writes about it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .access import Access, Storage
from .apps import Apps
from .base import Account, ClusterName, Minor, Model, Name, Region, Text
from .network import Network
from .node_groups import GROUPS_PER_CLUSTER, NodeGroup


class Git(Model):
    """Where Argo CD reads this monorepo."""

    repository: Text
    """Clone URL, for example https://github.com/example/inference-fleet.git."""
    revision: Text = "main"
    """Branch or tag that Argo CD follows."""


class Cluster(Model):
    """The facts of one cluster. What follows from them is derived in `names.py`, `subnets.py` and `sizing.py`."""

    name: ClusterName
    """The folder's name; part of every AWS name that the cluster owns."""
    account: Account
    """The AWS account; left out, that of the environment in defaults.yaml."""
    region: Region
    """Left out, that of defaults.yaml."""
    environment: Literal["development", "staging", "production"]
    """What the cluster is for; it decides the account."""
    kubernetes: Minor
    """Minor version of EKS; left out, that of defaults.yaml."""
    git: Git
    """Left out, that of defaults.yaml."""
    network: Network
    node_groups: Annotated[dict[Name, NodeGroup], Field(min_length=1, max_length=GROUPS_PER_CLUSTER)]
    """Managed node groups by name."""
    access: Access
    """Left out, `<name>.<domain>` and the admins of defaults.yaml."""
    storage: Storage = Storage()
    apps: Apps
    """What runs on the cluster."""
