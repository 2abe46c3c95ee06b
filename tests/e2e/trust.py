"""Judges an IAM role's trust policy against a token, as AWS's AssumeRoleWithWebIdentity does.

It is ours and covers what our policies hold: statements of `Allow`, a federated principal, and the conditions that
`tests.iam.judge` knows. Any other word is an error, never a yes.
"""

from __future__ import annotations

import json
import time
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from generators.lab.lab import Lab
from generators.model.catalog import Inputs
from generators.renderers import tfvars
from tests.iam import planned as plans
from tests.iam.judge import holds

Policy = dict[str, Any]
ACTION = "sts:AssumeRoleWithWebIdentity"


def planned(inputs: Inputs, issuer: str) -> dict[str, Policy]:
    """Trust policies by role name, as Terraform plans them for an OIDC provider of this issuer."""
    host = issuer.removeprefix("https://")
    facts = tfvars.render(inputs)["terraform/cluster.tfvars.json"]
    assert isinstance(facts, dict)
    variables = plans.trusted(facts["identities"], inputs.cluster.account, host)
    found = plans.modules({"identity": ("identity", variables)})["identity"]
    roles = [each["values"] for each in found if each["type"] == "aws_iam_role"]
    return {role["name"]: json.loads(role["assume_role_policy"]) for role in roles}


def keys(lab: Lab) -> KeySet:
    """The public keys of the lab's issuer."""
    return KeySet.import_key_set(json.loads(lab.kubectl("get", "--raw", "/openid/v1/jwks")))


def allows(policy: Policy, provider_keys: KeySet, token: str) -> bool:
    """Whether AWS would give the role to who holds the token. False for a token that is not signed or has run out."""
    try:
        claims = jwt.decode(token, provider_keys, algorithms=["RS256"]).claims
    except JoseError:
        return False
    if claims["exp"] < time.time():
        return False
    return any(_allows(statement, claims) for statement in policy["Statement"])


def _allows(statement: dict[str, Any], claims: dict[str, Any]) -> bool:
    unknown = statement.keys() - {"Effect", "Action", "Principal", "Condition"}
    if unknown or statement["Effect"] != "Allow":
        raise ValueError(f"no rule to judge {statement}")
    host = claims["iss"].removeprefix("https://")
    federated = statement["Principal"]["Federated"]
    if statement["Action"] != ACTION or not federated.endswith(f":oidc-provider/{host}"):
        return False
    # Keys of another provider's conditions are not among them, and so meet nothing.
    context = {f"{host}:{claim}": claims[claim] for claim in ("aud", "sub") if claim in claims}
    return holds(statement["Condition"], context)
