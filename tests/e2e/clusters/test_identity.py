"""IAM trust policies, judged against tokens that the lab's API server really signs.

The judge is ours (`trust.py`): moto's STS takes any token. Policies are those that Terraform writes, with the lab's
issuer as OIDC provider.
"""

from __future__ import annotations

import pytest

from generators.lab.lab import Lab
from generators.model.identities import WorkloadIdentity, identities
from tests.e2e import trust

AUDIENCE = "sts.amazonaws.com"


def in_sync(lab: Lab) -> list[WorkloadIdentity]:
    """Identities of apps whose ServiceAccounts are in the lab."""
    return [each for each in identities(lab.inputs) if each.app not in lab.left_out]


def token(lab: Lab, namespace: str, account: str, audience: str = AUDIENCE) -> str:
    """A token as kubelet would project it into a pod."""
    return lab.kubectl("create", "token", account, "-n", namespace, f"--audience={audience}").strip()


@pytest.fixture(scope="module")
def policies(synced: Lab) -> dict[str, trust.Policy]:
    """Trust policies by role name, out of Terraform's own plan."""
    return trust.planned(synced.inputs, synced.api.issuer)


def test_each_role_trusts_its_service_account_alone(synced: Lab, policies: dict[str, trust.Policy]) -> None:
    found = in_sync(synced)
    assert found
    keys = trust.keys(synced)
    for each in found:
        policy = policies[each.role_name]
        assert trust.allows(policy, keys, token(synced, each.namespace, each.service_account))
        other = next(other for other in found if other.service_account != each.service_account)
        assert not trust.allows(policy, keys, token(synced, other.namespace, other.service_account))
        assert not trust.allows(policy, keys, token(synced, each.namespace, "default"))
        assert not trust.allows(policy, keys, token(synced, each.namespace, each.service_account, "elsewhere"))


def test_the_same_name_in_another_namespace_is_refused(synced: Lab, policies: dict[str, trust.Policy]) -> None:
    each = in_sync(synced)[0]
    synced.kubectl("create", "serviceaccount", each.service_account, "-n", "default")
    try:
        stolen = token(synced, "default", each.service_account)
    finally:
        synced.kubectl("delete", "serviceaccount", each.service_account, "-n", "default")
    assert not trust.allows(policies[each.role_name], trust.keys(synced), stolen)


def test_another_issuer_is_refused(synced: Lab) -> None:
    each = in_sync(synced)[0]
    elsewhere = trust.planned(synced.inputs, "https://oidc.eks.us-east-1.amazonaws.com/id/OTHER")
    own = token(synced, each.namespace, each.service_account)
    assert not trust.allows(elsewhere[each.role_name], trust.keys(synced), own)
