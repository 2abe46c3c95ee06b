"""Judges an IAM role's trust policy against a token, as AWS's AssumeRoleWithWebIdentity does.

It is ours and covers what our policies hold: statements of `Allow`, a federated principal, `StringEquals`. Any other
word is an error, never a yes.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from generators.lab.lab import Lab
from generators.model.catalog import Inputs
from generators.renderers import tfvars
from tests.fleets import ROOT
from tests.terraform import environment
from tests.tool_needed import needed

Policy = dict[str, Any]
ACTION = "sts:AssumeRoleWithWebIdentity"
PROVIDER = """\
provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
"""


def planned(inputs: Inputs, issuer: str) -> dict[str, Policy]:
    """Trust policies by role name, as Terraform plans them for an OIDC provider of this issuer."""
    host = issuer.removeprefix("https://")
    facts = tfvars.render(inputs)["terraform/cluster.tfvars.json"]
    assert isinstance(facts, dict)
    variables = {
        "identities": facts["identities"],
        "oidc_issuer": host,
        "oidc_provider_arn": f"arn:aws:iam::{inputs.cluster.account}:oidc-provider/{host}",
    }
    with tempfile.TemporaryDirectory(prefix="fleet-trust-") as name:
        folder = Path(name, "identity")
        ignored = shutil.ignore_patterns(".terraform*", "tests")
        shutil.copytree(ROOT / "terraform" / "modules" / "identity", folder, ignore=ignored)
        (folder / "provider.tf").write_text(PROVIDER)
        (folder / "terraform.tfvars.json").write_text(json.dumps(variables))
        plan = _plan(folder, environment(Path(name)))
    found = plan["planned_values"]["root_module"]["resources"]
    roles = [each["values"] for each in found if each["type"] == "aws_iam_role"]
    return {role["name"]: json.loads(role["assume_role_policy"]) for role in roles}


def _plan(folder: Path, env: dict[str, str]) -> dict[str, Any]:
    import subprocess

    def terraform(*arguments: str) -> str:
        command = [str(needed("terraform")), *arguments]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    terraform("init", "-input=false", "-no-color")
    terraform("plan", "-input=false", "-no-color", "-out=plan")
    found: dict[str, Any] = json.loads(terraform("show", "-json", "plan"))
    return found


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
    operators = statement["Condition"].keys()
    if unknown or operators != {"StringEquals"} or statement["Effect"] != "Allow":
        raise ValueError(f"no rule to judge {statement}")
    host = claims["iss"].removeprefix("https://")
    federated = statement["Principal"]["Federated"]
    if statement["Action"] != ACTION or not federated.endswith(f":oidc-provider/{host}"):
        return False
    return all(_equal(key, value, host, claims) for key, value in statement["Condition"]["StringEquals"].items())


def _equal(key: str, value: str, host: str, claims: dict[str, Any]) -> bool:
    """A condition key of a provider is `<host>:<claim>`; one of another provider's matches nothing."""
    provider, _, claim = key.rpartition(":")
    if provider != host or claim not in {"aud", "sub"}:
        return False
    found = claims.get(claim)
    return value in found if isinstance(found, list) else value == found
