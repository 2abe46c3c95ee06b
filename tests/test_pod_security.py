"""Our evaluator of Pod Security beside the real one, in a kube-apiserver: the same pods, levels and minors."""

from __future__ import annotations

import copy
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.checks.policy.objects import Object, Pod
from generators.checks.policy.pod_security import LEVELS, violations
from generators.output.text import texts
from generators.pipeline import rendered
from generators.renderers import render
from tests import fleets
from tests.control_plane import ControlPlane, control_plane
from tests.tool_needed import needed

MINORS = [(1, 28), (1, 31), (1, 32), (1, 33), (1, 34), (1, 35), (1, 36)]
"""What the API server is asked to enforce: it knows the rules of older minors too."""
FIT: dict[str, Any] = {
    "metadata": {"name": "sample", "annotations": {}},
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "initContainers": [
            {
                "name": "first",
                "image": "sample:1",
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
        "containers": [
            {
                "name": "main",
                "image": "sample:1",
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
        "volumes": [],
    },
}
"""A pod that `restricted` admits."""
REMOVED = object()
POD, MAIN, FIRST = "spec.securityContext", "spec.containers.0.securityContext", "spec.initContainers.0.securityContext"
SYSCTLS = [
    "kernel.shm_rmid_forced", "kernel.shmmax", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem", "net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
]  # fmt: skip
CAPABILITIES = [
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", "NET_RAW", "NET_ADMIN", "SYS_ADMIN", "ALL",
]  # fmt: skip
SOURCES: dict[str, Any] = {
    "configMap": {"name": "a"},
    "csi": {"driver": "csi.example.com"},
    "downwardAPI": {"items": []},
    "emptyDir": {},
    "ephemeral": {
        "volumeClaimTemplate": {
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        }
    },
    "hostPath": {"path": "/var/log"},
    "image": {"reference": "sample:1"},
    "iscsi": {"targetPortal": "10.0.0.1", "iqn": "iqn.2001-04.com.example:a", "lun": 0},
    "nfs": {"server": "nfs.example.com", "path": "/"},
    "persistentVolumeClaim": {"claimName": "a"},
    "projected": {"sources": []},
    "secret": {"secretName": "a"},
}
PROBE = {"httpGet": {"host": "10.0.0.1", "port": 80}}
CHANGES: list[tuple[str, Any]] = [
    ("spec.hostNetwork", True),
    ("spec.hostPID", True),
    ("spec.hostIPC", True),
    ("spec.hostPID", False),
    ("spec.hostUsers", False),
    (f"{MAIN}", {"privileged": True}),
    (f"{MAIN}.privileged", False),
    (f"{FIRST}.allowPrivilegeEscalation", True),
    (f"{MAIN}.allowPrivilegeEscalation", REMOVED),
    (f"{FIRST}", REMOVED),
    (f"{POD}", REMOVED),
    (f"{POD}.runAsNonRoot", REMOVED),
    (f"{POD}.runAsNonRoot", False),
    (f"{MAIN}.runAsNonRoot", False),
    (f"{FIRST}.runAsNonRoot", True),
    (f"{POD}.runAsUser", 1000),
    (f"{MAIN}.runAsUser", 0),
    (f"{FIRST}.runAsUser", 0),
    (f"{POD}.seccompProfile", REMOVED),
    (f"{POD}.seccompProfile", {"type": "Unconfined"}),
    (f"{POD}.seccompProfile", {"type": "Localhost", "localhostProfile": "a.json"}),
    (f"{MAIN}.seccompProfile", {"type": "Unconfined"}),
    (f"{MAIN}.seccompProfile", {"type": "RuntimeDefault"}),
    (f"{POD}.appArmorProfile", {"type": "Unconfined"}),
    (f"{MAIN}.appArmorProfile", {"type": "RuntimeDefault"}),
    (f"{FIRST}.appArmorProfile", {"type": "Unconfined"}),
    ("metadata.annotations", {"container.apparmor.security.beta.kubernetes.io/main": "unconfined"}),
    ("metadata.annotations", {"container.apparmor.security.beta.kubernetes.io/main": "localhost/a"}),
    *((f"{POD}.seLinuxOptions", {"type": f"container_{name}t"}) for name in ("", "init_", "kvm_", "engine_")),
    (f"{POD}.seLinuxOptions", {"type": "spc_t"}),
    (f"{MAIN}.seLinuxOptions", {"user": "system_u"}),
    (f"{FIRST}.seLinuxOptions", {"role": "system_r"}),
    (f"{MAIN}.seLinuxOptions", {"level": "s0:c1,c2"}),
    (f"{MAIN}.capabilities", REMOVED),
    (f"{MAIN}.capabilities.drop", ["CHOWN"]),
    (f"{FIRST}.capabilities.drop", ["ALL", "CHOWN"]),
    *((f"{MAIN}.capabilities.add", [name]) for name in CAPABILITIES),
    (f"{FIRST}.capabilities.add", ["NET_BIND_SERVICE", "SYS_TIME"]),
    *((f"{POD}.sysctls", [{"name": name, "value": "1"}]) for name in SYSCTLS),
    *(("spec.volumes", [{"name": "a", kind: source}]) for kind, source in SOURCES.items()),
    ("spec.volumes", [{"name": "a"}]),
    ("spec.containers.0.ports", [{"containerPort": 80}]),
    ("spec.containers.0.ports", [{"containerPort": 80, "hostPort": 80}]),
    ("spec.containers.0.livenessProbe", PROBE),
    ("spec.containers.0.readinessProbe", {"tcpSocket": {"host": "10.0.0.1", "port": 80}}),
    ("spec.containers.0.startupProbe", {"httpGet": {"port": 80}}),
    ("spec.containers.0.lifecycle", {"preStop": PROBE}),
    ("spec.containers.0.lifecycle", {"postStart": PROBE}),
    (f"{POD}.windowsOptions", {"hostProcess": False}),
]
"""One change of the pod each: where, and what stands there instead."""
UNMASKED = [("spec.hostUsers", False), (f"{MAIN}.procMount", "Unmasked")]
AS_ROOT = [("spec.hostUsers", False), (f"{POD}.runAsNonRoot", REMOVED), (f"{MAIN}.runAsUser", 0)]
WINDOWS = [
    (POD, {"runAsNonRoot": True}), (MAIN, REMOVED), ("spec.initContainers", REMOVED), ("spec.os", {"name": "windows"}),
]  # fmt: skip
# The API server takes the one with the other only: hostNetwork alone is reason enough to refuse it.
HOST_PROCESS = [*WINDOWS, ("spec.hostNetwork", True), (f"{POD}.windowsOptions", {"hostProcess": True})]
PODS = [[change] for change in CHANGES] + [UNMASKED, AS_ROOT, WINDOWS, HOST_PROCESS, []]


def changed(changes: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pod with these changes, in turn. One whose place an earlier change took away is left out."""
    pod = copy.deepcopy(FIT)
    for place, value in changes:
        *above, last = place.split(".")
        node: Any = pod
        for step in above:
            node = node[int(step)] if isinstance(node, list) else node.get(step, {})
        if value is REMOVED:
            node.pop(last, None)
        else:
            node[last] = copy.deepcopy(value)
    return pod


class Admission:
    """The API server's own verdicts, in dry runs: nothing is stored."""

    def __init__(self, server: ControlPlane) -> None:
        self.host, self.token = server.url.removeprefix("https://"), server.token
        self.context = ssl.create_default_context(cadata=server.ca.decode())
        for level in ("baseline", "restricted"):
            for minor in MINORS:
                mode = "pod-security.kubernetes.io/enforce"
                labels = {mode: level, f"{mode}-version": f"v{minor[0]}.{minor[1]}"}
                self._post("", {"kind": "Namespace", "metadata": {"name": _namespace(level, minor), "labels": labels}})

    def admits(self, pod: dict[str, Any], level: str, minor: tuple[int, int]) -> bool | None:
        """None where the pod is refused for other reasons than its security."""
        try:
            self._post(f"/{_namespace(level, minor)}/pods?dryRun=All", {"kind": "Pod", **pod})
        except urllib.error.HTTPError as error:
            message = json.load(error)["message"]
            return False if error.code == 403 and "violates PodSecurity" in message else None
        return True

    def _post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            f"https://{self.host}/api/v1/namespaces{path}",
            json.dumps({"apiVersion": "v1", **body}).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, context=self.context):  # noqa: S310 (our own server, by https)
            pass


def _namespace(level: str, minor: tuple[int, int]) -> str:
    return f"{level}-{minor[1]}"


@pytest.fixture(scope="module")
def admission() -> Iterator[Admission]:
    with control_plane() as running:
        yield Admission(running)


def admitted(pod: dict[str, Any], level: str, minor: tuple[int, int]) -> bool:
    return not violations(Pod((), pod), level, minor)


@pytest.mark.parametrize("level", ["baseline", "restricted"])
@pytest.mark.parametrize("minor", MINORS, ids=lambda minor: f"1.{minor[1]}")
def test_each_change_has_the_api_servers_own_verdict(admission: Admission, level: str, minor: tuple[int, int]) -> None:
    verdicts = {True: 0, False: 0}
    for changes in PODS:
        pod = changed(changes)
        theirs = admission.admits(pod, level, minor)
        assert theirs is not None, f"no valid pod: {changes}"
        assert admitted(pod, level, minor) == theirs, f"{changes}: {violations(Pod((), pod), level, minor)}"
        verdicts[theirs] += 1
    assert min(verdicts.values()) >= 20, verdicts


@settings(max_examples=150, deadline=None)
@given(
    changes=st.lists(st.sampled_from(CHANGES), min_size=2, max_size=4),
    level=st.sampled_from(["baseline", "restricted"]),
    minor=st.sampled_from(MINORS),
)
def test_changes_together_have_the_api_servers_own_verdict(
    admission: Admission, changes: list[tuple[str, Any]], level: str, minor: tuple[int, int]
) -> None:
    pod = changed(changes)
    theirs = admission.admits(pod, level, minor)
    assert theirs is None or admitted(pod, level, minor) == theirs


@pytest.mark.parametrize("name", ["dev-tokyo", "prod-tokyo"])
def test_the_api_server_admits_every_pod_of_a_committed_cluster(admission: Admission, name: str) -> None:
    """Each by the level of its namespace; without its PriorityClass, which is not there."""
    needed("kustomize")
    inputs = fleets.committed().load(name)
    levels, seen = {app.namespace: app.pod_security for app in inputs.apps().values()}, 0
    for each in rendered.built(fleets.ROOT, inputs).objects + list(rendered.written(name, texts(render(inputs), name))):
        found = Object(each.document)
        level = levels.get(found.namespace)
        if found.pod.containers and level in ("baseline", "restricted"):
            spec = {key: value for key, value in found.pod.spec.items() if key != "priorityClassName"}
            assert admission.admits({"metadata": {"name": "sample"}, "spec": spec}, level, (1, 36)), found.title
            seen += 1
    assert seen >= 5


def test_privileged_refuses_nothing_and_levels_build_on_each_other() -> None:
    assert LEVELS["privileged"] == ()
    assert set(LEVELS["baseline"]) < set(LEVELS["restricted"])


def test_a_finding_stands_at_the_field_that_is_at_fault() -> None:
    pod = changed([("spec.hostPID", True), (f"{FIRST}.capabilities.add", ["NET_BIND_SERVICE", "SYS_TIME"])])
    assert [
        (each.path, each.message) for each in violations(Pod(("spec", "template"), pod), "restricted", (1, 35))
    ] == [
        (("spec", "template", "spec", "hostPID"), "hostPID is true"),
        (
            ("spec", "template", "spec", "initContainers", 0, "securityContext", "capabilities", "add", 1),
            "adds the capability `SYS_TIME`",
        ),
    ]
