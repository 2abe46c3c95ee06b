"""A cluster's life, stage by stage. Each stage finds what the one before it left."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.aws import readback, trust
from tests.aws.checkout import Checkout, checkout
from tests.aws.inventory import inventory

LOG = logging.getLogger(__name__)
IMAGE = "application/vnd.oci.image.manifest.v1+json"
OBJECT = {"Key": "results/kept", "Body": b"kept"}


@dataclass
class Life:
    """A cluster from before its first apply until nothing of it is left."""

    checkout: Checkout
    before: set[str]
    whole: str
    """The cluster's file as committed, but for Argo CD's bootstrap."""


@contextmanager
def life(name: str, folder: Path) -> Iterator[Life]:
    folder.mkdir()
    with checkout(name, folder) as made:
        yield Life(made, inventory(made), made.file.read_text(encoding="utf-8"))


def apply(life: Life) -> None:
    began = time.monotonic()
    life.checkout.must("apply", "AUTO_APPROVE=1")
    count = len(life.checkout.terraform("state", "list").stdout.splitlines())
    LOG.info("%s: %d resources in %.0f s", life.checkout.name, count, time.monotonic() - began)


def read_back(life: Life) -> None:
    for look in (
        readback.network,
        readback.control_plane,
        readback.node_groups,
        readback.storage,
        readback.registry,
        readback.database,
        readback.pages,
        readback.monitoring,
    ):
        look(life.checkout)


def nodes_have_what_they_need_around_them(life: Life) -> None:
    """Made before them, and destroyed after them: that is what the dependencies in the state stand for."""
    shown = json.loads(life.checkout.terraform("state", "pull").stdout)
    (group,) = [each for each in shown["resources"] if each["type"] == "aws_eks_node_group"]
    for instance in group["instances"]:
        missing = {
            "module.cluster.aws_eks_access_policy_association.admin",
            "module.cluster.aws_eks_addon.kube_proxy",
            "module.cluster.aws_eks_addon.vpc_cni",
            "module.monitoring.aws_cloudwatch_log_group.container_insights",
            "module.network.aws_route.nat",
            "module.node_groups.aws_iam_role_policy_attachment.node",
        } - set(instance["dependencies"])
        assert not missing, instance["index_key"]


def identities_are_trusted(life: Life) -> None:
    trust.identities(life.checkout)


def again_nothing_changes(life: Life) -> None:
    done = life.checkout.make("plan", "CHECK=1")
    assert done.returncode == 0, done.stdout[-4000:]


def an_update_by_eks_loses_the_mix_and_it_comes_back(life: Life) -> None:
    made = life.checkout
    assert readback.shares(made, "workers") == (2, 10)
    group = {"clusterName": made.name, "nodegroupName": made.facts["node_groups"]["workers"]["name"]}
    made.client("eks").update_nodegroup_version(**group)
    assert readback.shares(made, "workers") == (0, 0)
    found = made.make("spot-mix-check")
    assert found.returncode == 2, "make's exit code where a recipe failed"
    assert "workers" in found.stdout
    made.must("spot-mix")
    assert readback.shares(made, "workers") == (2, 10)
    made.must("spot-mix-check")


def data_go_only_when_told_twice(life: Life) -> None:
    """By the command, which asks the file; and by Terraform alone, which RDS and S3 refuse."""
    made, bucket = life.checkout, life.checkout.facts["storage"]["bucket"]
    put_object(made, bucket)
    put_image(made)
    there = inventory(made)
    refused = made.make("destroy", f"CONFIRM={made.name}", "SKIP_KUBERNETES=1")
    assert refused.returncode
    assert "storage.deletable" in refused.stderr
    assert inventory(made) == there
    variables = f"-var-file={made.folder}/clusters/{made.name}/generated/terraform/cluster.tfvars.json"
    bare = ("-auto-approve", "-input=false", "-no-color", variables)
    alone = made.terraform("destroy", *bare, "-target=module.database[0].aws_db_instance.this")
    assert "Cannot delete protected DB Instance" in alone.stderr
    alone = made.terraform("destroy", *bare, "-target=module.storage.aws_s3_bucket.this")
    assert "BucketNotEmpty" in alone.stderr
    alone = made.terraform("destroy", *bare, "-target=module.registry.aws_ecr_repository.worker")
    assert "RepositoryNotEmpty" in alone.stderr
    assert f"s3: {bucket}" in inventory(made)
    assert made.client("s3").get_object(Bucket=bucket, Key=OBJECT["Key"])["Body"].read() == OBJECT["Body"]
    assert made.client("rds").describe_db_instances()["DBInstances"]


def put_image(made: Checkout) -> None:
    """An image of the worker, as far as ECR looks at it."""
    manifest = json.dumps({"schemaVersion": 2, "mediaType": IMAGE, "config": {}, "layers": []})
    repository = made.facts["worker_repository"]
    made.client("ecr").put_image(repositoryName=repository, imageTag="0.1.0", imageManifest=manifest)


def put_object(made: Checkout, bucket: str) -> None:
    """Past the bucket's policy, which refuses plain HTTP: moto speaks no other."""
    s3 = made.client("s3")
    with pytest.raises(ClientError, match="403"):
        s3.put_object(Bucket=bucket, **OBJECT)
    s3.delete_bucket_policy(Bucket=bucket)
    s3.put_object(Bucket=bucket, **OBJECT)


def told_twice_nothing_is_left(life: Life) -> None:
    made = life.checkout
    made.set(storage__deletable="true", storage__discard_data="true")
    made.must("apply", "AUTO_APPROVE=1")
    began = time.monotonic()
    made.must("destroy", f"CONFIRM={made.name}", "SKIP_KUBERNETES=1")
    LOG.info("%s: gone in %.0f s", made.name, time.monotonic() - began)
    assert inventory(made) == life.before


def told_once_the_data_stay(life: Life) -> None:
    """Images go: git makes them again."""
    made, facts = life.checkout, life.checkout.facts
    bucket, database = facts["storage"]["bucket"], facts["storage"]["database"]["identifier"]
    put_object(made, bucket)
    put_image(made)
    key = made.client("kms").describe_key(KeyId=f"alias/{made.name}-storage")["KeyMetadata"]["KeyId"]
    made.must("destroy", f"CONFIRM={made.name}", "SKIP_KUBERNETES=1")
    left = inventory(made) - life.before
    (snapshot,) = [each for each in left if ":snapshot:" in each]
    assert f":snapshot:{database}-final-" in snapshot
    assert left == {snapshot, f"s3: {bucket}", f"kms: {key}", f"kms: alias/{made.name}-storage"}
    assert life.before <= inventory(made)
    assert made.client("s3").get_object(Bucket=bucket, Key=OBJECT["Key"])["Body"].read() == OBJECT["Body"]


def a_later_cluster_takes_them_over(life: Life) -> None:
    """Only planned: what was left is imported, and all else is made."""
    found = life.checkout.plan()
    left = ("aws_s3_bucket.this", "aws_kms_key.this[0]", "aws_kms_alias.this[0]")
    assert {found.pop(f"module.storage.{each}", "no-op") for each in left} <= {"no-op", "update"}
    assert set(found.values()) == {"create"}
    assert "module.cluster.aws_eks_cluster.this" in found
