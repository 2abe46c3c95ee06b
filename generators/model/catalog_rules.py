"""Rules over one app of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .base import Finding
from .catalog import RESERVED_APP_NAMES, App, Identity
from .identities import fields
from .secrets import GIT, OPERATOR, STORES

PLACEHOLDERS = frozenset(
    {
        "account",
        "bucket",
        "cluster",
        "git_credential",
        "job_inputs",
        "job_outputs",
        "model_repositories",
        "pipeline_inputs",
        "pipeline_outputs",
        "pipelines_prefix",
        "region",
    }
)
"""The keys of `names.placeholders`; a test keeps them equal."""
SYSTEM_NAMESPACES = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})


def app_findings(name: str, app: App) -> list[Finding]:
    """Everything that is wrong with one app.yaml beyond single fields."""
    return [*_kind(name, app), *_namespace(app), *_identities(app)]


def _kind(name: str, app: App) -> Iterator[Finding]:
    if name in RESERVED_APP_NAMES:
        yield Finding((), f"`{name}` is taken in generated/argocd/", "name the app's folder otherwise")
    given = [key for key, value in (("chart", app.chart), ("own_chart", app.own_chart)) if value is not None]
    if app.kind == "helm" and not given:
        hint = "chart: {repository: …, name: …, version: …}, or own_chart: and a folder of charts/"
        yield Finding(("kind",), "a helm app needs a `chart`", hint)
    if app.kind == "helm" and len(given) > 1:
        yield Finding(("own_chart",), "there is a `chart` too, and an app has one", "take one of them away")
    if app.kind != "helm":
        for key in given:
            yield Finding((key,), f"belongs to kind helm, and this app's kind is {app.kind}")


def _namespace(app: App) -> Iterator[Finding]:
    ours = app.namespace not in SYSTEM_NAMESPACES
    if ours and app.pod_security is None:
        hint = "restricted, unless its pods cannot work so"
        yield Finding(("namespace",), f"`{app.namespace}` is made by this app and needs a `pod_security`", hint)
    if not ours and app.pod_security is not None:
        yield Finding(("pod_security",), f"`{app.namespace}` belongs to Kubernetes; its labels are not ours")


def _identities(app: App) -> Iterator[Finding]:
    for name, identity in app.identities.items():
        at = ("identities", name)
        if (app.kind == "helm") != (identity.values_path is not None):
            yield Finding(
                (*at, "values_path"),
                "belongs to kind helm, and each helm identity needs one",
                "for example rbac.serviceAccount",
            )
        yield from _statements(at, identity)


UNBOUND = re.compile(
    r"[a-z0-9-]+:(Describe|List)[A-Za-z]*|ec2:GetInstanceTypesFromInstanceRequirements|secretsmanager:BatchGetSecretValue"
)
"""Actions that AWS binds to no ARN and that only read; Terraform refuses others on `*` without a condition, too."""


def _statements(at: tuple[str, ...], identity: Identity) -> Iterator[Finding]:
    for index, statement in enumerate(identity.statements):
        for number, action in enumerate(statement.actions):
            if action.endswith("*"):
                hint = "name each call in full: what AWS adds later under that prefix would be granted, too"
                yield Finding((*at, "statements", index, "actions", number), f"`{action}` is a pattern", hint)
            elif "*" in statement.resources and not (statement.conditions or UNBOUND.fullmatch(action)):
                hint = "name ARNs, or add a condition on a tag; `*` alone is for calls that list or describe"
                yield Finding((*at, "statements", index, "actions", number), f"`{action}` on every resource", hint)
        if "*" in statement.resources and not (statement.reason or statement.conditions):
            hint = "name ARNs, add a condition on a tag, or say in `reason` why AWS allows nothing narrower"
            yield Finding((*at, "statements", index, "resources"), "allows every resource without a reason", hint)
        texts = [*statement.resources, *(text for keys in statement.conditions.values() for text in keys)]
        texts += [text for keys in statement.conditions.values() for values in keys.values() for text in values]
        for field in sorted({field for text in texts for field in fields(text)} - PLACEHOLDERS):
            hint = f"there are: {', '.join(sorted(PLACEHOLDERS))}"
            yield Finding((*at, "statements", index), f"`{{{field}}}` stands for nothing", hint)


def shared_identities(apps: Mapping[str, App]) -> Iterator[tuple[str, Finding]]:
    """App and finding for each ServiceAccount that an app before it declares too: they would be one IAM role."""
    owners: dict[tuple[str, str], str] = {}
    for name, app in sorted(apps.items()):
        for account in app.identities:
            first = owners.setdefault((app.namespace, account), name)
            if first != name:
                what = f"apps/{first}/app.yaml declares ServiceAccount {app.namespace}/{account} too"
                yield name, Finding(("identities", account), what, "one ServiceAccount, one role, one declaration")


def shared_uis(apps: Mapping[str, App]) -> Iterator[tuple[str, Finding]]:
    """App and finding for each host name or node port that an app before it has: a cluster may run both."""
    owners: dict[tuple[str, object], str] = {}
    for name, app in sorted(apps.items()):
        for key, value in (("host", app.ui.host), ("node_port", app.ui.node_port)) if app.ui else ():
            first = owners.setdefault((key, value), name)
            if first != name:
                what = f"apps/{first}/app.yaml has `{value}` too"
                yield name, Finding(("ui", key), what, "each app's pages need a host and a port of their own")


def early_secrets(apps: Mapping[str, App]) -> Iterator[tuple[str, Finding]]:
    """App and finding for each that Argo CD would sync before the CRDs, or the store, that its secrets come through."""
    for name, app in sorted(apps.items()):
        before = OPERATOR if name == STORES else STORES if app.secrets or name == GIT else ""
        if before in apps and app.wave <= apps[before].wave:
            what = f"{app.wave} is not after {apps[before].wave}, the wave of {before}, through which its secrets come"
            yield name, Finding(("wave",), what, f"a wave above {apps[before].wave}")


def shared_levels(apps: Mapping[str, App]) -> Iterator[tuple[str, Finding]]:
    """App and finding for each namespace whose Pod Security an app before it sets otherwise: each undoes the other."""
    first: dict[str, str] = {}
    for name, app in sorted(apps.items()):
        other = apps[first.setdefault(app.namespace, name)]
        if app.pod_security != other.pod_security:
            what = f"apps/{first[app.namespace]}/app.yaml has `{other.pod_security}` for the same namespace"
            yield name, Finding(("pod_security",), what, "a namespace has one level: make them equal, or part them")
