"""The roles of a cluster as `cluster.tfvars.json` has them: what Terraform will make, whatever the sources say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from generators.checks.identity.evidence import Key, Spot, Told, texts
from generators.checks.policy.objects import mapping
from generators.model.base import Finding

ENTRY = ("app", "namespace", "service_account")
OTHER_ROLES = {
    "control-plane": "EKS itself",
    "flow-logs": "the VPC's flow logs",
    "kube-system-aws-node": "EKS's add-on vpc-cni",
    "node": "the nodes",
}
"""Roles that Terraform makes beside the identities, as `<cluster>-<key>`, and whose. A test holds it to the modules."""
ADD_ON_ACCOUNTS = {("kube-system", "aws-node"): "EKS's add-on vpc-cni"}
"""ServiceAccounts that EKS's add-ons bring, with a role of their own."""


@dataclass(frozen=True)
class Role:
    """An IAM role and the one ServiceAccount that it trusts."""

    name: str
    app: str
    namespace: str
    service_account: str

    @property
    def account(self) -> Key:
        """Namespace and name of that ServiceAccount."""
        return self.namespace, self.service_account

    @property
    def spot(self) -> Spot:
        """Its place."""
        return Spot("role", self.name)


@dataclass(frozen=True)
class Tfvars:
    """Account, cluster and roles."""

    account_id: str
    cluster: str
    roles: Mapping[str, Role]

    def arn(self, role: Role) -> str:
        """What Terraform's role will be called."""
        return f"arn:aws:iam::{self.account_id}:role/{role.name}"

    def role_of(self, key: Key) -> Role | None:
        """The role that trusts a ServiceAccount."""
        return next((role for role in self.roles.values() if role.account == key), None)

    def other_owner(self, role_name: str) -> str | None:
        """Whose a role is that belongs to no workload."""
        prefix, _, rest = role_name.partition(f"{self.cluster}-")
        return None if prefix else OTHER_ROLES.get(rest)


def read(facts: Mapping[str, object]) -> Tfvars:
    """The part of the tfvars that identity is about. What is missing is empty: `findings` tells of it."""
    entries = {name: texts(entry) for name, entry in mapping(facts.get("identities")).items()}
    return Tfvars(
        account_id=str(facts.get("account_id", "")),
        cluster=str(facts.get("cluster_name", "")),
        roles={name: Role(name, *(entry.get(key, "") for key in ENTRY)) for name, entry in entries.items()},
    )


def findings(found: Tfvars, account: str) -> Told:
    """What is wrong with the tfvars by themselves. `account` is the AWS account of the cluster file."""
    if found.account_id != account:
        what = f"`{found.account_id}` is not the cluster's account, which is {account}"
        yield Spot("tfvars"), Finding(("account_id",), what, "every role's ARN is made of it: render the cluster again")
    first: dict[Key, str] = {}
    for role in found.roles.values():
        yield from ((role.spot, finding) for finding in _entry(found, role))
        if first.setdefault(role.account, role.name) != role.name:
            what = f"trusts {'/'.join(role.account)}, as `{first[role.account]}` does"
            hint = "a ServiceAccount can be annotated with one role only: keep the one that app.yaml declares"
            yield role.spot, Finding((), what, hint)


def _entry(found: Tfvars, role: Role) -> Iterator[Finding]:
    for key, value in zip(ENTRY, (role.app, *role.account), strict=True):
        if not value:
            yield Finding((key,), "is missing or no text", "an identity names its app and its one ServiceAccount")
        elif "*" in value:
            yield Finding((key,), f"`{value}` is no exact name", "a role trusts one ServiceAccount, not a pattern")
    if owner := found.other_owner(role.name):
        what = f"is the name of the role of {owner}, which Terraform makes too"
        yield Finding((), what, "give the ServiceAccount another name, or its app another namespace")
    if owner := ADD_ON_ACCOUNTS.get(role.account):
        what = f"{'/'.join(role.account)} belongs to {owner}, which has a role of its own"
        yield Finding(("service_account",), what, "an app's ServiceAccount needs a name of its own")
