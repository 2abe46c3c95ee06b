"""Who gets in, and where data is kept."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from .base import Cidr, Domain, Matching, Model, S3Prefix

RoleName = Annotated[str, Matching(r"[A-Za-z0-9+=,.@_/-]{1,128}", "an IAM role name", "PlatformAdmin")]
BucketName = Annotated[
    str,
    Matching(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "a bucket name (no dots: TLS fails with them)", "acme-movies"),
]
DatabaseClass = Annotated[str, Matching(r"db\.[a-z0-9]+\.[a-z0-9]+", "an RDS instance class", "db.t4g.medium")]

CLIENT_BLOCKS = 25
"""Each takes two of the 60 inbound rules of a security group (AWS's default quota), and some stay free."""


class Access(Model):
    """The ALB with Cognito before it, and the cluster's administrators."""

    domain: Domain
    """Pages are at `<host>.<domain>`, each behind Cognito's login. Two clusters may not share it."""
    hosted_zone: Domain
    """Public Route 53 zone that the domain lies in; the account must hold it. Left out, that of defaults.yaml."""
    load_balancer: Literal["public", "internal", "none"] = "public"
    """public: on the internet; internal: in the VPC and networks connected to it; none: pages by port-forward only."""
    client_cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=CLIENT_BLOCKS)] = (
        IPv4Network("0.0.0.0/0"),
    )
    """Blocks that reach the load balancer; the login comes after. Left out, all."""
    api_cidrs: tuple[Cidr, ...] = ()
    """Blocks that reach the API server from outside the VPC. Left out, it is reached from within only."""
    admins: Annotated[tuple[RoleName, ...], Field(min_length=1)]
    """IAM roles of this account that administer the cluster, by EKS access entries."""


class Database(Model):
    """RDS for MySQL: the pipelines' metadata."""

    instance_class: DatabaseClass = "db.t4g.medium"
    storage_gb: Annotated[int, Field(ge=20, le=65536)] = 50
    multi_az: bool = True
    password_version: Annotated[int, Field(ge=1)] = 1
    """One more than before makes a new password, in the database and in its secret."""


class Storage(Model):
    """The bucket and, where pipelines run, the database."""

    bucket: BucketName | None = None
    """Left out, the name is made from cluster, account and region."""
    pipelines_prefix: S3Prefix = "pipelines/"
    """Where pipelines keep their artifacts in the bucket."""
    encryption: Literal["kms", "aes256"] = "kms"
    """kms: a key of the cluster's own; aes256: AWS's keys, without charges for requests."""
    deletable: bool = False
    """The first word before data can go: the cluster may be destroyed. A final snapshot and the bucket stay."""
    discard_data: bool = False
    """The second word: destroying takes the bucket and the database with all they hold."""
    database: Database | None = None
