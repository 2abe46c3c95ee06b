"""The judge of IAM policies, and what S3's requests need: what neither has a rule for is an error, never a yes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.aws.recording import Asked
from tests.iam import s3
from tests.iam.judge import Request, allows

READ = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/models/*"]}
ROOT = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::1:root"}, "Action": "kms:*", "Resource": "*"}
ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
OBJECT = Request("s3:GetObject", "arn:aws:s3:::b/models/a")
KEY = Request("kms:Decrypt", "arn:aws:kms:r:1:key/k")


def having(condition: dict[str, Any], **context: str) -> bool:
    return allows(Request(OBJECT.action, OBJECT.resource, context), [READ | {"Condition": condition}])


def test_only_what_is_named_is_allowed() -> None:
    assert allows(OBJECT, [READ])
    assert not allows(OBJECT, [])
    assert not allows(Request("s3:PutObject", OBJECT.resource), [READ])
    assert not allows(Request("s3:GetObject", "arn:aws:s3:::b/movies/models/a"), [READ])
    assert not allows(Request("s3:GetObject", "arn:aws:s3:::b2/models/a"), [READ])
    assert allows(OBJECT, [READ | {"Action": "S3:get*", "Resource": "arn:aws:s3:::?/models/?"}])
    assert not allows(OBJECT, [READ | {"Resource": "arn:aws:s3:::?/models/??"}])


def test_a_denial_wins_wherever_it_stands() -> None:
    no = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    assert not allows(OBJECT, [READ, no])
    assert not allows(OBJECT, [READ], [ANYBODY, no | {"Principal": "*"}])
    assert allows(OBJECT, [READ, no | {"Resource": "arn:aws:s3:::other"}])


def test_a_resources_own_policy_may_allow_too_and_a_key_must() -> None:
    assert allows(OBJECT, [], [ANYBODY])
    own = [{"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": ["*"]}]
    assert not allows(KEY, own), "a key whose policy says nothing"
    assert allows(KEY, own, [ROOT])
    assert not allows(KEY, [], [ROOT])
    assert allows(KEY, [], [ROOT, ANYBODY])


def test_conditions() -> None:
    equals = {"StringEquals": {"aws:PrincipalTag/team": ["a", "b"]}}
    assert having(equals, **{"AWS:principaltag/team": "b"})
    assert not having(equals, **{"aws:PrincipalTag/team": "B"})
    assert not having(equals), "a key that the request does not carry"
    assert having({"StringLike": {"s3:prefix": "movies/*"}}, **{"s3:prefix": "movies/a"})
    assert not having({"StringLike": {"s3:prefix": "movies/*"}}, **{"s3:prefix": "models/a"})
    secure = {"Bool": {"aws:SecureTransport": "true"}}
    assert having(secure, **{"aws:SecureTransport": "True"})
    assert not having(secure | equals, **{"aws:SecureTransport": "true"}), "all of them must hold"


def test_policy_variables() -> None:
    mine = READ | {"Resource": ["arn:aws:s3:::b/${aws:PrincipalTag/team}/*"]}
    assert allows(Request(OBJECT.action, OBJECT.resource, {"aws:PrincipalTag/team": "models"}), [mine])
    assert not allows(Request(OBJECT.action, OBJECT.resource, {"aws:PrincipalTag/team": "movies"}), [mine])
    assert not allows(OBJECT, [mine])


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (READ | {"NotAction": ["s3:*"]}, "NotAction"),
        (READ | {"Effect": "Maybe"}, "Maybe"),
        (READ | {"Condition": {"StringNotEquals": {"a": "b"}}}, "StringNotEquals"),
        (READ | {"Condition": {"ForAnyValue:StringEquals": {"a": "b"}}}, "ForAnyValue"),
    ],
)
def test_words_without_a_rule_are_errors(statement: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        allows(OBJECT, [statement])


def test_a_principal_without_a_rule_is_an_error() -> None:
    with pytest.raises(ValueError, match="role/a"):
        allows(KEY, [], [ROOT | {"Principal": {"AWS": "arn:aws:iam::1:role/a"}}])


def asked(method: str, path: str, query: str = "", status: int = 200, header: str = "") -> Asked:
    return Asked(method, path, query, {header: "x"} if header else {}, "ASIA", "s3", "", status)


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (asked("GET", "/b", "list-type=2&prefix=a%2F"), "ListObjectsV2"),
        (asked("GET", "/b/", "prefix=a"), "ListObjects"),
        (asked("HEAD", "/b"), "HeadBucket"),
        (asked("GET", "/b", "location"), "GetBucketLocation"),
        (asked("HEAD", "/b/a"), "HeadObject"),
        (asked("GET", "/b/a%20b/c", "partNumber=1"), "GetObject"),
        (asked("PUT", "/b/a"), "PutObject"),
        (asked("POST", "/b/a", "uploads"), "CreateMultipartUpload"),
        (asked("PUT", "/b/a", "partNumber=1&uploadId=x"), "UploadPart"),
        (asked("POST", "/b/a", "uploadId=x"), "CompleteMultipartUpload"),
        (asked("DELETE", "/b/a", "uploadId=x"), "AbortMultipartUpload"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_operations_by_what_came_over_the_wire(request_: Asked, name: str) -> None:
    assert s3.operation(request_) == name


@pytest.mark.parametrize(
    "request_",
    [
        asked("DELETE", "/b/a"),
        asked("PUT", "/b"),
        asked("GET", "/b/a", "tagging"),
        asked("PUT", "/b/a", header="x-amz-copy-source"),
        asked("PUT", "/b/a", header="x-amz-tagging"),
        asked("GET", "/b/a", "versionId=1"),
    ],
    ids=lambda each: f"{each.method} {each.path}?{each.query}",
)
def test_requests_without_a_rule_are_errors(request_: Asked) -> None:
    with pytest.raises(ValueError, match="no rule"):
        s3.Bucket("b", "1", "r").needs(request_)


def needs(request: Asked, key: str = "arn:aws:kms:r:1:key/k") -> list[str]:
    return [each.action for each in s3.Bucket("b", "1", "r", key).needs(request)]


def test_what_requests_need() -> None:
    assert needs(asked("GET", "/b/a")) == ["s3:GetObject", "kms:Decrypt"]
    assert needs(asked("GET", "/b/a"), key="") == ["s3:GetObject"]
    assert needs(asked("GET", "/b/a", status=404)) == ["s3:GetObject", "s3:ListBucket"]
    assert needs(asked("PUT", "/b/a")) == ["s3:PutObject", "kms:GenerateDataKey"]
    assert needs(asked("PUT", "/b/a", "partNumber=1&uploadId=x")) == [
        "s3:PutObject",
        "kms:GenerateDataKey",
        "kms:Decrypt",
    ]
    (listing,) = s3.Bucket("b", "1", "r").needs(asked("GET", "/b", "list-type=2&prefix=movies%2F"))
    assert listing == Request("s3:ListBucket", "arn:aws:s3:::b", {"s3:prefix": "movies/"})
    (use,) = s3.Bucket("b", "1", "r", "k").needs(asked("GET", "/b/a"))[1:]
    assert use.context == {"kms:ViaService": "s3.r.amazonaws.com", "kms:CallerAccount": "1"}
