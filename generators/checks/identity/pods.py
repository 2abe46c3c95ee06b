"""Who runs as whom: pods of apps that call AWS, and the environment that they find."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from generators.checks.identity import environment
from generators.checks.identity.charts import reads
from generators.checks.identity.evidence import Document, Key, Told
from generators.model.base import Finding, did_you_mean


@dataclass(frozen=True)
class Identity:
    """A ServiceAccount with a role, the app that declares it, and what its pods call AWS with."""

    app: str
    key: Key
    sdk: str


@dataclass(frozen=True)
class Made:
    """The ServiceAccounts that the cluster will have, and namespaces where there may be others."""

    keys: Collection[Key]
    unseen: Collection[str] = ()

    def __contains__(self, key: Key) -> bool:
        return key in self.keys or key[0] in self.unseen

    def names(self, namespace: str) -> list[str]:
        """Those of one namespace."""
        return [name for space, name in self.keys if space == namespace]


def findings(documents: Sequence[Document], identities: Sequence[Identity], made: Made) -> Told:
    """What is wrong with the pods among the objects."""
    by_key = {each.key: each for each in identities}
    callers = {each.app for each in identities}
    for document in documents:
        if spec := document.pod.spec:
            name = str(spec.get("serviceAccountName") or spec.get("serviceAccount") or "default")
            key = (document.namespace, name)
            told = (*_account(document, key, callers, by_key, made), *_environment(document, by_key.get(key)))
            yield from ((document.spot, finding) for finding in told)


def _account(
    document: Document, key: Key, callers: Collection[str], identities: Mapping[Key, Identity], made: Made
) -> Iterator[Finding]:
    namespace, name = key
    app, at = document.app, (*document.pod.path, "spec", "serviceAccountName")
    own = sorted(each.key[1] for each in identities.values() if each.app == app and each.key[0] == namespace)
    if name == "default" and app in callers:
        what = f"runs as {namespace}/default, and its app calls AWS"
        hint = f"name {' or '.join(own)}; a pod that calls nobody gets a ServiceAccount of its own, without a role"
        yield Finding(at, what, hint)
    elif name != "default" and key not in made:
        what = f"nothing makes the ServiceAccount {namespace}/{name}, and without it no pod starts"
        known = made.names(namespace)
        hint = did_you_mean(name, known, f"{namespace} has {', '.join(sorted(known)) or 'none but default'}")
        yield Finding(at, what, hint)
    elif (identity := identities.get(key)) and identity.app != app:
        what = f"{namespace}/{name} is an identity of the app {identity.app}, and this pod belongs to {app}"
        yield Finding(at, what, f"declare an identity in apps/{app}/app.yaml: a role is shared by nobody")


def _environment(document: Document, identity: Identity | None) -> Iterator[Finding]:
    wanted = reads(identity.sdk) if identity else ()
    for container in document.pod.containers:
        for message, hint in environment.problems(environment.named(container.spec.get("env")), wanted):
            yield Finding((*container.path, "env"), message, hint)
