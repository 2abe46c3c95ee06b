"""What becomes of a cluster's data: an earlier cluster's are taken over, and they go only when told twice.

Terraform is real, and so are provider and storage module, but for the module's lifecycle rules, for which the provider
waits a minute. AWS is its stand-in. The steps need one another.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from scripts.adoption import alias
from scripts.terraform import state_key
from tests import fleets
from tests.terraform import mirrors
from tests.tiny_root import STATE_BUCKET, Run, TinyRoot, plan_file, tiny_root
from tests.tool_needed import needed

PROVIDER = """
provider "aws" {
  region            = var.region
  s3_use_path_style = true
  default_tags {
    tags = var.tags
  }
}
"""
STORAGE = """
module "storage" {
  source = "../modules/storage"

  name             = var.cluster_name
  account_id       = var.account_id
  region           = var.region
  bucket           = var.storage.bucket
  pipelines_prefix = var.storage.pipelines_prefix
  encryption       = var.storage.encryption
  deletable        = var.storage.deletable
  discard_data     = var.storage.discard_data
}
"""
REGISTRY = """
module "registry" {
  source = "../modules/registry"

  repository = var.worker_repository
  deletable  = var.storage.deletable
}
"""
DATABASE = """
resource "aws_db_instance" "this" {
  identifier     = var.storage.database.identifier
  instance_class = var.storage.database.instance_class
}
"""
"""In the state and not applied: for each change of a database the provider waits a minute and more."""
REPOSITORY = "demo/inference-worker"
DATABASE_WORDS = {"final_snapshot_identifier": "demo-pipelines-final-1", "skip_final_snapshot": False}


@dataclass
class Story:
    """What each step said, and what AWS and state held after it."""

    root: TinyRoot
    bucket: str
    key: str
    runs: dict[str, Run] = field(default_factory=dict)
    state: dict[str, set[str]] = field(default_factory=dict)
    aws: dict[str, dict[str, Any]] = field(default_factory=dict)

    def step(self, name: str, *arguments: str) -> None:
        """One command, and a look at everything."""
        self.runs[name] = self.root("infrastructure", *arguments)
        self.state[name] = set(self.root.state("demo"))
        self.aws[name] = {
            "buckets": {each["Name"] for each in self.root.client("s3").list_buckets()["Buckets"]},
            "key": self.root.client("kms").describe_key(KeyId=self.key)["KeyMetadata"]["KeyState"],
            "repositories": [
                each["repositoryName"] for each in self.root.client("ecr").describe_repositories()["repositories"]
            ],
            "databases": {
                each["DBInstanceIdentifier"]: each["DeletionProtection"]
                for each in self.root.client("rds").describe_db_instances()["DBInstances"]
            },
            "snapshots": [
                each["DBSnapshotIdentifier"]
                for each in self.root.client("rds").describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
            ],
        }

    def said(self, name: str) -> str:
        """Both outputs of a step."""
        return self.runs[name].stdout + self.runs[name].stderr


def left_behind(root: TinyRoot) -> tuple[str, str]:
    """Bucket with an object, and key, as an earlier cluster of the name left them."""
    facts = json.loads((root.workspace.clusters / "demo/generated/terraform/cluster.tfvars.json").read_text())
    bucket = facts["storage"]["bucket"]
    root.make_bucket(bucket)
    root.client("s3").put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "cluster", "Value": "demo"}]})
    root.client("s3").put_object(Bucket=bucket, Key="movies/one", Body=b"frames")
    return bucket, make_key(root, KeyUsage="ENCRYPT_DECRYPT")


def make_key(root: TinyRoot, **arguments: str) -> str:
    """A key with the cluster's tag and alias."""
    kms = root.client("kms")
    key = str(kms.create_key(Tags=[{"TagKey": "cluster", "TagValue": "demo"}], **arguments)["KeyMetadata"]["KeyId"])
    kms.create_alias(AliasName=alias("demo"), TargetKeyId=key)
    return key


def add_database(root: TinyRoot) -> None:
    """A database in AWS, protected, and in the state as an apply without any word leaves it."""
    made = root.client("rds").create_db_instance(
        DBInstanceIdentifier="demo-pipelines",
        DBInstanceClass="db.t4g.medium",
        Engine="mysql",
        AllocatedStorage=50,
        MasterUsername="pipelines",
        MasterUserPassword="of-no-use",
        DeletionProtection=True,
    )["DBInstance"]
    attributes = {"id": made["DbiResourceId"], "identifier": "demo-pipelines", "deletion_protection": True}
    instance = {"schema_version": 2, "attributes": attributes | DATABASE_WORDS}
    place = {"Bucket": STATE_BUCKET, "Key": state_key("demo")}
    state = json.loads(root.client("s3").get_object(**place)["Body"].read())
    state["resources"].append(
        {
            "mode": "managed",
            "type": "aws_db_instance",
            "name": "this",
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [instance],
        }
    )
    root.client("s3").put_object(**place, Body=json.dumps(state | {"serial": state["serial"] + 1}))


def push_image(root: TinyRoot) -> None:
    """An image of the worker, as far as ECR looks at it."""
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {}, "layers": []})
    root.client("ecr").put_image(repositoryName=REPOSITORY, imageTag="0.1.0", imageManifest=manifest)


def unprotect(root: TinyRoot) -> None:
    """What an apply of the first word does to the database, in AWS and in the state, and to the repository."""
    root.client("rds").modify_db_instance(DBInstanceIdentifier="demo-pipelines", DeletionProtection=False)
    place = {"Bucket": STATE_BUCKET, "Key": state_key("demo")}
    state = root.client("s3").get_object(**place)["Body"].read().decode()
    state = state.replace('"deletion_protection": true', '"deletion_protection": false')
    root.client("s3").put_object(**place, Body=state.replace('"force_delete": false', '"force_delete": true'))


def prepare(root: TinyRoot) -> None:
    """The root with provider and storage."""
    modules = root.workspace.root / "terraform" / "modules"
    for name in ("registry", "storage"):
        there = fleets.ROOT / "terraform" / "modules" / name
        shutil.copytree(there, modules / name, ignore=shutil.ignore_patterns("tests"))
    for path in (modules / "storage").glob("*.tf"):
        lifecycle = r'^resource "aws_s3_bucket_lifecycle_configuration" .*?^\}\n'
        path.write_text(re.sub(lifecycle, "", path.read_text(), flags=re.DOTALL | re.MULTILINE))
    shutil.copy(fleets.ROOT / "terraform" / "cluster" / "adopt.tf", root.folder)
    shutil.copy(fleets.ROOT / "terraform" / "cluster" / "versions.tf", root.folder)
    root.write("main.tf", PROVIDER + STORAGE + REGISTRY)


def test_the_data_of_a_cluster(tmp_path: Path) -> None:
    """One test, because each step needs those before it, and all of them minutes of Terraform's time."""
    needed("terraform")
    if not next(mirrors(), None) and "CI" not in os.environ:
        pytest.skip("the AWS provider cannot be had offline: put it into a folder, and name that in TF_PLUGIN_MIRROR")
    with tiny_root(fleets.workspace(tmp_path / "checkout")) as root:
        root.add("demo")
        prepare(root)
        a_key_that_would_be_replaced_is_not_taken_over(root)
        story = Story(root, *left_behind(root))
        destroy = ("destroy", "demo", "--confirm=demo")
        story.step("take over", "apply", "demo", "--yes")
        root.write("main.tf", PROVIDER + STORAGE + REGISTRY + DATABASE)
        push_image(root)
        add_database(root)
        root.set("demo", storage__deletable="true", storage__discard_data="true")
        story.step("not applied", *destroy)
        words_that_are_not_applied_do_not_count(story)
        unprotect(root)
        root.set("demo", storage__discard_data="false")
        story.step("keep", *destroy)
        told_once_the_data_stay(story)
        root.write("main.tf", PROVIDER + STORAGE)
        root.set("demo", storage__discard_data="true")
        story.step("take over again", "apply", "demo", "--yes")
        what_an_earlier_cluster_left_is_taken_over(story)
        story.step("discard", *destroy)
        told_twice_all_goes(story)


def a_key_that_would_be_replaced_is_not_taken_over(root: TinyRoot) -> None:
    # Without a usage, which AWS never leaves out, the provider sees another key.
    key = make_key(root)
    refused = root("infrastructure", "plan", "demo")
    root.client("kms").delete_alias(AliasName=alias("demo"))
    root.client("kms").schedule_key_deletion(KeyId=key)
    assert refused.returncode == 2
    assert "would remove module.storage.aws_kms_key.this[0], and with it data" in refused.stderr
    assert not plan_file(root, "demo").exists()


def what_an_earlier_cluster_left_is_taken_over(story: Story) -> None:
    for step in ("take over", "take over again"):
        assert story.runs[step].returncode == 0, story.said(step)
        assert f"an earlier demo left its bucket, {story.bucket}: taken over" in story.said(step)
        assert "module.storage.aws_s3_bucket.this: Import complete" in story.said(step)
        assert f"module.storage.aws_kms_key.this[0]: Import complete [id={story.key}]" in story.said(step)
        assert "module.storage.aws_kms_alias.this[0]: Import complete" in story.said(step)
        assert "module.storage.aws_s3_bucket.this" in story.state[step]
    assert "0 destroyed" in story.said("take over")


def words_that_are_not_applied_do_not_count(story: Story) -> None:
    said = story.said("not applied")
    assert story.runs["not applied"].returncode == 2
    assert "the database demo-pipelines is still protected from deletion" in said
    assert "the database demo-pipelines would go with a final snapshot, but storage.discard_data is true" in said
    assert f"the bucket {story.bucket} would refuse" in said
    assert f"the repository {REPOSITORY} would refuse to go with its images" in said
    assert "make apply NAME=demo" in said
    assert story.state["not applied"] == {*story.state["take over"], "root.aws_db_instance.this"}
    assert story.aws["not applied"]["databases"] == {"demo-pipelines": True}


def told_once_the_data_stay(story: Story) -> None:
    assert story.runs["keep"].returncode == 0, story.said("keep")
    assert story.state["keep"] == set()
    aws = story.aws["keep"]
    assert (aws["databases"], aws["snapshots"]) == ({}, ["demo-pipelines-final-1"])
    assert story.bucket in aws["buckets"]
    assert aws["repositories"] == []
    assert aws["key"] == "Enabled"
    for kept in (
        f"kept: bucket {story.bucket}",
        "kept: KMS key alias/demo-storage",
        "kept: snapshot demo-pipelines-final-1",
    ):
        assert kept in story.said("keep")


def told_twice_all_goes(story: Story) -> None:
    assert story.runs["discard"].returncode == 0, story.said("discard")
    assert story.state["discard"] == set()
    assert story.bucket not in story.aws["discard"]["buckets"]
    assert story.aws["discard"]["key"] == "PendingDeletion"
    assert "kept" not in story.said("discard")
