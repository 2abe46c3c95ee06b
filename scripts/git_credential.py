"""What Argo CD reads a private repository with: from Secrets Manager into a Secret that Argo CD knows by its label."""

from __future__ import annotations

import base64
import json
from typing import Any

from generators.errors import FleetError, wrong
from generators.model.names import GIT_SECRET
from scripts.target import Target, retries

LABEL = "argocd.argoproj.io/secret-type"
KINDS = (
    frozenset({"username", "password"}),
    frozenset({"sshPrivateKey"}),
    frozenset({"githubAppID", "githubAppInstallationID", "githubAppPrivateKey"}),
)
"""Keys of each way to sign in, as Argo CD names them (docs/operator-manual/declarative-setup.md)."""


def secret(target: Target, namespace: str) -> dict[str, Any] | None:
    """The Secret, values included: print it nowhere. None where the cluster file names no credential.

    Raises FleetError for a credential that is not there or that Argo CD cannot use; its words hold names of keys only.
    """
    name = target.facts["argocd"]["credential"]
    if not name:
        return None
    facts = {"type": "git", "url": target.facts["argocd"]["repository"], **_read(target, name)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": GIT_SECRET, "namespace": namespace, "labels": {LABEL: "repository"}},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in sorted(facts.items())},
    }


def _read(target: Target, name: str) -> dict[str, str]:
    client = target.session.client("secretsmanager", config=retries())
    try:
        text = client.get_secret_value(SecretId=name).get("SecretString", "")
    except client.exceptions.ResourceNotFoundException:
        raise _wrong(name, "is not there", "make it with " + _choices()) from None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) and value for value in found.values()):
        raise _wrong(name, "is no JSON object of texts", _choices())
    if frozenset(found) not in KINDS:
        raise _wrong(name, f"has the keys {', '.join(sorted(found)) or '(none)'}", _choices())
    return found


def _wrong(name: str, message: str, hint: str) -> FleetError:
    return wrong(f"Secrets Manager secret {name}", message, key="git.credential", hint=hint)


def _choices() -> str:
    return "the keys " + "; or ".join(" and ".join(sorted(kind)) for kind in KINDS)
