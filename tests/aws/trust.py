"""That every annotated ServiceAccount has its role, and every such role trusts that ServiceAccount alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.aws.checkout import Checkout

ANNOTATION = "eks.amazonaws.com/role-arn"


def _accounts(value: Any) -> Iterator[Any]:
    """Every mapping within a chart's values that annotates a ServiceAccount."""
    if isinstance(value, dict):
        if ANNOTATION in (value.get("annotations") or {}):
            yield value
        for each in value.values():
            yield from _accounts(each)


def annotated(generated: Path) -> Iterator[tuple[str, str, str]]:
    """Namespace, name and role of each annotated ServiceAccount: of objects, and of what charts will make of values."""
    for path in sorted([*generated.glob("manifests/**/*.yaml"), *generated.glob("overlays/**/*.yaml")]):
        for found in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if isinstance(found, dict) and found.get("kind") == "ServiceAccount":
                about = found["metadata"]
                if ANNOTATION in about.get("annotations", {}):
                    yield about["namespace"], about["name"], about["annotations"][ANNOTATION]
    for path in sorted(generated.glob("values/*.yaml")):
        application = yaml.safe_load((generated / "argocd" / path.name).read_text(encoding="utf-8"))
        for found in _accounts(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield application["spec"]["destination"]["namespace"], found["name"], found["annotations"][ANNOTATION]


def identities(checkout: Checkout) -> None:
    """Each annotation names a role that exists and trusts that ServiceAccount, of this cluster, alone."""
    generated, iam = checkout.folder / "clusters" / checkout.name / "generated", checkout.client("iam")
    found = list(annotated(generated))
    written = "\n".join(path.read_text(encoding="utf-8") for path in generated.rglob("*.yaml"))
    assert len(found) == written.count(f"{ANNOTATION}:") > 0, "an annotation stands where this test does not look"
    cluster = checkout.client("eks").describe_cluster(name=checkout.name)["cluster"]
    issuer = cluster["identity"]["oidc"]["issuer"].removeprefix("https://")
    provider = f"arn:aws:iam::{checkout.facts['account_id']}:oidc-provider/{issuer}"
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)["ClientIDList"] == ["sts.amazonaws.com"]
    for namespace, name, arn in found:
        role = iam.get_role(RoleName=arn.rsplit("/", 1)[1])["Role"]
        assert role["Arn"] == arn
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Effect"] == "Allow"
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert statement["Principal"] == {"Federated": provider}
        subject = f"system:serviceaccount:{namespace}:{name}"
        trusted = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": subject}
        assert statement["Condition"] == {"StringEquals": trusted}
        assert iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
