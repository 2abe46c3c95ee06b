"""Argo CD: the two parts that sync, with a Redis between them, and what its chart would have made in the cluster."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from generators.lab.control_plane import Api
from generators.lab.home import Home, free_port
from generators.lab.processes import Processes
from generators.tools import crds
from generators.tools.binaries import find, require
from generators.tools.kubectl import Kubectl

NAMESPACE = "argocd"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:argocd-application-controller"
STARTED_WITHIN = 120.0
CRDS = ("application-crd.yaml", "appproject-crd.yaml", "applicationset-crd.yaml")
VERIFIER = "git-verify-wrapper.sh"
"""Argo CD's image has it and calls it for every commit. It says nothing of a commit without a signature, as here."""
SERVER_SIDE_DIFF = "controller.diff.server.side"
RESYNC_SECONDS = 10
"""How often Argo CD looks at git again; three minutes are its own default."""


@dataclass
class ArgoCd:
    """Both parts, on ports of their own."""

    home: Home
    processes: Processes
    api: Api
    params: dict[str, Any]
    """What the chart would write into the ConfigMap argocd-cmd-params-cm, and its pods would read from there."""
    redis: int
    repo_server: int

    def start_repo_server(self) -> None:
        """Clones the repository and renders: kustomize and helm are found as the generators find them."""
        command = [
            str(require("argocd")),
            "repo-server",
            "--address=127.0.0.1",
            f"--port={self.repo_server}",
            "--metrics-address=127.0.0.1",
            f"--metrics-port={free_port()}",
            f"--redis=127.0.0.1:{self.redis}",
            "--parallelismlimit=2",
            # For so long it takes a branch to be where it was; three minutes are its own default.
            f"--revision-cache-expiration={RESYNC_SECONDS / 2:g}s",
        ]
        self.processes.start("argocd-repo-server", command, self._env())

    def start_controller(self) -> None:
        """Signs in as the ServiceAccount that its chart makes."""
        command = [
            str(require("argocd")),
            "application-controller",
            f"--kubeconfig={self.home.folder / 'argocd.kubeconfig'}",
            f"--namespace={NAMESPACE}",
            f"--metrics-port={free_port()}",
            f"--redis=127.0.0.1:{self.redis}",
            f"--repo-server=127.0.0.1:{self.repo_server}",
            f"--app-resync={RESYNC_SECONDS}",
            "--app-resync-jitter=0",
            "--self-heal-timeout-seconds=1",
            f"--server-side-diff-enabled={json.dumps(self.params.get(SERVER_SIDE_DIFF, False))}",
        ]
        self.processes.start("argocd-application-controller", command, self._env())

    def _env(self) -> dict[str, str]:
        own = str(self.home.folder / "bin")
        folders = {str(found.parent) for name in ("kustomize", "helm") if (found := find(name))}
        return {
            "PATH": os.pathsep.join([own, *sorted(folders), os.environ.get("PATH", os.defpath)]),
            "TMPDIR": str(self.home.folder / "tmp"),
            # It runs outside of the cluster that it syncs.
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "KUBECONFIG": str(self.home.folder / "argocd.kubeconfig"),
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_TLS_DATA_PATH": str(self.home.folder / "tmp"),
            "ARGOCD_SSH_DATA_PATH": str(self.home.folder / "tmp"),
            "ARGOCD_PLUGINSOCKFILEPATH": str(self.home.folder / "tmp"),
            "HOME": str(self.home.folder / "tmp"),
        }


def start(home: Home, processes: Processes, api: Api, kubectl: Kubectl, settings: dict[str, Any]) -> ArgoCd:
    """Redis, repo-server, controller. `settings` are the values of the chart, whose ConfigMaps are made from them."""
    api.authority.kubeconfig("argocd.kubeconfig", api.url, ACCOUNT)
    install(kubectl, processes, settings)
    made = ArgoCd(home, processes, api, settings["configs"]["params"], free_port(), free_port())
    home.write(f"bin/{VERIFIER}", "#!/bin/sh\n").chmod(0o700)
    redis = [str(require("redis-server")), "--port", str(made.redis), "--bind", "127.0.0.1", "--save", ""]
    processes.start("redis", [*redis, "--dir", str(home.folder / "tmp")])
    made.start_repo_server()
    made.start_controller()
    return made


def install(kubectl: Kubectl, processes: Processes, settings: dict[str, Any]) -> None:
    """The kinds of Argo CD, its namespace, its ConfigMaps and what its controller may do."""
    folder = crds.folder(crds.ARGO_CD) / "manifests" / "crds"
    for file in CRDS:
        kubectl("apply", "--server-side", "-f", str(folder / file))
    processes.until("kinds of Argo CD", lambda: not_served(kubectl, "argoproj.io"), STARTED_WITHIN)
    kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(_objects(settings)))


def not_served(kubectl: Kubectl, group: str) -> str:
    """The kinds of an API group that are not served yet, or nothing."""
    found = json.loads(kubectl("get", "crd", "-o", "json"))["items"]
    return ", ".join(
        each["metadata"]["name"] for each in found if each["spec"]["group"] == group and not _established(each)
    )


def _established(crd: dict[str, Any]) -> bool:
    conditions = crd.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def _objects(settings: dict[str, Any]) -> list[dict[str, Any]]:
    configs = settings.get("configs", {})
    texts = {
        "argocd-cm": configs.get("cm", {}),
        "argocd-rbac-cm": configs.get("rbac", {}),
        "argocd-cmd-params-cm": configs.get("params", {}),
    }
    labels = {"app.kubernetes.io/part-of": "argocd"}
    maps = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
            "data": {key: value if isinstance(value, str) else json.dumps(value) for key, value in data.items()},
        }
        for name, data in texts.items()
    ]
    secret = {"name": "argocd-secret", "namespace": NAMESPACE, "labels": labels}
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    subject = [{"kind": "User", "name": ACCOUNT, "apiGroup": "rbac.authorization.k8s.io"}]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "argocd-application-controller"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        *maps,
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": secret,
            "stringData": {"server.secretkey": "of-this-lab-only"},
        },
        _rbac("ClusterRole", {"rules": everything}),
        _rbac("ClusterRoleBinding", {"roleRef": role, "subjects": subject}),
    ]


def _rbac(kind: str, more: dict[str, Any]) -> dict[str, Any]:
    name = {"name": "argocd-application-controller"}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": name, **more}


def settings_of(apps: Path) -> dict[str, Any]:
    """The values that this repository gives to Argo CD's chart."""
    found = yaml.safe_load((apps / "argo-cd" / "values.yaml").read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}
