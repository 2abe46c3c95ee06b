"""What programs ask of AWS under the roles of the committed clusters: all of it is allowed, and nothing else is.

Our own programs run here, on moto's S3, and what they ask is recorded on the wire. Third-party programs cannot: no
image can be had in a test, and most need a cluster and AWS around them. `iam/calls.json` says what they ask, from their
sources. The judge is ours (`iam/judge.py`): moto lets everybody do everything.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from tests.iam import calls, facts, planned, programs
from tests.iam.calls import Call
from tests.iam.judge import Request, Statement, allows

ROLES = [(cluster, account) for cluster in facts.CLUSTERS for account in facts.identities(cluster)]
OWN = [each for each in ROLES if each[1] in programs.OURS]
ALONE = {programs.WORKER, programs.WARMER}
"""Whose recorded calls need every word of the policy, whatever else runs under that role."""


class Grant(NamedTuple):
    """One action on one resource, within one statement of a role's policy."""

    cluster: str
    account: str
    statement: int
    action: str
    resource: str


GRANTS = [
    Grant(*role, number, action, resource)
    for role in ROLES
    for number, statement in enumerate(facts.statements(*role))
    for action in statement["Action"]
    for resource in statement["Resource"]
]


@cache
def recorded(cluster: str, account: str) -> list[Call]:
    """What our programs ask under this role, all of them run now."""
    with TemporaryDirectory() as folder, programs.scene(cluster, Path(folder)) as scene:
        return calls.recorded(cluster, f"ours as {account}", programs.OURS[account](scene))


def asked(cluster: str, account: str) -> list[Call]:
    """All that is asked under a role."""
    ours = recorded(cluster, account) if account in programs.OURS else []
    return ours if account in ALONE else ours + calls.documented(cluster, account)


def without(grant: Grant) -> list[Statement]:
    """The role's policy, and this grant taken out of it."""
    found = copy.deepcopy(facts.statements(grant.cluster, grant.account))
    kept = found.pop(grant.statement)
    other_actions = [each for each in kept["Action"] if each != grant.action]
    other_resources = [each for each in kept["Resource"] if each != grant.resource]
    parts = [kept | {"Action": other_actions}, kept | {"Action": [grant.action], "Resource": other_resources}]
    return found + [part for part in parts if part["Action"] and part["Resource"]]


def refused(found: list[Call], policy: list[Statement]) -> list[str]:
    return [str(call) for call in found if not call.allowed(policy)]


def test_everybody_who_has_a_role_is_known() -> None:
    known = programs.OURS.keys() | {each["account"] for each in calls.programs()}
    assert {account for _, account in ROLES} == known
    assert all(each["source"] and each["calls"] for each in calls.programs())


@pytest.mark.parametrize(("cluster", "account"), ROLES)
def test_all_that_is_asked_is_allowed(cluster: str, account: str) -> None:
    found = asked(cluster, account) + calls.documented(cluster, account)
    assert found
    assert refused(found, facts.statements(cluster, account)) == []


@pytest.mark.parametrize("grant", GRANTS, ids=lambda each: " ".join(map(str, each)))
def test_any_one_action_taken_away_is_missed(grant: Grant) -> None:
    found = asked(grant.cluster, grant.account)
    assert refused(found, without(grant)), (
        f"nobody asks for {grant.action} on {grant.resource}: take it out of app.yaml"
    )


@pytest.mark.parametrize(("cluster", "account"), ROLES)
def test_what_another_cluster_has_is_out_of_reach(cluster: str, account: str) -> None:
    for call in asked(cluster, account):
        there = call.elsewhere(cluster, "another")
        if there != call:  # what lists and describes names no cluster
            assert not there.allowed(facts.statements(cluster, account)), there


def others(cluster: str) -> Iterator[tuple[str, Request]]:
    """Objects of the cluster's own bucket, by the ServiceAccount that must not have them."""
    arn = f"arn:aws:s3:::{facts.bucket(cluster).name}"
    (job, *_) = (dict(env(template))["INFERENCE_OUTPUT"] for _, template in facts.workers(cluster))
    yield programs.WORKER, Request("s3:PutObject", f"{arn}/movies/a.mp4")
    yield programs.WORKER, Request("s3:PutObject", f"{arn}/models/resnet50/1/model.onnx")
    yield programs.WORKER, Request("s3:GetObject", f"{arn}/pipelines/artifacts/a")
    yield programs.WORKER, Request("s3:DeleteObject", f"{arn}/{job}a.jsonl")
    yield programs.WARMER, Request("s3:GetObject", f"{arn}/movies/a.mp4")
    yield programs.WARMER, Request("s3:ListBucket", arn, {"s3:prefix": "movies/"})
    yield programs.WARMER, Request("s3:PutObject", f"{arn}/models/resnet50/1/model.onnx")
    yield programs.RUNNER, Request("s3:PutObject", f"{arn}/models/resnet50/1/model.onnx")
    yield programs.RUNNER, Request("s3:PutObject", f"{arn}/{job}a.jsonl")
    yield programs.RUNNER, Request("s3:DeleteObject", f"{arn}/pipelines/artifacts/a")
    yield "kubeflow/ml-pipeline-ui", Request("s3:PutObject", f"{arn}/pipelines/artifacts/a")
    yield "kubeflow/ml-pipeline", Request("s3:GetObject", f"{arn}/movies/a.mp4")


def env(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    (container,) = template["spec"]["containers"]
    yield from ((each["name"], each.get("value", "")) for each in container["env"])


@pytest.mark.parametrize("cluster", facts.CLUSTERS)
def test_what_is_not_its_own_in_the_bucket_is_out_of_reach(cluster: str) -> None:
    for account, request in others(cluster):
        assert not allows(request, facts.statements(cluster, account)), f"{account}: {request}"


@pytest.fixture(scope="module")
def terraform() -> dict[str, planned.Made]:
    """What Terraform makes of each cluster's identities and storage."""
    return planned.clusters()


@pytest.mark.parametrize(("cluster", "account"), ROLES)
def test_terraform_makes_the_role_that_is_judged_here(
    terraform: dict[str, planned.Made], cluster: str, account: str
) -> None:
    """All of it: one policy, nothing attached, nothing left out."""
    made = terraform[cluster].policies[facts.identities(cluster)[account]["name"]]
    assert made == facts.statements(cluster, account)


@pytest.mark.parametrize(("cluster", "account"), OWN)
def test_the_buckets_key_lets_whom_s3_lets(terraform: dict[str, planned.Made], cluster: str, account: str) -> None:
    made, own = terraform[cluster], facts.statements(cluster, account)
    assert made.algorithm == ("aws:kms" if facts.bucket(cluster).key_arn else "AES256")
    uses = {use for call in recorded(cluster, account) for use in call.uses_key}
    written = {"kms:GenerateDataKey"} if account != programs.WARMER else set()
    assert {use.action for use in uses} == {"kms:Decrypt"} | written
    for use in uses:
        assert allows(use, own, made.key)
        assert not allows(use, own, []), "their own policies do not say so"
        for key, value in {"kms:ViaService": "ec2.amazonaws.com", "kms:CallerAccount": "999999999999"}.items():
            assert not allows(Request(use.action, use.resource, {**use.context, key: value}), own, made.key)


@pytest.mark.parametrize("action", ["kms:Decrypt", "kms:GenerateDataKey*"])
@pytest.mark.parametrize(("cluster", "account"), [each for each in OWN if each[1] != programs.WARMER])
def test_any_one_action_taken_from_the_key_is_missed(
    terraform: dict[str, planned.Made], cluster: str, account: str, action: str
) -> None:
    key = copy.deepcopy(terraform[cluster].key)
    (statement,) = [each for each in key if each["Sid"] == "WhoeverMayUseTheData"]
    statement["Action"].remove(action)
    uses = [use for call in recorded(cluster, account) for use in call.uses_key]
    assert any(not allows(use, facts.statements(cluster, account), key) for use in uses)
