"""etcd, API server, controllers, scheduler, and kwok in the place of kubelets: the commands that start them."""

from __future__ import annotations

import json
import ssl
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from generators.lab import keys
from generators.lab.home import Home, free_port
from generators.lab.keys import Authority
from generators.lab.processes import LabFailed, Processes
from generators.tools.binaries import require

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok")
STARTED_WITHIN = 180.0
"""Seconds; a few are usual. More only on a machine that does much else."""
ATTEMPTS = 3
"""Another process may take the port that was free a moment ago."""
ADMINISTRATORS = "system:masters"
AUDIT = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    nonResourceURLs: ["/healthz*", "/readyz*", "/livez*", "/version", "/openapi*"]
  - level: Metadata
"""


@dataclass(frozen=True)
class Api:
    """The API server of a lab."""

    url: str
    authority: Authority
    issuer: str

    def get(self, path: str, timeout: float = 5) -> bytes:
        """What it answers without a sign-in. Raises OSError."""
        context = ssl.create_default_context(cafile=self.authority.file)
        with urllib.request.urlopen(f"{self.url}{path}", timeout=timeout, context=context) as answer:  # noqa: S310 (https)
            return bytes(answer.read())

    def version(self) -> str:
        """What Kubernetes it is, as in 1.36.3. Raises OSError."""
        return str(json.loads(self.get("/version"))["gitVersion"]).removeprefix("v")


def start(home: Home, processes: Processes, issuer: str, service_range: str) -> Api:
    """Everything but kwok; ready when this returns. Raises LabFailed, ToolMissing."""
    processes.start("etcd", _etcd(home))
    authority = keys.authority(home)
    account_key = keys.service_account_key(home)
    home.write("audit.yaml", AUDIT)
    api = _api_server(home, processes, authority, account_key, issuer, service_range)
    authority.kubeconfig(home.kubeconfig.name, api.url, "administrator", ADMINISTRATORS)
    _controllers(processes, api, account_key)
    return api


def told(version: str, wanted: str) -> str:
    """Which Kubernetes a lab runs and, where that is another minor than the cluster file's, that it is."""
    same = version.startswith(f"{wanted}.")
    return f"Kubernetes {version}" + ("" if same else f", though the cluster file says {wanted}")


def _etcd(home: Home) -> list[str]:
    """Clients use a socket file, so that two labs never meet. Nobody dials a peer, but it wants an address."""
    nobody = "http://127.0.0.1:0"
    return [
        str(require("etcd")),
        f"--data-dir={home.folder}/data",
        f"--listen-client-urls=unix://{home.folder}/etcd",
        f"--advertise-client-urls={nobody}",
        f"--listen-peer-urls={nobody}",
        f"--initial-advertise-peer-urls={nobody}",
        f"--initial-cluster=default={nobody}",
        "--unsafe-no-fsync",
    ]


def _api_server(
    home: Home, processes: Processes, authority: Authority, account_key: Path, issuer: str, service_range: str
) -> Api:
    certificate, key = authority.issue("kube-apiserver", server=True)
    for attempt in range(1, ATTEMPTS + 1):
        port = free_port()
        api = Api(f"https://127.0.0.1:{port}", authority, issuer)
        command = [
            str(require("kube-apiserver")),
            f"--etcd-servers=unix://{home.folder}/etcd",
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={authority.file}",
            f"--service-cluster-ip-range={service_range}",
            f"--service-account-issuer={issuer}",
            f"--service-account-key-file={account_key}",
            f"--service-account-signing-key-file={account_key}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--anonymous-auth=true",
            f"--audit-policy-file={home.folder}/audit.yaml",
            f"--audit-log-path={home.folder}/audit.log",
        ]
        processes.start("kube-apiserver", command)
        try:
            processes.until("kube-apiserver", lambda: _not_ready(api), STARTED_WITHIN)  # noqa: B023 (called in this turn)
        except LabFailed:
            if attempt == ATTEMPTS or processes.running["kube-apiserver"].poll() is None:
                raise
        else:
            return api
    raise AssertionError("unreachable")


def _not_ready(api: Api) -> str:
    try:
        api.get("/readyz")
    except OSError as error:
        return str(error)
    return ""


PACE = ("--kube-api-qps=200", "--kube-api-burst=400")
"""Requests a second of the controllers. At their own 20 and 50, making a DaemonSet's pods takes a minute."""


def _controllers(processes: Processes, api: Api, account_key: Path) -> None:
    manager = api.authority.kubeconfig("manager.kubeconfig", api.url, "system:kube-controller-manager")
    scheduler = api.authority.kubeconfig("scheduler.kubeconfig", api.url, "system:kube-scheduler")
    manager_command = [
        str(require("kube-controller-manager")),
        f"--kubeconfig={manager}",
        f"--authentication-kubeconfig={manager}",
        f"--authorization-kubeconfig={manager}",
        f"--service-account-private-key-file={account_key}",
        f"--root-ca-file={api.authority.file}",
        "--use-service-account-credentials=true",
        "--bind-address=127.0.0.1",
        f"--secure-port={free_port()}",
        "--leader-elect=false",
        *PACE,
    ]
    scheduler_command = [
        str(require("kube-scheduler")),
        f"--kubeconfig={scheduler}",
        f"--authentication-kubeconfig={scheduler}",
        f"--authorization-kubeconfig={scheduler}",
        "--bind-address=127.0.0.1",
        f"--secure-port={free_port()}",
        "--leader-elect=false",
        *PACE,
    ]
    processes.start("kube-controller-manager", manager_command)
    processes.start("kube-scheduler", scheduler_command)
