"""What an earlier cluster of the same name left, the bucket and its key, becomes the new one's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from generators.cli import console
from generators.errors import wrong
from scripts import state_bucket
from scripts.target import Target, retries
from scripts.terraform import Root

if TYPE_CHECKING:
    from collections.abc import Iterable

BUCKET = "module.storage.aws_s3_bucket.this"
KEY = "module.storage.aws_kms_key.this[0]"


def options(root: Root) -> list[str]:
    """The option for `terraform plan` that imports what was left, or none. The plan then shows it, and apply does it.

    Raises FleetError for a bucket or a key that is not this cluster's.
    """
    found = left(root.target, root.addresses())
    if not found:
        return []
    for what, name in found.items():
        console.say(f"an earlier {root.target.name} left its {what}, {name}: taken over, not made")
    return [f"-var=adopt={json.dumps(found)}"]


def left(target: Target, held: Iterable[str] = ()) -> dict[str, str]:
    """`bucket`, `key` and `alias` that exist in AWS and are not among the addresses `held`, by Terraform's ids."""
    found: dict[str, str] = {}
    storage = target.facts["storage"]
    if BUCKET not in held and _bucket_is_ours(target, storage["bucket"]):
        found["bucket"] = storage["bucket"]
    if KEY not in held and storage.get("encryption", "kms") == "kms" and (key := _key(target)):
        found |= {"key": key, "alias": alias(target.name)}
    return found


def alias(name: str) -> str:
    """Alias of the cluster's storage key, as terraform/modules/storage has it."""
    return f"alias/{name}-storage"


def _bucket_is_ours(target: Target, bucket: str) -> bool:
    """Whether it exists. Raises FleetError where it is not this cluster's."""
    s3 = target.session.client("s3", config=retries())
    if not state_bucket.exists(s3, bucket, target.account):
        return False
    tags = {
        each["Key"]: each["Value"]
        for each in state_bucket.said(lambda: s3.get_bucket_tagging(Bucket=bucket), "TagSet", [])
    }
    _refuse_foreign(target, f"s3://{bucket}", tags)
    return True


def _key(target: Target) -> str:
    """Id of the key, "" without one. Raises FleetError where it is not this cluster's, or about to be deleted."""
    kms: Any = target.session.client("kms", config=retries())
    name = alias(target.name)
    try:
        found = kms.describe_key(KeyId=name)["KeyMetadata"]
    except kms.exceptions.NotFoundException:
        return ""
    pages = kms.get_paginator("list_resource_tags").paginate(KeyId=found["KeyId"])
    _refuse_foreign(target, name, {each["TagKey"]: each["TagValue"] for page in pages for each in page["Tags"]})
    if found["KeyState"] != "Enabled":
        hint = f"aws kms cancel-key-deletion and enable-key for {found['KeyId']}, or remove the alias to get a new key"
        raise wrong(name, f"the key that an earlier {target.name} left is {found['KeyState']}", hint=hint)
    return str(found["KeyId"])


def _refuse_foreign(target: Target, what: str, tags: dict[str, str]) -> None:
    if tags.get("cluster") != target.name:
        said = f"is tagged cluster={tags['cluster']}" if "cluster" in tags else "has no tag `cluster`"
        hint = f"if it is {target.name}'s, tag it cluster={target.name}; else name another in storage.bucket"
        raise wrong(what, f"exists and {said}, so it is not taken over", hint=hint)
