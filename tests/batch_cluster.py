"""A cluster for batches: a real API server with the real controllers of Jobs, and a stand-in for kubelets.

Pods are made by the Job controller, as on a real cluster. No container runs: a test says how a pod ends, through the
API, as a kubelet would; and what pods "said" is served by a stand-in of the kubelet's log endpoint, which the real API
server asks when the real kubectl asks it.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.control_plane import ControlPlane, control_plane
from tests.fleets import ROOT
from tests.tool_needed import needed

Object = dict[str, Any]

NAMESPACE, NODE = "gpu-inference", "gpu-1"
CONTROLLERS = "job-controller,cronjob-controller,ttl-after-finished-controller,garbage-collector-controller"
WITHIN = 90.0
"""Seconds that a controller may take on a busy machine; one is usual."""


@dataclass
class Cluster:
    """The API server, and what pods say: by pod, its lines; `running` are those that may say more."""

    server: ControlPlane
    logs: dict[str, list[str]] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)

    def get(self, *arguments: str) -> list[Object]:
        """Objects of the namespace."""
        text = self.server.kubectl("get", *arguments, "-n", NAMESPACE, "-o", "json")
        found: list[Object] = json.loads(text)["items"]
        return found

    def pods(self, job: str, shard: int | None = None, phase: str = "") -> list[Object]:
        """Pods of a Job, those of one shard."""
        chosen = f"batch.kubernetes.io/job-name={job}"
        chosen += "" if shard is None else f",batch.kubernetes.io/job-completion-index={shard}"
        found = self.get("pods", "-l", chosen)
        return [each for each in found if not phase or each["status"]["phase"] == phase]

    def start(self, job: str, shard: int, *lines: str) -> str:
        """The shard's newest pod gets a node and runs, and says these lines; its name."""
        [pod] = until(lambda: self.pods(job, shard, "Pending"))
        name = str(pod["metadata"]["name"])
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"name": NODE}}
        self._post(f"pods/{name}/binding", binding)
        self.logs[name] = list(lines)
        self.running.add(name)
        self._status(name, {"phase": "Running"}, {"running": {"startedAt": _now()}}, ready=True)
        return name

    def end(self, pod: str, code: int) -> None:
        """Its container ends with this code."""
        state = {
            "terminated": {"exitCode": code, "reason": "Completed" if code == 0 else "Error", "finishedAt": _now()}
        }
        self._status(pod, {"phase": "Failed" if code else "Succeeded"}, state, ready=False)
        self.running.discard(pod)

    def run(self, job: str, shard: int, code: int = 0, *lines: str) -> str:
        """One attempt of a shard, from start to end; its pod."""
        pod = self.start(job, shard, *lines)
        self.end(pod, code)
        return pod

    def _status(self, pod: str, status: Object, state: Object, *, ready: bool) -> None:
        container = {
            "name": "worker",
            "image": "worker",
            "imageID": "",
            "ready": ready,
            "restartCount": 0,
            "state": state,
        }
        conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": _now()}]
        whole = {"status": {**status, "conditions": conditions, "containerStatuses": [container]}}
        self.server.kubectl(
            "patch", "pod", pod, "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", json.dumps(whole)
        )

    def _post(self, path: str, document: Object) -> None:
        where = f"/api/v1/namespaces/{NAMESPACE}/{path}"
        self.server.kubectl("create", "--raw", where, "-f", "-", stdin=json.dumps(document))


@contextmanager
def batch_cluster(name: str) -> Iterator[Cluster]:
    """A cluster with what Argo CD would have applied of gpu-inference for the committed cluster `name`."""
    with control_plane() as server, _controllers(server):
        found = Cluster(server)
        with _kubelet(found) as port:
            labels = {"pod-security.kubernetes.io/enforce": "restricted"}
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}
            _apply(server, [namespace, _node()])
            status = {
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            }
            patch = json.dumps({"status": status})
            server.kubectl("patch", "node", NODE, "--subresource=status", "--type=merge", "-p", patch)
            _apply(server, committed(name))
            yield found


def committed(name: str) -> list[Object]:
    """What is committed of gpu-inference for a cluster, as Argo CD tracks it."""
    folder = ROOT / "clusters" / name / "generated" / "manifests" / "gpu-inference"
    objects = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))]
    return sorted(objects, key=lambda each: each["kind"] != "PriorityClass")


def until(look: Callable[[], Any]) -> Any:
    """What `look` finds, once it finds something."""
    end = time.monotonic() + WITHIN
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
    return found


def _apply(server: ControlPlane, objects: list[Object]) -> None:
    server.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(objects))


def _node() -> Object:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def _controllers(server: ControlPlane) -> Iterator[None]:
    program = needed("kube-controller-manager")
    command = [
        str(program),
        f"--kubeconfig={server.kubeconfig}",
        f"--controllers={CONTROLLERS}",
        "--leader-elect=false",
        "--secure-port=0",
    ]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL) as process,
    ):
        try:
            yield
        finally:
            process.kill()


@contextmanager
def _kubelet(cluster: Cluster) -> Iterator[int]:
    """The stand-in: GET /containerLogs/NAMESPACE/POD/CONTAINER, over TLS; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            pod, asked = parts.path.split("/")[3], parse_qs(parts.query)
            lines = cluster.logs.get(pod)
            self.send_response(404 if lines is None else 200)
            self.end_headers()
            if lines is not None:
                tail = int(asked.get("tailLines", ["0"])[0])
                self._say(pod, lines[-tail:] if tail else lines, follow="follow" in asked)

        def _say(self, pod: str, lines: list[str], *, follow: bool) -> None:
            self.wfile.write("".join(f"{each}\n" for each in lines).encode())
            told = len(cluster.logs[pod])
            going = follow
            while going:
                going = pod in cluster.running
                self.wfile.write("".join(f"{each}\n" for each in cluster.logs[pod][told:]).encode())
                told = len(cluster.logs[pod])
                time.sleep(0.1)

        def log_message(self, *_: object) -> None:
            pass

    with tempfile.TemporaryDirectory() as folder, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(Path(folder, "kubelet.pem")))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def _certificate(file: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubelet")]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
    signed = made.not_valid_after(now + timedelta(hours=1)).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file
