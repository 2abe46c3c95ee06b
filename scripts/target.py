"""The cluster that a script works on: what its committed `cluster.tfvars.json` says, and clients of its AWS account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.errors import wrong
from generators.source.workspace import Workspace, locate

if TYPE_CHECKING:
    from boto3 import Session
    from botocore.config import Config

TFVARS = Path("generated", "terraform", "cluster.tfvars.json")
ATTEMPTS = 10
"""Of one AWS call. Adaptive: botocore also slows itself down when AWS throttles (a rate limit on the client's side)."""


@dataclass(frozen=True)
class Target:
    """A cluster of this checkout. `facts` are its Terraform variables."""

    workspace: Workspace
    name: str
    facts: dict[str, Any]

    @property
    def tfvars(self) -> Path:
        """The file that `facts` come from."""
        return self.workspace.clusters / self.name / TFVARS

    @property
    def region(self) -> str:
        """AWS region."""
        return str(self.facts["region"])

    @property
    def account(self) -> str:
        """AWS account id."""
        return str(self.facts["account_id"])

    @cached_property
    def session(self) -> Session:
        """A boto3 session in the cluster's region, checked once to be of its account.

        Raises FleetError for credentials of another account: the same names may exist there.
        """
        import boto3

        session = boto3.Session(region_name=self.region)
        account = session.client("sts", config=retries()).get_caller_identity()["Account"]
        if account != self.account:
            raise wrong(
                str(self.tfvars.relative_to(self.workspace.root)),
                f"the credentials at hand are of account {account}, {self.name} lives in {self.account}",
                key="account_id",
                hint="sign in to the cluster's account: AWS_PROFILE=..., or aws sso login",
            )
        return session


def retries() -> Config:
    """How every client of ours meets throttling."""
    from botocore.config import Config

    return Config(retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS})


def load(name: str) -> Target:
    """The cluster `name` of the checkout around the current folder. Raises FleetError where it is missing."""
    workspace = locate()
    folder = workspace.existing(name)
    file = folder / TFVARS
    said = str(file.relative_to(workspace.root))
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise wrong(said, "is missing", hint=f"make render NAME={name}") from None
    except ValueError as error:
        raise wrong(said, f"is no JSON: {error}", hint=f"make render NAME={name}") from None
    return Target(workspace, name, facts)
