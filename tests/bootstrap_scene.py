"""A new cluster for the bootstrap: a real API server, with moto for Secrets Manager and STS.

Stand-ins, since there is no kubelet, no controller, no AWS and no network: objects of nodes and of CoreDNS whose status
the test writes; a chart of its own; one answer of EKS, because moto's cluster has no API server behind it; what Argo CD
writes into its Applications, the test writes.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3

from generators.source.workspace import Workspace
from scripts import readiness
from tests import fleets, stand_in_chart
from tests.control_plane import ControlPlane

ACCOUNT, REGION = "111122223333", "ap-northeast-1"
PASSWORD = "correct-horse-battery-staple"  # noqa: S105 - of nobody
LIMIT = 120
"""Seconds that anything here may take before the test fails; seconds are usual."""
CLUSTER = """\
name: demo
environment: development
network: {vpc_cidr: 10.1.0.0/16, zones: [a, c]}
node_groups:
  system: {instance_types: [m6i.large], capacity: on-demand, role: system, min: 2, max: 3}
  system-spot: {instance_types: [m6i.large], capacity: spot, role: system, min: 1, max: 3}
apps:
  argo-cd: {}
  coredns: {}
"""
Run = subprocess.CompletedProcess[str]


@dataclass
class Scene:
    """A cluster `demo` in a checkout of its own."""

    api: ControlPlane
    workspace: Workspace
    aws: str
    eks: str
    chart: Path

    @property
    def env(self) -> dict[str, str]:
        """Of the scripts: AWS is here, the kubeconfig is given."""
        mine = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "FLEET_KUBE"))}
        return mine | {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ENDPOINT_URL_EKS": self.eks,
            "FLEET_KUBECONFIG": str(self.api.kubeconfig),
            "PYTHONPATH": str(fleets.ROOT),
            "NO_COLOR": "1",
        }

    @contextmanager
    def start(self, *arguments: str, **env: str) -> Iterator[subprocess.Popen[str]]:
        """The script, in a process group of its own, which does not outlive the block."""
        command = [
            sys.executable,
            "-m",
            "scripts.bootstrap",
            "demo",
            f"--chart={self.chart}",
            f"--timeout={LIMIT}",
            *arguments,
        ]
        with subprocess.Popen(
            command,
            env=self.env | env,
            cwd=self.workspace.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def __call__(self, *arguments: str, **env: str) -> Run:
        """The script, to its end."""
        with self.start(*arguments, **env) as process:
            said, _ = process.communicate(timeout=LIMIT)
        return subprocess.CompletedProcess(process.args, process.returncode, said)

    def put(self, *objects: dict[str, Any]) -> None:
        """As somebody else would write them, their status too."""
        for each in objects:
            text = json.dumps(each)
            self.api.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)
            if each["kind"] in {"Node", "Deployment", "StatefulSet", "Job", "Pod"} and "status" in each:
                how = ["--server-side", "--subresource=status", "--force-conflicts"]
                self.api.kubectl("apply", *how, "-f", "-", stdin=text)

    def get(self, *arguments: str) -> dict[str, Any]:
        """An object; {} where there is none."""
        found: dict[str, Any] = json.loads(
            self.api.kubectl("get", *arguments, "--ignore-not-found", "-o", "json") or "{}"
        )
        return found

    def versions(self) -> dict[str, str]:
        """Every object that the bootstrap may write to its resourceVersion."""
        definitions = self._listed("customresourcedefinitions")
        whole = self._listed("namespaces") + definitions
        kinds = "secrets,configmaps" + (",applications,appprojects" if definitions else "")
        return {
            f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["resourceVersion"]
            for each in whole + self._listed(kinds, "-n", "argocd")
        }

    def _listed(self, *arguments: str) -> list[dict[str, Any]]:
        return readiness.listed(self.api.kubectl, *arguments)

    def ready(self) -> None:
        """The cluster as Terraform leaves it, some minutes later."""
        self.put(node("one"), node("two"), coredns(2))

    def argo_cd_reads_git(self) -> None:
        """What Argo CD would do after the bootstrap: run, take the root up, make its own Application."""
        self.put(
            {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "Application",
                "metadata": {"name": "root", "namespace": "argocd"},
                "status": {"sync": {"status": "Synced"}},
            }
        )

    def argo_cd_keeps_itself(self) -> None:
        """Its own Application, as the root makes it, and a controller that runs."""
        self.api.kubectl(
            "apply", "--server-side", "-f", f"{self.workspace.clusters}/demo/generated/argocd/argo-cd.yaml"
        )
        self.put(controller(ready=1))

    def keep(self, credential: object) -> None:
        """The credential in Secrets Manager from now on; None for none."""
        session: Any = boto3.Session("test", "test", region_name=REGION)
        client = session.client("secretsmanager", endpoint_url=self.aws)
        client.delete_secret(SecretId="fleet/git", ForceDeleteWithoutRecovery=True)
        if credential is not None:
            client.create_secret(Name="fleet/git", SecretString=json.dumps(credential))


def node(name: str, *, ready: bool = True) -> dict[str, Any]:
    """A system node."""
    message = "kubelet is posting ready status" if ready else "container runtime network not ready"
    condition = {"type": "Ready", "status": str(ready), "reason": "Test", "message": message}
    metadata = {"name": name, "labels": {"inference-fleet/role": "system"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"conditions": [condition]}}


def _workload(kind: str, name: str, namespace: str, labels: dict[str, str], status: dict[str, Any]) -> dict[str, Any]:
    selector = {"k8s-app": name}
    pod = {"metadata": {"labels": selector}, "spec": {"containers": [{"name": "one", "image": "example.com/one"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": selector}, "template": pod}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def coredns(available: int) -> dict[str, Any]:
    """EKS's own CoreDNS, of two replicas."""
    condition = {"type": "Available", "status": str(available > 0), "reason": "Test", "message": ""}
    status = {"replicas": 2, "readyReplicas": available, "availableReplicas": available, "conditions": [condition]}
    return _workload("Deployment", "coredns", "kube-system", {}, status)


def controller(*, ready: int) -> dict[str, Any]:
    """Argo CD's application controller, with the labels that its chart gives it."""
    labels = {"app.kubernetes.io/component": "application-controller", "app.kubernetes.io/instance": "argo-cd"}
    status = {"replicas": 2, "readyReplicas": ready}
    return _workload("StatefulSet", "argocd-application-controller", "argocd", labels, status)


@contextmanager
def scene(api: ControlPlane, workspace: Workspace, aws: str, *, credential: str = "fleet/git") -> Iterator[Scene]:
    """A cluster with an API server and nothing on it, and a credential in the Secrets Manager at `aws`."""
    text = CLUSTER + (f"git: {{credential: {credential}}}\n" if credential else "")
    fleets.add(workspace, "demo", text)
    with eks_at(api.url, api.ca) as eks:
        found = Scene(api, workspace, aws, eks, stand_in_chart.write(workspace.root / "chart"))
        found.keep({"username": "fleet", "password": PASSWORD})
        # As kube-controller-manager publishes it.
        root_ca = {"name": "kube-root-ca.crt", "namespace": "kube-system"}
        found.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": root_ca, "data": {"ca.crt": api.ca.decode()}})
        yield found


@contextmanager
def eks_at(endpoint: str, ca: bytes, node_groups: tuple[str, ...] = ("system",)) -> Iterator[str]:
    """URL of an EKS that describes one cluster, with a private endpoint, and lists its node groups."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            network = {"endpointPublicAccess": False, "endpointPrivateAccess": True, "publicAccessCidrs": []}
            cluster: dict[str, Any] = {"name": "demo", "status": "ACTIVE", "endpoint": endpoint}
            cluster["resourcesVpcConfig"] = network
            cluster["certificateAuthority"] = {"data": base64.b64encode(ca).decode()}
            body = json.dumps({"cluster": cluster, "nodegroups": [*node_groups]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
