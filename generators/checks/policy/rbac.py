"""What an app may do to the cluster. Kubernetes' own list of rights that lead to more: RBAC Good Practices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generators.checks.policy.objects import Object, items, mapping
from generators.checks.policy.rule import Scene
from generators.model.base import Finding

ROLES = ("ClusterRole", "Role")
BINDINGS = ("ClusterRoleBinding", "RoleBinding")
READ, WRITE = frozenset({"get", "list", "watch"}), frozenset({"create", "update", "patch"})
ANYBODY = frozenset({"system:anonymous", "system:authenticated", "system:unauthenticated", "system:serviceaccounts"})
OWNERS = frozenset({"cluster-admin", "admin", "edit", "system:masters"})
RBAC, ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
WORKLOADS = (
    ("", "pods"), ("", "replicationcontrollers"), ("apps", "daemonsets"), ("apps", "deployments"),
    ("apps", "replicasets"), ("apps", "statefulsets"), ("batch", "cronjobs"), ("batch", "jobs"),
)  # fmt: skip
IDENTITIES = (
    ("", "users"), ("", "groups"), ("", "serviceaccounts"), ("authentication.k8s.io", "userextras"),
    ("authentication.k8s.io", "uids"),
)  # fmt: skip


@dataclass(frozen=True)
class Power:
    """Verbs on resources (group and name) that lead to more rights than they say, and how."""

    verbs: frozenset[str]
    resources: tuple[tuple[str, str], ...]
    why: str
    cluster_wide: bool = False
    """Only where it holds in all namespaces."""


POWERS = (
    Power(frozenset({"escalate"}), ((RBAC, "roles"), (RBAC, "clusterroles")), "may give itself any right"),
    Power(frozenset({"bind"}), ((RBAC, "roles"), (RBAC, "clusterroles")), "may bind itself to any role"),
    Power(frozenset({"impersonate"}), IDENTITIES, "may act as anybody"),
    Power(READ, (("", "secrets"),), "reads every Secret of the cluster, tokens included", cluster_wide=True),
    Power(WRITE, WORKLOADS, "may start a pod as any ServiceAccount of the cluster", cluster_wide=True),
    Power(frozenset({"create"}), (("", "serviceaccounts/token"),), "may take a token of a ServiceAccount"),
    Power(frozenset({"create", "get"}), (("", "pods/exec"), ("", "pods/attach")), "may run commands in other pods"),
    Power(frozenset({"update", "patch"}), (("", "pods/ephemeralcontainers"),), "may run commands in other pods"),
    Power(READ | WRITE | {"delete"}, (("", "nodes/proxy"),), "reaches every kubelet, which runs commands in any pod"),
    Power(
        WRITE,
        ((ADMISSION, "mutatingwebhookconfigurations"), (ADMISSION, "validatingwebhookconfigurations")),
        "may read and change whatever is sent to the API server",
    ),
    Power(frozenset({"create"}), (("", "persistentvolumes"),), "may mount any folder of a node"),
    Power(frozenset({"update", "patch"}), (("", "namespaces"),), "may lower the Pod Security of a namespace"),
    Power(
        frozenset({"update", "patch"}),
        (("certificates.k8s.io", "certificatesigningrequests/approval"),),
        "may sign certificates of any user",
    ),
)


def no_wildcard(_scene: Scene, each: Object) -> Iterator[Finding]:
    """Verbs, groups, resources and addresses by name: `*` holds for what comes later too."""
    for index, rule in enumerate(items(each.document.get("rules"))):
        for key in ("verbs", "apiGroups", "resources", "nonResourceURLs"):
            for place, value in enumerate(items(mapping(rule).get(key))):
                if "*" in str(value):
                    told = f"`{value}` in {key} allows what nobody has read, and what later versions add"
                    yield Finding(("rules", index, key, place), told, f"name the {key} that it needs")


def no_escalation(scene: Scene, each: Object) -> Iterator[Finding]:
    """No right that is a way to all others."""
    everywhere = each.kind == "ClusterRole" and _cluster_wide(scene, each.name)
    for index, found in enumerate(items(each.document.get("rules"))):
        rule = mapping(found)
        for power in POWERS:
            if (power.cluster_wide and not everywhere) or rule.get("resourceNames"):
                continue
            verbs = sorted(power.verbs & set(map(str, items(rule.get("verbs")))))
            resources = [name for group, name in power.resources if _names(rule, group, name)]
            if verbs and resources:
                path = ("rules", index, "resources", items(rule.get("resources")).index(resources[0]))
                told = f"`{verbs[0]}` on `{resources[0]}`: who has this {power.why}"
                yield Finding(path, told, "leave it out, or bind it to names with resourceNames")


def bindings(_scene: Scene, each: Object) -> Iterator[Finding]:
    """No role of an administrator, and no subject that stands for everybody."""
    role = str(mapping(each.document.get("roleRef")).get("name"))
    if role in OWNERS:
        told = f"`{role}` may do nearly everything"
        yield Finding(("roleRef", "name"), told, "write a role of its own with what it needs")
    for index, found in enumerate(items(each.document.get("subjects"))):
        subject = mapping(found)
        name = str(subject.get("name"))
        if name in ANYBODY | {"system:masters"} or name.startswith("system:serviceaccounts:"):
            told = f"`{name}` is no one workload"
            yield Finding(("subjects", index), told, "bind the ServiceAccount that needs it")
        if subject.get("kind") == "ServiceAccount" and name == "default":
            told = "every pod that names no ServiceAccount runs as `default`"
            yield Finding(("subjects", index), told, "give the workload a ServiceAccount of its own")


def _cluster_wide(scene: Scene, role: str) -> bool:
    """Whether a ClusterRole is for all namespaces: bound so, or bound by nothing that is rendered."""
    return scene.bound(role) != {"RoleBinding"}


def _names(rule: object, group: str, resource: str) -> bool:
    found = mapping(rule)
    return group in items(found.get("apiGroups")) and resource in items(found.get("resources"))
