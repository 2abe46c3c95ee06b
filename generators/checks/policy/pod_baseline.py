"""Pod Security's level `baseline`: what lets a pod reach its node.

Controls and values: kubernetes.io, Pod Security Standards, as of 1.36. A test holds them against a real API server.
Each control is a generator of findings over a pod; `minor` is the Kubernetes minor, as in (1, 35).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generators.checks.policy.objects import Pod, at, items, mapping
from generators.model.base import Finding, Path

Minor = tuple[int, int]
CAPABILITIES = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
SYSCTLS: dict[str, Minor] = {
    "kernel.shm_rmid_forced": (1, 0),
    "net.ipv4.ip_local_port_range": (1, 0),
    "net.ipv4.ip_unprivileged_port_start": (1, 0),
    "net.ipv4.ping_group_range": (1, 0),
    "net.ipv4.tcp_syncookies": (1, 0),
    "net.ipv4.ip_local_reserved_ports": (1, 27),
    "net.ipv4.tcp_fin_timeout": (1, 29),
    "net.ipv4.tcp_keepalive_intvl": (1, 29),
    "net.ipv4.tcp_keepalive_probes": (1, 29),
    "net.ipv4.tcp_keepalive_time": (1, 29),
    "net.ipv4.tcp_rmem": (1, 32),
    "net.ipv4.tcp_wmem": (1, 32),
}
"""Sysctls that stay within the pod → the minor since which they are allowed."""
SELINUX_TYPES: dict[str, Minor] = {
    "": (1, 0),
    "container_t": (1, 0),
    "container_init_t": (1, 0),
    "container_kvm_t": (1, 0),
    "container_engine_t": (1, 31),
}
PROFILES = ("RuntimeDefault", "Localhost")
"""Profiles of seccomp and AppArmor that confine a container."""
PROBE_HOSTS: Minor = (1, 34)
"""Since then a probe may go to the pod's own address only."""
USER_NAMESPACES: Minor = (1, 35)
"""Since then a pod with `hostUsers: false` may do more: its root is nobody on the node."""
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def host_namespaces(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """No network, processes or IPC of the node."""
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(key) is True:
            yield Finding((*pod.path, "spec", key), f"{key} is true")


def privileged(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """No privileged container."""
    for path, security in contexts(pod)[1:]:
        if security.get("privileged") is True:
            yield Finding((*path, "privileged"), "privileged is true")


def capabilities(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """None beyond those that a container runtime gives anyway."""
    for path, security in contexts(pod)[1:]:
        for index, name in enumerate(items(at(security, "capabilities", "add"))):
            if str(name) not in CAPABILITIES:
                yield Finding((*path, "capabilities", "add", index), f"adds the capability `{name}`")


def host_paths(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """No folder of the node."""
    for path, volume in pod.volumes():
        if "hostPath" in volume:
            shown = at(volume, "hostPath", "path")
            yield Finding((*path, "hostPath", "path"), f"mounts the node's `{shown}`")


def host_ports(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """No port of the node."""
    for container in pod.containers:
        for index, port in enumerate(items(container.spec.get("ports"))):
            if found := mapping(port).get("hostPort"):
                yield Finding((*container.path, "ports", index, "hostPort"), f"takes the node's port {found}")


def apparmor(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """The runtime's profile, or one that is named."""
    for path, security in contexts(pod):
        profile = at(security, "appArmorProfile", "type")
        if profile is not None and profile not in PROFILES:
            yield Finding((*path, "appArmorProfile", "type"), f"AppArmor's profile is `{profile}`")
    for key, value in mapping(at(pod.template, "metadata", "annotations")).items():
        allowed = value in ("", "runtime/default") or str(value).startswith("localhost/")
        if str(key).startswith(APPARMOR) and not allowed:
            yield Finding((*pod.path, "metadata", "annotations", key), f"AppArmor's profile is `{value}`")


def selinux(pod: Pod, minor: Minor) -> Iterator[Finding]:
    """A container's type, and neither user nor role."""
    for path, security in contexts(pod):
        for key, value in mapping(security.get("seLinuxOptions")).items():
            allowed = SELINUX_TYPES.get(str(value), (9, 9)) <= minor if key == "type" else key == "level" or not value
            if not allowed:
                yield Finding((*path, "seLinuxOptions", key), f"SELinux's {key} is `{value}`")


def seccomp(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """Not switched off."""
    for path, security in contexts(pod):
        profile = at(security, "seccompProfile", "type")
        if profile is not None and profile not in PROFILES:
            yield Finding((*path, "seccompProfile", "type"), f"seccomp's profile is `{profile}`")


def proc_mount(pod: Pod, minor: Minor) -> Iterator[Finding]:
    """/proc stays masked, but in a user namespace."""
    if not in_user_namespace(pod, minor):
        yield from unmasked(pod)


def unmasked(pod: Pod) -> Iterator[Finding]:
    """Containers whose /proc is not masked."""
    for path, security in contexts(pod)[1:]:
        if security.get("procMount") not in (None, "Default"):
            yield Finding((*path, "procMount"), f"procMount is `{security['procMount']}`")


def sysctls(pod: Pod, minor: Minor) -> Iterator[Finding]:
    """Those that stay within the pod."""
    for index, sysctl in enumerate(items(pod.security.get("sysctls"))):
        name = str(at(sysctl, "name"))
        if SYSCTLS.get(name, (9, 9)) > minor:
            yield Finding((*pod.path, "spec", "securityContext", "sysctls", index), f"sets the sysctl `{name}`")


def windows(pod: Pod, _minor: Minor) -> Iterator[Finding]:
    """No process of a Windows host."""
    for path, security in contexts(pod):
        if at(security, "windowsOptions", "hostProcess") is True:
            yield Finding((*path, "windowsOptions", "hostProcess"), "hostProcess is true")


def probe_hosts(pod: Pod, minor: Minor) -> Iterator[Finding]:
    """Probes and hooks go to the pod itself: the kubelet would knock anywhere else on its behalf."""
    handlers = (
        *((probe,) for probe in ("livenessProbe", "readinessProbe", "startupProbe")),
        *(("lifecycle", hook) for hook in ("postStart", "preStop")),
    )
    for container in pod.containers if minor >= PROBE_HOSTS else ():
        for handler in handlers:
            for way in ("httpGet", "tcpSocket"):
                if host := at(container.spec, *handler, way, "host"):
                    yield Finding((*container.path, *handler, way, "host"), f"asks the host `{host}`")


CONTROLS = (
    host_namespaces, privileged, capabilities, host_ports, apparmor, selinux, seccomp, proc_mount, sysctls, windows,
    probe_hosts,
)  # fmt: skip
"""All but `host_paths`, which has a rule of its own."""


def contexts(pod: Pod) -> list[tuple[Path, Mapping[str, Any]]]:
    """The securityContexts with their paths: the pod's, then each container's."""
    own = ((*pod.path, "spec", "securityContext"), pod.security)
    return [own, *(((*each.path, "securityContext"), each.security) for each in pod.containers)]


def in_user_namespace(pod: Pod, minor: Minor) -> bool:
    """Whether the pod's users are not those of the node, and the minor makes allowance for it."""
    return minor >= USER_NAMESPACES and pod.spec.get("hostUsers") is False
