"""The state bucket, against AWS's stand-in, and the state of Terraform in it: locked, one for each cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.stub import Stubber

from generators.errors import FleetError
from generators.model.names import state_bucket
from scripts.state_bucket import exists
from scripts.terraform import state_key
from tests import fleets
from tests.tiny_root import ACCOUNT, REGION, STATE_BUCKET, TinyRoot, tiny_root
from tests.tool_needed import needed

LOCK = {
    "ID": "7a3f",
    "Operation": "OperationTypeApply",
    "Who": "colleague@elsewhere",
    "Version": "1.11.4",
    "Created": "2025-01-01T00:00:00Z",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyRoot]:
    with tiny_root(fleets.workspace(tmp_path_factory.mktemp("state") / "checkout")) as found:
        found.add("first")
        found.add("second")
        yield found


@pytest.fixture
def empty(root: TinyRoot) -> Iterator[TinyRoot]:
    """The same, with an AWS of its own that has no bucket yet."""
    from tests.aws.server import serving

    before = root.url
    with serving(ACCOUNT) as url:
        root.url = root.env["AWS_ENDPOINT_URL"] = url
        yield root
    root.url = root.env["AWS_ENDPOINT_URL"] = before


def test_the_name_fits_and_is_the_same_everywhere() -> None:
    regions = json.loads((fleets.ROOT / "generators" / "data" / "regions.json").read_text(encoding="utf-8"))
    longest = max((str(name) for name in regions["regions"]), key=len)
    assert len(state_bucket(ACCOUNT, longest)) <= 63
    assert state_bucket(ACCOUNT, REGION) == STATE_BUCKET


def test_makes_a_bucket_that_keeps_versions_and_lets_nobody_in(empty: TinyRoot) -> None:
    done = empty("state_bucket", "first")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"made {STATE_BUCKET}\n")
    s3 = empty.client("s3")
    assert s3.get_bucket_location(Bucket=STATE_BUCKET)["LocationConstraint"] == REGION
    assert s3.get_bucket_versioning(Bucket=STATE_BUCKET)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=STATE_BUCKET)["PublicAccessBlockConfiguration"].values()) == {True}
    ownership = s3.get_bucket_ownership_controls(Bucket=STATE_BUCKET)["OwnershipControls"]
    assert ownership == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    encryption = s3.get_bucket_encryption(Bucket=STATE_BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=STATE_BUCKET)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert set(statement["Resource"]) == {f"arn:aws:s3:::{STATE_BUCKET}", f"arn:aws:s3:::{STATE_BUCKET}/*"}
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=STATE_BUCKET)["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    assert "Days" not in rule["Expiration"], "a state in use must never expire"
    tags = {each["Key"]: each["Value"] for each in s3.get_bucket_tagging(Bucket=STATE_BUCKET)["TagSet"]}
    assert tags["purpose"] == "terraform-state"


def test_a_second_time_changes_nothing(empty: TinyRoot) -> None:
    assert empty("state_bucket", "first").returncode == 0
    # The other cluster of the same account and region has the same bucket.
    done = empty("state_bucket", "second")
    assert (done.returncode, done.stdout) == (0, "")
    assert "is as it must be" in done.stderr


def test_settings_that_drifted_are_mended_and_told_and_what_others_set_stays(empty: TinyRoot) -> None:
    assert empty("state_bucket", "first").returncode == 0
    s3 = empty.client("s3")
    s3.put_bucket_versioning(Bucket=STATE_BUCKET, VersioningConfiguration={"Status": "Suspended"})
    s3.delete_public_access_block(Bucket=STATE_BUCKET)
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": "*"}
    s3.put_bucket_policy(Bucket=STATE_BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
    s3.put_bucket_tagging(Bucket=STATE_BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "platform"}]})
    dry = empty("state_bucket", "first", "--dry-run")
    assert [line.split(":")[0] for line in dry.stdout.splitlines()] == [
        "would set public access",
        "would set versions",
        "would set policy",
        "would set tags",
    ]
    assert s3.get_bucket_versioning(Bucket=STATE_BUCKET)["Status"] == "Suspended"
    done = empty("state_bucket", "first")
    assert done.stdout == dry.stdout.replace("would set", "set")
    assert s3.get_bucket_versioning(Bucket=STATE_BUCKET)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=STATE_BUCKET)["PublicAccessBlockConfiguration"].values()) == {True}
    statements = json.loads(s3.get_bucket_policy(Bucket=STATE_BUCKET)["Policy"])["Statement"]
    assert [each["Sid"] for each in statements] == ["Theirs", "TlsOnly"]
    tags = {each["Key"] for each in s3.get_bucket_tagging(Bucket=STATE_BUCKET)["TagSet"]}
    assert {"team", "purpose"} <= tags


def test_dry_run_makes_nothing(empty: TinyRoot) -> None:
    done = empty("state_bucket", "first", "--dry-run")
    assert (done.returncode, done.stdout) == (0, f"would make {STATE_BUCKET}\n")
    assert empty.client("s3").list_buckets()["Buckets"] == []


def test_a_bucket_of_another_account_is_refused() -> None:
    # A canned answer: the stand-in does not look at the expected owner, as AWS does.
    s3 = boto3.Session("test", "test", region_name=REGION).client("s3")
    with Stubber(s3) as stub:
        expected = {"Bucket": STATE_BUCKET, "ExpectedBucketOwner": ACCOUNT}
        stub.add_client_error("head_bucket", "403", http_status_code=403, expected_params=expected)
        with pytest.raises(FleetError, match=f"not account {ACCOUNT}'s"):
            exists(s3, STATE_BUCKET, ACCOUNT)


def test_without_credentials_the_way_to_them_is_told(root: TinyRoot) -> None:
    done = root("state_bucket", "first", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert done.returncode == 2
    assert "AWS_PROFILE" in done.stderr


def test_a_second_run_is_refused_while_a_first_holds_the_lock(root: TinyRoot) -> None:
    needed("terraform")
    s3, lock = root.client("s3"), f"{state_key('first')}.tflock"
    s3.put_object(Bucket=STATE_BUCKET, Key=lock, Body=json.dumps(LOCK))
    try:
        refused = root("infrastructure", "plan", "first")
        looked = root("infrastructure", "plan", "first", "--check")
        other = root("infrastructure", "plan", "second")
    finally:
        s3.delete_object(Bucket=STATE_BUCKET, Key=lock)
    assert refused.returncode == 2
    assert "Error acquiring the state lock" in refused.stderr
    assert "colleague@elsewhere" in refused.stderr
    assert looked.returncode == 1, looked.stderr
    assert other.returncode == 0, other.stderr


def test_two_clusters_side_by_side_in_one_checkout_do_not_meet(root: TinyRoot) -> None:
    needed("terraform")
    root.set("second", storage__database__instance_class="db.m7g.large")
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda name: root("infrastructure", "apply", name, "--yes"), ["first", "second"]))
    assert [each.returncode for each in runs] == [0, 0], [each.stderr for each in runs]
    assert [root.database(name) for name in ("first", "second")] == ["db.t4g.medium", "db.m7g.large"]
    found = root.client("s3").list_objects_v2(Bucket=STATE_BUCKET)["Contents"]
    assert [each["Key"] for each in found] == [state_key("first"), state_key("second")], "locks are released"
