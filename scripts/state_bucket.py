"""Makes the bucket of Terraform's states for a cluster's account and region, or mends it: `make state-bucket NAME=`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from generators.cli import console
from generators.errors import wrong
from generators.model.names import state_bucket as bucket_name
from scripts.command import Cluster, DryRun, guarded, new_app
from scripts.target import Target, load, retries

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import PublicAccessBlockConfigurationTypeDef

OLD_VERSIONS_DAYS = 90
"""How long a state that was replaced can still be had back."""
TAGS = {"managed-by": "state-bucket", "purpose": "terraform-state"}
CLOSED: PublicAccessBlockConfigurationTypeDef = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
RULE = {
    "ID": "old-versions",
    "Status": "Enabled",
    "Filter": {},
    "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSIONS_DAYS},
    # Each run leaves the deletion of its lock behind as a version.
    "Expiration": {"ExpiredObjectDeleteMarker": True},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}
app = new_app("Make the bucket that holds Terraform's state.")


@dataclass(frozen=True)
class Setting:
    """What must hold of the bucket. `mend` sets it and leaves what others set beside it."""

    what: str
    holds: Callable[[], bool]
    mend: Callable[[], object]


@app.command()
@guarded
def main(cluster: Cluster, dry_run: DryRun = False) -> None:
    """Make the state bucket of CLUSTER's account and region, or put its settings right. Again changes nothing."""
    target = load(cluster)
    name, s3 = bucket_of(target), target.session.client("s3", config=retries())
    made = not exists(s3, name, target.account)
    if made:
        console.data(f"{'would make' if dry_run else 'made'} {name}")
        if dry_run:
            return
        _create(s3, name, target.region)
    drifted = [each for each in settings(s3, name) if not each.holds()]
    for each in drifted:
        if not dry_run:
            each.mend()
        console.data(f"{'would set' if dry_run else 'set'} {each.what}")
    if not made and not drifted:
        console.say(f"{name} is as it must be")


def bucket_of(target: Target) -> str:
    """Name of the bucket that holds the cluster's state."""
    return bucket_name(target.account, target.region)


def require(target: Target) -> str:
    """As `bucket_of`. Raises FleetError where the bucket does not exist."""
    name = bucket_of(target)
    if not exists(target.session.client("s3", config=retries()), name, target.account):
        raise wrong(
            f"s3://{name}", "does not exist, and it holds the state", hint=f"make state-bucket NAME={target.name}"
        )
    return name


def exists(s3: S3Client, name: str, account: str) -> bool:
    """Whether the account has the bucket. Raises FleetError where another has it: names are the world's."""
    from botocore.exceptions import ClientError

    try:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"404", "NoSuchBucket"}:
            return False
        if code not in {"403", "AccessDenied"}:
            raise
        owner = f"it is not account {account}'s, or these credentials may not see it"
        raise wrong(f"s3://{name}", owner, hint="nothing is written there; ask who owns it") from None
    return True


def _create(s3: S3Client, name: str, region: str) -> None:
    place: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced", **place)
    s3.get_waiter("bucket_exists").wait(Bucket=name)


def settings(s3: S3Client, name: str) -> list[Setting]:
    """Everything that must hold, in the order in which it is set."""
    return [*_own(s3, name), _policy(s3, name), _lifecycle(s3, name), _tags(s3, name)]


def _own(s3: S3Client, name: str) -> list[Setting]:
    """Settings that nobody else has a part in."""
    owner: Any = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    aes: Any = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    return [
        Setting(
            "ownership: the bucket's owner owns all objects, and no ACL counts",
            lambda: said(lambda: s3.get_bucket_ownership_controls(Bucket=name), "OwnershipControls", {}) == owner,
            lambda: s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=owner),
        ),
        Setting(
            "public access: blocked",
            lambda: (
                said(lambda: s3.get_public_access_block(Bucket=name), "PublicAccessBlockConfiguration", {}) == CLOSED
            ),
            lambda: s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=CLOSED),
        ),
        Setting(
            "versions: kept",
            lambda: s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled",
            lambda: s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"}),
        ),
        Setting(
            "encryption: AES-256 with S3's keys",
            # A KMS key that somebody chose is as good.
            lambda: bool(said(lambda: s3.get_bucket_encryption(Bucket=name), "ServerSideEncryptionConfiguration", {})),
            lambda: s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=aes),
        ),
    ]


def _policy(s3: S3Client, name: str) -> Setting:
    ours = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.loads(said(lambda: s3.get_bucket_policy(Bucket=name), "Policy", '{"Version": "2012-10-17"}'))
    statements = policy.get("Statement", [])
    wanted = json.dumps({**policy, "Statement": _beside(statements, "Sid", ours)})
    return Setting(
        "policy: over TLS only", lambda: ours in statements, lambda: s3.put_bucket_policy(Bucket=name, Policy=wanted)
    )


def _lifecycle(s3: S3Client, name: str) -> Setting:
    rules = said(lambda: s3.get_bucket_lifecycle_configuration(Bucket=name), "Rules", [])
    wanted: Any = {"Rules": _beside(rules, "ID", RULE)}
    return Setting(
        f"lifecycle: replaced versions go after {OLD_VERSIONS_DAYS} days",
        lambda: any(RULE.items() <= rule.items() for rule in rules),
        lambda: s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=wanted),
    )


def _tags(s3: S3Client, name: str) -> Setting:
    tags = {each["Key"]: each["Value"] for each in said(lambda: s3.get_bucket_tagging(Bucket=name), "TagSet", [])}
    wanted: Any = {"TagSet": [{"Key": key, "Value": value} for key, value in (tags | TAGS).items()]}
    return Setting(
        "tags: " + ", ".join(f"{key}={value}" for key, value in TAGS.items()),
        lambda: TAGS.items() <= tags.items(),
        lambda: s3.put_bucket_tagging(Bucket=name, Tagging=wanted),
    )


def _beside(others: list[dict[str, Any]], key: str, ours: dict[str, Any]) -> list[dict[str, Any]]:
    return [*(each for each in others if each.get(key) != ours[key]), ours]


def said(ask: Callable[[], Any], key: str, otherwise: Any) -> Any:
    """One member of S3's answer; `otherwise` where S3 says by an error that there is none."""
    from botocore.exceptions import ClientError

    try:
        return ask().get(key, otherwise)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code.startswith("NoSuch") or code.endswith(("NotFoundError", "NotFound")):
            return otherwise
        raise


if __name__ == "__main__":
    app()
