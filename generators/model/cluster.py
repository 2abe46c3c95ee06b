"""One cluster: everything that a person writes about it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .access import Access, Storage
from .apps import Apps
from .base import Account, ClusterName, Matching, Minor, Model, Name, Region, Text
from .monitoring import Monitoring
from .network import Network
from .node_groups import GROUPS_PER_CLUSTER, NodeGroup

AddonVersion = Annotated[
    str, Matching(r"v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+", "a version of an EKS add-on", "v1.22.0-eksbuild.1")
]

SecretName = Annotated[
    str, Matching(r"[A-Za-z0-9][A-Za-z0-9/_+=.@-]{0,250}", "a name of a Secrets Manager secret", "fleet/git")
]


class Git(Model):
    """Where Argo CD reads this monorepo."""

    repository: Text
    """Clone URL, for example https://github.com/example/inference-fleet.git."""
    revision: Text = "main"
    """Branch or tag that Argo CD follows."""
    credential: SecretName | None = None
    """Secrets Manager secret with which Argo CD reads the repository; left out, the repository is public.

    A JSON object with the keys that Argo CD has for it: `username` and `password`; or `sshPrivateKey`; or
    `githubAppID`, `githubAppInstallationID` and `githubAppPrivateKey`. People make it; nothing here writes it.
    """


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
    addon_versions: dict[Literal["eks-node-monitoring-agent", "kube-proxy", "vpc-cni"], AddonVersion] = {}
    """Versions of EKS's add-ons. One left out is EKS's default when it is installed, and then stays."""
    node_groups: Annotated[dict[Name, NodeGroup], Field(min_length=1, max_length=GROUPS_PER_CLUSTER)]
    """Managed node groups by name."""
    access: Access
    """Left out, `<name>.<domain>` and the admins of defaults.yaml."""
    storage: Storage = Storage()
    monitoring: Monitoring = Monitoring()
    """Logs, alarms and budget; all of it may be left out."""
    apps: Apps
    """What runs on the cluster."""
