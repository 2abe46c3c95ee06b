"""What S3 asks permission for when a request comes in over the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, unquote, urlsplit

import botocore.session
from botocore.model import OperationModel, ServiceModel

from tests.aws.recording import Asked
from tests.iam.judge import Request

ACTIONS = {
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "CompleteMultipartUpload": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "GetBucketLocation": "s3:GetBucketLocation",
    "GetObject": "s3:GetObject",
    "HeadBucket": "s3:ListBucket",
    "HeadObject": "s3:GetObject",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "UploadPart": "s3:PutObject",
}
"""Action by operation: docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html, 2026-11-24."""
MORE = {"versionid", "x-amz-acl", "x-amz-grant-read", "x-amz-object-lock-mode", "x-amz-tagging"}
"""Words of a request that need another action beside, or instead: there is no rule for them here."""
KEYED = {"s3:GetObject": ["kms:Decrypt"], "s3:PutObject": ["kms:GenerateDataKey"]}
"""What S3 does with the key of an encrypted bucket, in the caller's name:
docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html, 2026-11-24."""
BUCKET, OBJECT = "/{Bucket}", "/{Bucket}/{Key+}"
PARTS = {"UploadPart", "CompleteMultipartUpload"}
"""Uploads in parts read the parts again."""


@dataclass(frozen=True)
class Bucket:
    """A cluster's bucket; `key_arn`: the KMS key of its own that it is encrypted with, or none."""

    name: str
    account: str
    region: str
    key_arn: str = ""

    def needs(self, asked: Asked) -> list[Request]:
        """All that must be allowed for this request. Raises ValueError where nobody knows."""
        name, query = operation(asked), _query(asked)
        if unknown := MORE & {*query, *asked.headers}:
            raise ValueError(f"{name} with {sorted(unknown)}: no rule for what that needs")
        bucket, _, key = unquote(asked.path).lstrip("/").partition("/")
        gone = bool(key) and asked.status == 404 and asked.method in {"GET", "HEAD"}
        return self.operation(name, key, bucket, query.get("prefix", ""), gone)

    def operation(
        self, name: str, key: str = "", bucket: str = "", prefix: str = "", gone: bool = False
    ) -> list[Request]:
        """The same for an operation on a key; `gone`: there is no such object."""
        arn = f"arn:aws:s3:::{bucket or self.name}"
        context = {"s3:prefix": prefix} if prefix else {}
        found = [Request(ACTIONS[name], f"{arn}/{key}" if key else arn, context)]
        if gone:
            # Who may not list is told 403, not 404: docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
            return [*found, Request("s3:ListBucket", arn, context)]
        uses = KEYED.get(ACTIONS[name], []) + (["kms:Decrypt"] if name in PARTS else [])
        through = {"kms:ViaService": f"s3.{self.region}.amazonaws.com", "kms:CallerAccount": self.account}
        return found + [Request(use, self.key_arn, through) for use in uses if self.key_arn]


def operation(asked: Asked) -> str:
    """Name of the operation that a path-style request asks for, by botocore's model of S3. Raises ValueError."""
    query, keyed = _query(asked), "/" in asked.path.strip("/")
    fits = [
        (weight, name) for name, weight in _weights(asked.method, keyed, frozenset(query), frozenset(asked.headers))
    ]
    best = sorted(name for weight, name in fits if weight == max(fits)[0])
    known = [name for name in best if name in ACTIONS]
    if len(known) != 1:
        raise ValueError(f"{asked.method} {asked.path}?{asked.query} is one of {best}: no rule for what that needs")
    return known[0]


@cache
def _weights(method: str, keyed: bool, query: frozenset[str], headers: frozenset[str]) -> list[tuple[str, int]]:
    """Operations that the request has all words for, each with the number of those words: the most specific counts."""
    found = []
    for each in map(_s3().operation_model, _s3().operation_names):
        path, words, heads = _shape(each)
        if (each.http["method"], path) == (method, OBJECT if keyed else BUCKET) and words <= query and heads <= headers:
            found.append((each.name, len(words) + len(heads)))
    return found


def _shape(model: OperationModel) -> tuple[str, set[str], set[str]]:
    """Path, and the words that a request must have in query and headers, in lower case."""
    uri = urlsplit(model.http["requestUri"])
    words = {re.split("=", each)[0].lower() for each in uri.query.split("&") if each}
    heads = set()
    members = model.input_shape.members if model.input_shape else {}
    for name in model.input_shape.required_members if model.input_shape else []:
        told = members[name].serialization
        if told.get("location") == "querystring":
            words.add(told["name"].lower())
        if told.get("location") == "header":
            heads.add(told["name"].lower())
    return uri.path, words, heads


@cache
def _s3() -> ServiceModel:
    return botocore.session.get_session().get_service_model("s3")


def _query(asked: Asked) -> dict[str, str]:
    return {key.lower(): value for key, value in parse_qsl(asked.query, keep_blank_values=True)}
