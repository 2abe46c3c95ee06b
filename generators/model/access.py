"""Who gets in, and where data is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Domain, Matching, Model, S3Prefix

RoleName = Annotated[str, Matching(r"[A-Za-z0-9+=,.@_/-]{1,128}", "an IAM role name", "PlatformAdmin")]
BucketName = Annotated[
    str,
    Matching(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "a bucket name (no dots: TLS fails with them)", "acme-movies"),
]
DatabaseClass = Annotated[str, Matching(r"db\.[a-z0-9]+\.[a-z0-9]+", "an RDS instance class", "db.t4g.medium")]


class Access(Model):
    """The ALB with Cognito before it, and the cluster's administrators."""

    domain: Domain
    """Host name of the ALB; Cognito's login comes before every page."""
    admins: Annotated[tuple[RoleName, ...], Field(min_length=1)]
    """IAM roles of this account that administer the cluster, by EKS access entries."""


class Database(Model):
    """RDS for MySQL: the pipelines' metadata."""

    instance_class: DatabaseClass = "db.t4g.medium"
    storage_gb: Annotated[int, Field(ge=20, le=65536)] = 50
    multi_az: bool = True


class Storage(Model):
    """The bucket and, where pipelines run, the database."""

    bucket: BucketName | None = None
    """Left out, the name is made from cluster, account and region."""
    pipelines_prefix: S3Prefix = "pipelines/"
    """Where pipelines keep their artifacts in the bucket."""
    database: Database | None = None
