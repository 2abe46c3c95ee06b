"""Names of IAM roles are made by joining words, and an AWS account has one of each: no two may come out the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generators.checks.identity.evidence import Spot, Told
from generators.checks.identity.tfvars import OTHER_ROLES
from generators.model import names
from generators.model.base import Finding
from generators.model.cluster import Cluster
from generators.model.identities import WorkloadIdentity


def findings(declared: Sequence[WorkloadIdentity]) -> Told:
    """Identities of one cluster whose roles would be one: Terraform's variables can hold only the last of them."""
    first: dict[str, WorkloadIdentity] = {}
    for each in declared:
        other = first.setdefault(each.role_name, each)
        if other is not each:
            what = f"its role would be `{each.role_name}`, as that of {other.namespace}/{other.service_account} is"
            yield (
                Spot("app", each.app),
                Finding(("identities", each.service_account), what, "name one of them otherwise"),
            )


def taken(cluster: Cluster, declared: Sequence[WorkloadIdentity]) -> Iterator[tuple[str, str]]:
    """Each role's name and whose it is, those that Terraform makes beside the identities included."""
    for key, owner in OTHER_ROLES.items():
        yield f"{cluster.name}-{key}", owner
    for each in declared:
        yield names.role_name(cluster, each.namespace, each.service_account), f"{each.namespace}/{each.service_account}"


def across(clusters: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]) -> Iterator[tuple[str, Finding]]:
    """Cluster and finding for each role that a cluster before it has in the same account.

    `clusters` are name, AWS account, and what `taken` says.
    """
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for cluster, account, roles in sorted(clusters):
        for role, owner in roles:
            other, its = first.setdefault((account, role), (cluster, owner))
            if other != cluster:
                what = f"the role `{role}` of {owner} would be that of {its} in {other}: they share account {account}"
                yield cluster, Finding(("name",), what, "name the cluster otherwise")
