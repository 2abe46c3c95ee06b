"""A real control plane for tests: etcd and kube-apiserver, as `make control-plane` builds them.

No controllers, no scheduler, no nodes: what these would do, a test does itself and says so. Objects are stored,
validated, defaulted, authorised and admitted as on a real cluster.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from generators.tools.kubectl import Kubectl
from tests.tool_needed import needed

STARTED_WITHIN = 120.0
"""Seconds; three are usual. More only on a machine that does much else."""
ATTEMPTS = 3
"""Another process may take the port that was free a moment ago."""


@dataclass(frozen=True)
class ControlPlane:
    """A running API server. `kubeconfig` signs in as an administrator (system:masters)."""

    url: str
    ca: bytes
    token: str
    kubeconfig: Path

    @property
    def kubectl(self) -> Kubectl:
        """kubectl on it, as the administrator."""
        return Kubectl(needed("kubectl"), self.kubeconfig)


@contextmanager
def control_plane() -> Iterator[ControlPlane]:
    """Starts one, empty, and ends it with everything in it. Skips, or in CI fails, without the programs.

    One a test: it starts in seconds, and tests cannot meet.
    """
    etcd, server = needed("etcd"), needed("kube-apiserver")
    needed("kubectl")
    # Not pytest's tmp_path: the path of a Unix socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="fleet-cp-") as name:
        folder = Path(name)
        with _running(_etcd(etcd, folder), folder / "etcd.log"):
            token = _accounts(folder)
            for attempt in range(1, ATTEMPTS + 1):
                port = _free_port()
                with _running(_api_server(server, folder, port), folder / "api.log") as process:
                    if _ready(process, folder, port):
                        yield _admitted(folder, port, token)
                        return
                if attempt == ATTEMPTS:
                    raise RuntimeError(f"kube-apiserver does not start\n{_tail(folder)}")


def _etcd(program: Path, folder: Path) -> list[str]:
    """Clients use a socket file, so that two test runs never meet. Nobody dials a peer, but it wants an address."""
    nobody = "http://127.0.0.1:0"
    return [
        str(program),
        f"--data-dir={folder}/data",
        f"--listen-client-urls=unix://{folder}/etcd",
        f"--advertise-client-urls={nobody}",
        f"--listen-peer-urls={nobody}",
        f"--initial-advertise-peer-urls={nobody}",
        f"--initial-cluster=default={nobody}",
        "--unsafe-no-fsync",
    ]


def _api_server(program: Path, folder: Path, port: int) -> list[str]:
    return [
        str(program),
        f"--etcd-servers=unix://{folder}/etcd",
        f"--cert-dir={folder}/certs",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--service-cluster-ip-range=172.20.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder}/accounts.key",
        f"--service-account-signing-key-file={folder}/accounts.key",
        f"--token-auth-file={folder}/tokens.csv",
        "--authorization-mode=RBAC",
        # As on EKS: otherwise privileged pods are refused before any policy sees them.
        "--allow-privileged=true",
        # Pods would need a ServiceAccount `default`, which no controller makes here.
        "--disable-admission-plugins=ServiceAccount",
    ]


def _accounts(folder: Path) -> str:
    """Keys of ServiceAccounts, and an administrator's token."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "accounts.key").write_bytes(key)
    token = secrets.token_urlsafe()
    (folder / "tokens.csv").write_text(f'{token},administrator,administrator,"system:masters"\n')
    return token


def _admitted(folder: Path, port: int, token: str) -> ControlPlane:
    url, ca = f"https://127.0.0.1:{port}", (folder / "certs" / "apiserver.crt").read_bytes()
    server = {"server": url, "certificate-authority-data": base64.b64encode(ca).decode()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": server}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    kubeconfig = folder / "kubeconfig"
    kubeconfig.touch(0o600)
    kubeconfig.write_text(json.dumps(config))
    return ControlPlane(url, ca, token, kubeconfig)


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()  # its data are thrown away with it


def _ready(process: subprocess.Popen[bytes], folder: Path, port: int) -> bool:
    """Waits until it serves; False where it ended instead."""
    until = time.monotonic() + STARTED_WITHIN
    while process.poll() is None:
        try:
            context = ssl.create_default_context(cafile=folder / "certs" / "apiserver.crt")
            with urllib.request.urlopen(f"https://127.0.0.1:{port}/readyz", timeout=5, context=context):
                return True
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > until:
                raise RuntimeError(f"kube-apiserver is not ready: {error}\n{_tail(folder)}") from None
        time.sleep(0.1)
    shutil.rmtree(folder / "certs", ignore_errors=True)
    return False


def _tail(folder: Path) -> str:
    return "\n".join(
        f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        for log in sorted(folder.glob("*.log"))
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
