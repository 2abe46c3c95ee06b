"""IAM trust policies, judged against tokens that the lab's API server really signs.

The judge is ours (`trust.py`): moto's STS takes any token. Policies are those that Terraform writes, with the lab's
issuer as OIDC provider.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import KeySet, RSAKey

from generators.lab.lab import Lab
from generators.model.identities import ROLE_ANNOTATION, WorkloadIdentity, identities
from tests.e2e import trust

AUDIENCE = "sts.amazonaws.com"
ELSEWHERE = "elsewhere"
NOBODY: trust.Policy = {"Statement": []}
"""The trust policy of a role that is not there."""


@pytest.fixture(scope="module")
def policies(synced: Lab) -> dict[str, trust.Policy]:
    """Trust policies by role name, out of Terraform's own plan."""
    return trust.planned(synced.inputs, synced.api.issuer)


@pytest.fixture(scope="module")
def roles(synced: Lab) -> Iterator[list[WorkloadIdentity]]:
    """Every workload identity of the cluster. Accounts of charts that were left out are made for the time being, and
    so are accounts of the same names in another namespace."""
    found = identities(synced.inputs)
    here = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in synced.get("serviceaccounts", "-A")}
    wanted = {(each.namespace, each.service_account) for each in found} | {(ELSEWHERE, name) for _, name in here}
    wanted |= {(ELSEWHERE, each.service_account) for each in found}
    made = [_account(*each) for each in sorted(wanted - here)]
    synced.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ELSEWHERE}}])
    synced.apply(made)
    yield found
    synced.kubectl("delete", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
    synced.kubectl("delete", "namespace", ELSEWHERE, "--wait=false")


def _account(namespace: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def token(lab: Lab, namespace: str, account: str, audience: str = AUDIENCE) -> str:
    """A token as kubelet would project it into a pod."""
    return lab.kubectl("create", "token", account, "-n", namespace, f"--audience={audience}").strip()


def test_each_role_trusts_its_service_account(
    synced: Lab, policies: dict[str, trust.Policy], roles: list[WorkloadIdentity]
) -> None:
    assert {each.role_name for each in roles} <= set(policies)
    keys = trust.keys(synced)
    refused = [
        each.role_name
        for each in roles
        if not trust.allows(policies[each.role_name], keys, token(synced, each.namespace, each.service_account))
    ]
    assert refused == []


@pytest.mark.parametrize("wrong", ["namespace", "ServiceAccount", "audience", "issuer", "key"])
def test_each_role_refuses_what_is_wrong(
    synced: Lab, policies: dict[str, trust.Policy], roles: list[WorkloadIdentity], wrong: str
) -> None:
    keys = trust.keys(synced)
    if wrong == "issuer":
        policies = trust.planned(synced.inputs, "https://oidc.eks.us-east-1.amazonaws.com/id/OTHER")
    if wrong == "key":
        keys = KeySet([RSAKey.generate_key(2048, parameters={"kid": str(keys.keys[0].kid)})])
    given = [
        each.role_name
        for each in roles
        if trust.allows(policies[each.role_name], keys, _wrong_token(synced, each, wrong))
    ]
    assert given == []


def _wrong_token(lab: Lab, each: WorkloadIdentity, wrong: str) -> str:
    namespace = ELSEWHERE if wrong == "namespace" else each.namespace
    account = "default" if wrong == "ServiceAccount" else each.service_account
    return token(lab, namespace, account, "elsewhere" if wrong == "audience" else AUDIENCE)


def test_no_role_trusts_the_account_of_another(
    synced: Lab, policies: dict[str, trust.Policy], roles: list[WorkloadIdentity]
) -> None:
    keys = trust.keys(synced)
    tokens = {each.role_name: token(synced, each.namespace, each.service_account) for each in roles}
    given = [
        (name, other)
        for name in tokens
        for other in tokens
        if name != other and trust.allows(policies[name], keys, tokens[other])
    ]
    assert given == []


def test_each_account_names_a_role_that_takes_it(synced: Lab, policies: dict[str, trust.Policy]) -> None:
    keys = trust.keys(synced)
    named = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each["metadata"]["annotations"][ROLE_ANNOTATION]
        for each in synced.get("serviceaccounts", "-A")
        if ROLE_ANNOTATION in each["metadata"].get("annotations", {})
    }
    ours = [each for each in identities(synced.inputs) if each.app not in synced.left_out]
    assert set(named) == {(each.namespace, each.service_account) for each in ours}
    refused = {
        account: role
        for account, role in named.items()
        if not trust.allows(policies.get(role.rpartition("/")[2], NOBODY), keys, token(synced, *account))
    }
    assert refused == {}
