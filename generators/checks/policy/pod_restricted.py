"""Pod Security's level `restricted`: what it asks beyond `baseline`. Source and shape as in `pod_baseline`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.policy.objects import Pod, at, items, mapping
from generators.checks.policy.pod_baseline import CAPABILITIES, Minor, contexts, in_user_namespace, unmasked
from generators.model.base import Finding, Path

VOLUMES = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
})  # fmt: skip


def volumes(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """Kinds of volumes that bring no foreign file system along; `hostPath` is baseline's."""
    for path, volume in pod.volumes():
        kind = next((key for key in volume if key != "name"), "emptyDir")
        if not VOLUMES & volume.keys() and kind != "hostPath" and len(volume) > 1:
            yield Finding((*path, kind), f"mounts a volume of kind `{kind}`")


def escalation(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """No process gets more rights than its parent has."""
    for path, security in _linux(pod):
        if security.get("allowPrivilegeEscalation") is not False:
            hint = "set allowPrivilegeEscalation: false in its securityContext"
            yield Finding((*path, "allowPrivilegeEscalation"), "allowPrivilegeEscalation is not false", hint)


def non_root(pod: Pod, minor: Minor) -> Iterator[Finding]:
    """Kubernetes is told to refuse root, for the pod or for each container."""
    if in_user_namespace(pod, minor):
        return
    of_pod = pod.security.get("runAsNonRoot")
    for index, (path, security) in enumerate(contexts(pod)):
        found = security.get("runAsNonRoot")
        if found is False or (index and found is None and of_pod is None):
            hint = "set runAsNonRoot: true in the pod's securityContext, and a runAsUser where the image runs as root"
            yield Finding((*path, "runAsNonRoot"), "may run as root", hint)


def user(pod: Pod, minor: Minor) -> Iterator[Finding]:
    """Nobody is told to be root."""
    for path, security in contexts(pod) if not in_user_namespace(pod, minor) else ():
        if security.get("runAsUser") == 0:
            yield Finding((*path, "runAsUser"), "runAsUser is 0, which is root")


def seccomp(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """A profile is set, for the pod or for each container."""
    if at(pod.security, "seccompProfile", "type") is None:
        for path, security in _linux(pod):
            if at(security, "seccompProfile", "type") is None:
                hint = "set seccompProfile: {type: RuntimeDefault} in the pod's securityContext"
                yield Finding((*path, "seccompProfile"), "has no seccomp profile", hint)


def capabilities(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """All dropped, and none but NET_BIND_SERVICE added; those beyond baseline are told there."""
    for path, security in _linux(pod):
        found = mapping(security.get("capabilities"))
        if "ALL" not in items(found.get("drop")):
            hint = "set capabilities: {drop: [ALL]} in its securityContext"
            yield Finding((*path, "capabilities", "drop"), "does not drop all capabilities", hint)
        for index, name in enumerate(items(found.get("add"))):
            if str(name) in CAPABILITIES - {"NET_BIND_SERVICE"}:
                yield Finding((*path, "capabilities", "add", index), f"adds the capability `{name}`")


def proc_mount(pod: Pod, minor: Minor) -> Iterator[Finding]:
    """/proc stays masked in a user namespace too."""
    if in_user_namespace(pod, minor):
        yield from unmasked(pod)


CONTROLS = (volumes, escalation, non_root, user, seccomp, capabilities, proc_mount)


def _linux(pod: Pod) -> list[tuple[Path, Mapping[str, Any]]]:
    """Each container's securityContext with its path; none on Windows, which has no such fields."""
    return [] if at(pod.spec, "os", "name") == "windows" else contexts(pod)[1:]
