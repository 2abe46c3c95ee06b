"""Both ways: no annotation without its role, no role without its ServiceAccount, and no role for two."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from generators.checks.identity.evidence import Account, Key, Told
from generators.checks.identity.tfvars import Role, Tfvars
from generators.model.base import Finding, did_you_mean
from generators.model.identities import STS_ANNOTATION

ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/([A-Za-z0-9+=,.@_/-]+)")
DECLARE = "declare it under `identities`: role, trust and annotation then follow from one place"


@dataclass(frozen=True)
class Sides:
    """What is held against each other: roles, ServiceAccounts, and what the app.yaml files declare."""

    tfvars: Tfvars
    accounts: Sequence[Account]
    declared: Collection[Key]

    def renamed(self, account: Account, role: Role) -> bool:
        """Whether an account stands for the one that the role trusts, under a wrong name."""
        return (
            role.account in self.declared
            and (account.app, account.namespace) == (role.app, role.namespace)
            and not any(each.key == role.account for each in self.accounts)
        )


def findings(sides: Sides) -> Told:
    """Where roles and ServiceAccounts disagree."""
    yield from _twice(sides.accounts)
    for account in sides.accounts:
        if account.role_arn:
            yield from ((account.spot, finding) for finding in _of_account(sides, account))
    for role in sides.tfvars.roles.values():
        yield from _of_role(sides, role)


def _twice(accounts: Sequence[Account]) -> Told:
    first: dict[Key, Account] = {}
    for account in accounts:
        if account.made and (other := first.setdefault(account.key, account)) is not account:
            what = f"{'/'.join(account.key)} is made by {_maker(other, account)} too"
            hint = "two makers fight over one ServiceAccount, and its role serves both: name them apart"
            yield account.spot, Finding((*account.at, "name"), what, hint)


def _maker(other: Account, account: Account) -> str:
    if other.app != account.app:
        return f"app {other.app}"
    return f"`{'.'.join(map(str, other.at))}`" if other.spot.kind == "values" else "another object"


def _of_account(sides: Sides, account: Account) -> Iterator[Finding]:
    tfvars = sides.tfvars
    parsed = ARN.fullmatch(account.role_arn)
    if not parsed:
        what = f"`{account.role_arn}` is not the ARN of an IAM role"
        yield Finding(account.annotation(), what, DECLARE)
    elif parsed[1] != tfvars.account_id:
        what = f"names a role of account {parsed[1]}, and Terraform makes the cluster's roles in {tfvars.account_id}"
        yield Finding(account.annotation(), what, DECLARE)
    else:
        yield from _of_name(sides, account, parsed[2])
    # A chart's pods have it in their environment: see `placement.AWS_ENV`.
    unsaid = "true" if account.spot.kind == "values" else ""
    if account.annotations.get(STS_ANNOTATION, unsaid) != "true":
        what = "is not `true`: its pods would sign in at STS's one global endpoint, where all regions share a limit"
        yield Finding(account.annotation(STS_ANNOTATION), what, f'set {STS_ANNOTATION}: "true" beside the role')


def _of_name(sides: Sides, account: Account, name: str) -> Iterator[Finding]:
    tfvars = sides.tfvars
    role, own = tfvars.roles.get(name), tfvars.role_of(account.key)
    hint = f"its own role is `{own.name}`" if own else DECLARE
    if owner := tfvars.other_owner(name):
        what = f"`{name}` is the role of {owner}, and no ServiceAccount of an app may take it"
        yield Finding(account.annotation(), what, hint)
    elif role is None:
        no = "Terraform does not make" if account.key in sides.declared else "no app.yaml declares"
        what = f"names the role `{account.role_arn}`, which {no} for {'/'.join(account.key)}"
        yield Finding(account.annotation(), what, hint)
    elif sides.renamed(account, role):
        what = f"`{account.name}` is not the name that its role trusts, `{role.service_account}`: no pod could take it"
        hint = f"write `{role.service_account}`, or rename the identity in apps/{role.app}/app.yaml"
        yield Finding((*account.at, "name"), what, hint)
    elif role.account != account.key:
        what = f"`{name}` trusts {'/'.join(role.account)} only, and this is {'/'.join(account.key)}"
        yield Finding(account.annotation(), what, f"one ServiceAccount, one role: {hint}")


def _of_role(sides: Sides, role: Role) -> Told:
    tfvars, accounts = sides.tfvars, sides.accounts
    same = [account for account in accounts if account.key == role.account]
    made = [account for account in same if account.made]
    named = [account for account in accounts if account.role_arn == tfvars.arn(role)]
    if any(account in made or sides.renamed(account, role) for account in named):
        return
    name = "/".join(role.account)
    if made and not made[0].role_arn:
        what = f"is missing: nothing gives the pods of {name} the role `{role.name}`"
        hint = f"its value is {tfvars.arn(role)}; whatever takes it away, a patch or a value, must go"
        yield made[0].spot, Finding(made[0].annotation(), what, hint)
    elif made:
        what = f"trusts {name}, which is annotated with `{made[0].role_arn}`"
        yield role.spot, Finding((), what, "role and annotation follow from app.yaml: render the cluster again")
    elif same:
        what = f"is false, and nothing else makes {name}, which the role `{role.name}` trusts"
        yield same[0].spot, Finding((*same[0].at, "create"), what, "let the chart make it")
    else:
        yield role.spot, Finding((), *_nobody(role, accounts))


def _nobody(role: Role, accounts: Sequence[Account]) -> tuple[str, str]:
    """What is told of a role whose ServiceAccount nobody makes."""
    name = "/".join(role.account)
    near = did_you_mean(name, ["/".join(account.key) for account in accounts if account.app == role.app])
    hint = f"{near} The app must make the ServiceAccount, or not declare the identity".strip()
    return f"trusts {name}, and the app {role.app} makes no such ServiceAccount", hint
