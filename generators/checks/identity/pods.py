"""Who runs as whom: pods of apps that call AWS, and the environment that they find."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from generators.checks.identity import environment
from generators.checks.identity.charts import reads
from generators.checks.identity.evidence import Document, Key, Told, mapping
from generators.model.base import Finding, Path, did_you_mean

TEMPLATES: dict[str, Path] = {
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Pod": ("spec",),
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"),
        ("spec", "template", "spec"),
    ),
}
"""Kind → where its pods' spec is."""
CONTAINERS = ("initContainers", "containers")


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
        at = TEMPLATES.get(str(document.content.get("kind")))
        spec = _at(document.content, at) if at else {}
        if at and spec:
            namespace = str(mapping(document.content.get("metadata")).get("namespace", ""))
            name = str(spec.get("serviceAccountName") or spec.get("serviceAccount") or "default")
            identity = by_key.get((namespace, name))
            told = [*_account(document.app, (namespace, name), callers, by_key, made), *_environment(spec, identity)]
            yield from ((document.spot, Finding((*at, *each.path), each.message, each.hint)) for each in told)


def _at(content: Mapping[str, object], path: Path) -> Mapping[str, object]:
    found: object = content
    for step in path:
        found = mapping(found).get(str(step))
    return mapping(found)


def _account(
    app: str, key: Key, callers: Collection[str], identities: Mapping[Key, Identity], made: Made
) -> Iterator[Finding]:
    namespace, name = key
    at = ("serviceAccountName",)
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


def _environment(spec: Mapping[str, object], identity: Identity | None) -> Iterator[Finding]:
    wanted = reads(identity.sdk) if identity else ()
    for where in CONTAINERS:
        containers = spec.get(where)
        for index, container in enumerate(containers if isinstance(containers, list) else ()):
            variables = environment.named(mapping(container).get("env"))
            for message, hint in environment.problems(variables, wanted):
                yield Finding((where, index, "env"), message, hint)
