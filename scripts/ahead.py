"""What would stop the bootstrap at the end of an apply: told with the plan, not after the half hour that AWS takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from generators.cli import console
from generators.tools import binaries
from scripts.kube import KUBECONFIG
from scripts.target import Target, retries

HOOK = "terraform_data.bootstrap[0]"
CLUSTER = "module.cluster.aws_eks_cluster.this"
HOW_TO = "docs/how-to/bootstrap.md"


def warn(target: Target, plan: dict[str, Any]) -> None:
    """Warns of each, where the plan, as Terraform shows it in JSON, runs the bootstrap."""
    created = {each["address"] for each in plan.get("resource_changes", ()) if "create" in each["change"]["actions"]}
    if HOOK not in created:
        return
    reasons = [*_tools(), *([] if os.environ.get(KUBECONFIG) else _reach(target, new=CLUSTER in created))]
    for reason in reasons:
        console.warn(f"Argo CD, at the end of the apply: {reason}")
    if reasons:
        console.say(f"all else is applied all the same; make apply again then goes on from there. Ways: {HOW_TO}")


def _tools() -> Iterator[str]:
    for name in ("kubectl", "helm"):
        if binaries.find(name) is None:
            yield f"{name} is not installed on this machine"


def _reach(target: Target, *, new: bool) -> Iterator[str]:
    """Who signs in, and whether an API server that there is not yet will be reached."""
    admins = target.facts["access"]["admin_role_arns"]
    arn = target.session.client("sts", config=retries()).get_caller_identity()["Arn"]
    # arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION, without the role's path.
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    role = rest.split("/")[0] if kind == "assumed-role" else ""
    if role not in {each.rpartition("/")[2] for each in admins}:
        yield f"{arn} is none of access.admins, so the API server will refuse it"
    if new and not target.facts["access"]["public_endpoint"]["enabled"]:
        yield (
            "the API server will answer within the new VPC only, which nothing is joined to yet; "
            "access.api_cidrs opens it to your address"
        )
