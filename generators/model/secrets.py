"""Secrets that pods get from Secrets Manager: which store serves which namespace, and what it may read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import names
from .base import Finding
from .catalog import Inputs

OPERATOR, STORES, GIT = "external-secrets", "secret-stores", "git-credential"
"""Apps: the operator, the stores that it reads through, and the repository credential that it keeps for Argo CD."""


@dataclass(frozen=True)
class SecretStore:
    """A ClusterSecretStore: it serves one namespace, and secrets whose names begin with `prefix`."""

    name: str
    namespace: str
    prefix: str


def secret_stores(inputs: Inputs) -> list[SecretStore]:
    """The cluster's stores, sorted by name: one for each app with `secrets: true`, and one for git's credential."""
    cluster, git = inputs.cluster, names.git_credential(inputs.cluster)
    found = []
    for name in _reading(inputs):
        namespace = inputs.catalog.apps[name].namespace
        if name != GIT:
            found.append(SecretStore(names.secret_store(name), namespace, names.secret_prefix(cluster, name)))
        elif git:
            found.append(SecretStore(names.secret_store(name), namespace, git[0]))
    return found


def _reading(inputs: Inputs) -> list[str]:
    """The cluster's apps that read secrets, sorted. Apps that do not exist are another rule's."""
    known = inputs.catalog.apps
    return [each for each in inputs.cluster.apps.names() if each == GIT or (each in known and known[each].secrets)]


def secrets(inputs: Inputs) -> Iterator[Finding]:
    """Whatever reads secrets has its store, the store its operator, and neither is there for nothing."""
    on, reading = inputs.cluster.apps.names(), _reading(inputs)
    credential = inputs.cluster.git.credential
    for name in reading if STORES not in on else ():
        what = f"its secrets come through a store, and apps.{STORES} is not on"
        yield Finding(("apps", name), what, f"add `{STORES}: {{}}` to apps")
    if STORES in on and OPERATOR not in on:
        what = f"nothing reads through them without apps.{OPERATOR}"
        yield Finding(("apps", STORES), what, f"add `{OPERATOR}: {{}}` to apps")
    if STORES in on and not reading:
        yield Finding(("apps", STORES), "no app of this cluster reads secrets", "take it off")
    if GIT in on and credential is None:
        what = "git.credential is not set: the repository is public, and there is nothing to keep"
        yield Finding(("apps", GIT), what, "set git.credential, or take this app off")
    if credential and OPERATOR in on and GIT not in on:
        what = f"nobody renews the Secret of git.credential without apps.{GIT}"
        yield Finding(("apps", OPERATOR), what, f"add `{GIT}: {{}}` to apps")
