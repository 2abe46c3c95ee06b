"""One lab, from nothing to a cluster that Argo CD syncs, and down again."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generators.errors import FleetError
from generators.lab import Charts, argocd, charts, control_plane, eks, kwok, nodes, repository, stand_ins
from generators.lab.argocd import ArgoCd
from generators.lab.control_plane import Api
from generators.lab.home import Home
from generators.lab.processes import LabFailed, Processes
from generators.lab.repository import Repository
from generators.model.catalog import PROJECT_FILES, ROOT_APPLICATION, Inputs
from generators.output import disk
from generators.pipeline import change, fleet, render
from generators.source.workspace import Workspace
from generators.tools import envtest
from generators.tools.binaries import CONTROL_PLANE, require
from generators.tools.kubectl import Kubectl

Say = Callable[[str], object]
BATCH = 100
"""Nodes that one call of kubectl makes."""


@dataclass(frozen=True)
class Size:
    """Nodes in all (0: the sum of the groups' minimums), how long the pod of a Job takes, and which charts are in."""

    nodes: int = 0
    job_seconds: float = 5.0
    charts: Charts = "none"


@dataclass
class Lab:
    """A running lab. `left_out` names each app that Argo CD does not get here, with the reason."""

    inputs: Inputs
    home: Home
    processes: Processes
    api: Api
    kubectl: Kubectl
    repository: Repository
    argocd: ArgoCd | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    kubernetes: str = ""
    """What is said of its version."""

    def tend(self) -> None:
        """What must be done again and again while it runs. Raises LabFailed where one of its programs ended."""
        self.processes.check()
        stand_ins.fill(self.kubectl)

    def get(self, *arguments: str) -> list[dict[str, Any]]:
        """Objects that `kubectl get ARGUMENTS` lists."""
        found: list[dict[str, Any]] = json.loads(self.kubectl("get", *arguments, "-o", "json"))["items"]
        return found

    def apply(self, objects: Sequence[dict[str, Any]], manager: str = "lab") -> None:
        """Server-side apply of some objects."""
        for start in range(0, len(objects), BATCH):
            items = {"apiVersion": "v1", "kind": "List", "items": list(objects[start : start + BATCH])}
            self.kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", stdin=json.dumps(items))


@contextmanager
def lab(workspace: Workspace, name: str, folder: Path, *, size: Size | None = None, say: Say = print) -> Iterator[Lab]:
    """A lab of the cluster `name` in `folder`; it ends with the block. Raises FleetError, LabFailed, ToolMissing."""
    home = Home(folder).make()
    processes = Processes(home.logs)
    try:
        made = _up(workspace, name, home, processes, size or Size(), say)
        yield made
    finally:
        processes.stop()


def _up(workspace: Workspace, name: str, home: Home, processes: Processes, size: Size, say: Say) -> Lab:
    started = time.monotonic()

    def tell(text: str) -> None:
        say(f"[{time.monotonic() - started:5.1f} s] {text}")

    repo = repository.make(workspace.root, home.folder / "repository")
    inputs = rendered(repo, name)
    for line in envtest.told(CONTROL_PLANE):
        tell(line)
    tell("starting etcd, kube-apiserver, kube-controller-manager, kube-scheduler")
    issuer = f"https://oidc.eks.{inputs.cluster.region}.amazonaws.com/id/LAB"
    api = control_plane.start(home, processes, issuer, str(inputs.cluster.network.service_cidr))
    made = Lab(inputs, home, processes, api, Kubectl(require("kubectl"), home.kubeconfig), repo)
    made.kubernetes = control_plane.told(api.version(), inputs.cluster.kubernetes)
    tell(made.kubernetes)
    _nodes(made, size, tell)
    made.apply(eks.objects(inputs), eks.FIELD_MANAGER)
    made.left_out = charts.left_out(inputs, size.charts)
    for app, reason in made.left_out.items():
        tell(f"left out: {app}: {reason}")
    repository.leave_out(repo, name, list(made.left_out))
    repo.commit(f"{name}, as its checkout stands")
    tell("starting Argo CD")
    made.argocd = argocd.start(home, processes, api, made.kubectl, argocd.settings_of(repo.folder / "apps"))
    stand_ins.install(made.kubectl, processes)
    tell(f"standing in: {stand_ins.ABOUT}")
    hand_over(made)
    tell(f"up: export KUBECONFIG={home.kubeconfig}")
    return made


def rendered(repo: Repository, name: str) -> Inputs:
    """The cluster in the lab's repository, rendered with its address. Raises FleetError."""
    target = Workspace(repo.folder)
    found = fleet.read(target)
    for key, value in (("git.repository", repo.url), ("git.revision", repository.BRANCH)):
        change.set_key(found, name, key, value)
    outcome = render.render_cluster(found, name, "write")
    if outcome.problems:
        raise FleetError(outcome.problems)
    return found.load(name)


def _nodes(made: Lab, size: Size, tell: Say) -> None:
    counts = nodes.counts(made.inputs, size.nodes)
    made.apply(nodes.nodes(made.inputs, counts))
    tell("nodes: " + ", ".join(f"{count}x {key}" for key, count in counts.items() if count))
    kwok.start(made.home, made.processes, made.api, size.job_seconds)


def hand_over(made: Lab) -> None:
    """The projects, then the root Application: what `make bootstrap` applies."""
    folder = made.repository.folder / "clusters" / made.inputs.cluster.name / disk.GENERATED / "argocd"
    for file in (*PROJECT_FILES, ROOT_APPLICATION):
        made.kubectl("apply", "--server-side", "-f", str(folder / f"{file}.yaml"))


def wait_synced(made: Lab, seconds: float) -> None:
    """Until every Application is Synced and Healthy. Raises LabFailed with those that are not, and why."""

    def reason() -> str:
        made.tend()
        found = made.get("applications", "-n", argocd.NAMESPACE)
        wanted = set(made.inputs.apps()) - set(made.left_out) | {ROOT_APPLICATION}
        missing = wanted - {each["metadata"]["name"] for each in found}
        return "; ".join([*(f"{name} is not there yet" for name in sorted(missing)), *filter(None, map(_state, found))])

    made.processes.until("Applications", reason, seconds, pause=1.0)


def _state(application: dict[str, Any]) -> str:
    status = application.get("status", {})
    sync, health = status.get("sync", {}).get("status"), status.get("health", {}).get("status")
    if (sync, health) == ("Synced", "Healthy"):
        return ""
    said = [each.get("message", "") for each in status.get("conditions", [])]
    said += [status.get("operationState", {}).get("message", "")]
    return f"{application['metadata']['name']} is {sync}, {health} {' '.join(filter(None, said))}".rstrip()


def remove(home: Home) -> None:
    """All that a lab left on disk."""
    shutil.rmtree(home.folder, ignore_errors=True)


__all__ = ["Lab", "LabFailed", "lab", "remove", "wait_synced"]
