"""What happens to a fleet of some hundred nodes: many pods at once, spot that goes, bad commits, Argo CD killed."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from generators.lab import kwok
from generators.lab import nodes as simulated
from generators.lab.lab import Lab, wait_synced
from generators.model.names import ROLE_LABEL
from tests.e2e import figures
from tests.e2e.applications import application
from tests.e2e.conftest import SIZES
from tests.e2e.pods import name, nodes, owner, pods, unplaced
from tests.e2e.programs import SYNCED_WITHIN

CLUSTER = "prod-tokyo"
PODS = 1000
PLACED_WITHIN = 300.0
WHOLE_AGAIN_WITHIN = 180.0
"""Seconds. A node that is gone without a word takes its pods along only after the pod collector's 40 to 60."""
SPOT = "eks.amazonaws.com/capacityType"
DNS = ("-n", "kube-system", "-l", "k8s-app=kube-dns")
BATCH = ("-n", "gpu-inference", "-l", "batch.kubernetes.io/job-name=spot-goes")
LOAD = "load"
SHARDS = 60

pytestmark = pytest.mark.parametrize("synced", [CLUSTER], indirect=True)


@pytest.fixture
def fleet(synced: Lab) -> Iterator[Lab]:
    """The fleet; what a test took of its nodes comes back after it, as the autoscaler would bring it."""
    yield synced
    wanted = simulated.nodes(synced.inputs, simulated.counts(synced.inputs, SIZES[CLUSTER].nodes))
    here = nodes(synced)
    synced.apply([each for each in wanted if each["metadata"]["name"] not in here])


def tell(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Past pytest, which holds output back."""
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


def deployment(replicas: int) -> dict[str, Any]:
    """Pods as data scientists' own would be: small, on spot workers."""
    container = {
        "name": "work",
        "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
    }
    pod = {"nodeSelector": {ROLE_LABEL: "worker"}, "containers": [container]}
    labels = {"app": LOAD}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": LOAD, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def batch(git: dict[str, Any]) -> dict[str, Any]:
    """A batch from git under another name, whose shards take a while; the Job controller's own labels stay behind."""
    spec = {key: value for key, value in git["spec"].items() if key not in {"selector", "suspend"}}
    template = json.loads(json.dumps(spec["template"]))
    template["metadata"]["labels"] = {
        key: value
        for key, value in template["metadata"]["labels"].items()
        if key
        not in {"batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"}
    }
    template["metadata"]["annotations"] = {kwok.HOLD: "4s"}
    spec |= {"completions": SHARDS, "parallelism": min(SHARDS, git["spec"]["parallelism"]), "template": template}
    spec["maxFailedIndexes"] = 0
    metadata = {"name": "spot-goes", "namespace": "gpu-inference"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def ready(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the pods that are Ready and stay."""
    return [
        pod
        for pod in found
        if "deletionTimestamp" not in pod["metadata"]
        and any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))
    ]


def test_a_thousand_pods_on_three_hundred_nodes(fleet: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(nodes(fleet)) == SIZES[CLUSTER].nodes
    started = time.monotonic()
    fleet.apply([deployment(PODS)])
    fleet.processes.until("a thousand pods", lambda: _placed(fleet), PLACED_WITHIN, pause=0.5)
    placed = time.monotonic() - started
    fleet.processes.until("Applications in sync", lambda: _unsynced(fleet), SYNCED_WITHIN, pause=0.5)
    tell(capsys, figures.of_load(fleet, PODS, placed, time.monotonic() - started))


def _placed(fleet: Lab, gone: frozenset[str] = frozenset()) -> str:
    found = ready(pods(fleet, "-n", "default", "-l", f"app={LOAD}"))
    here = [pod for pod in found if pod["spec"]["nodeName"] not in gone]
    return "" if len(here) >= PODS else f"{len(here)} of {PODS} are Ready"


def _unsynced(fleet: Lab) -> str:
    fleet.tend()
    found = fleet.get("applications", "-n", "argocd")
    return ", ".join(
        each["metadata"]["name"] for each in found if each.get("status", {}).get("sync", {}).get("status") != "Synced"
    )


def test_a_third_of_spot_goes_at_once(fleet: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    git = next(each for each in fleet.get("jobs", "-n", "gpu-inference") if each["metadata"].get("annotations"))
    fleet.apply([batch(git)])
    fleet.processes.until("shards at work", lambda: "" if len(ready(pods(fleet, *BATCH))) > 5 else "not yet", 60.0)
    spot = sorted(node for node, labels in nodes(fleet).items() if labels[SPOT] == "SPOT")
    gone = [node for index, node in enumerate(spot) if index % 10 < 3]
    hit = [pod for pod in ready(pods(fleet, *BATCH)) if pod["spec"]["nodeName"] in gone]
    assert hit, "no shard was at work on what went"
    started = time.monotonic()
    fleet.kubectl("delete", "nodes", *gone, "--wait=false")
    fleet.processes.until("a thousand pods again", lambda: _placed(fleet, frozenset(gone)), PLACED_WITHIN, pause=0.5)
    again = time.monotonic() - started
    fleet.processes.until("every shard", lambda: _undone(fleet), PLACED_WITHIN, pause=0.5)
    done = time.monotonic() - started
    status = _job(fleet)["status"]
    assert status["completedIndexes"] == f"0-{SHARDS - 1}"
    assert not status.get("failedIndexes")
    text = f"{len(gone)} of {len(spot)} spot nodes gone at once: {PODS} pods Ready elsewhere after {again:.0f} s, "
    text += f"all {SHARDS} shards done after {done:.0f} s, {len(hit)} of them hit"
    tell(capsys, figures.keep(fleet, [text]))
    fleet.kubectl("delete", "job", "spot-goes", "-n", "gpu-inference")


def _job(fleet: Lab) -> dict[str, Any]:
    (found,) = fleet.get("jobs", "-n", "gpu-inference", "--field-selector", "metadata.name=spot-goes")
    return found


def _undone(fleet: Lab) -> str:
    status = _job(fleet)["status"]
    failed = [each for each in status.get("conditions", []) if each["type"] == "Failed" and each["status"] == "True"]
    assert failed == []
    finished = status.get("succeeded", 0)
    return "" if finished == SHARDS else f"{finished} of {SHARDS}"


def test_dns_lives_on_without_system_spot(fleet: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    gone = {node for node, of in nodes(fleet).items() if of[ROLE_LABEL] == "system" and of[SPOT] == "SPOT"}
    wanted = len(ready(pods(fleet, *DNS)))
    assert wanted > len(_staying(fleet, gone)) >= 2, "spot must take some of CoreDNS, and not all"
    fleet.kubectl("delete", "nodes", *gone, "--wait=false")
    started = time.monotonic()

    def whole() -> str:
        found = len(_staying(fleet, gone))
        assert found >= 2
        return "" if found >= wanted else f"{found} of {wanted}"

    fleet.processes.until("CoreDNS", whole, WHOLE_AGAIN_WITHIN, pause=0.5)
    text = f"{len(gone)} system spot nodes gone: CoreDNS whole again, {wanted} replicas on what stays, after "
    tell(capsys, figures.keep(fleet, [f"{text}{time.monotonic() - started:.0f} s"]))


def _staying(fleet: Lab, gone: set[str]) -> list[dict[str, Any]]:
    return [pod for pod in ready(pods(fleet, *DNS)) if pod["spec"]["nodeName"] not in gone]


def generated(fleet: Lab) -> Path:
    """The cluster's folder in the repository that Argo CD follows."""
    return fleet.repository.folder / "clusters" / CLUSTER / "generated"


def running(fleet: Lab) -> set[tuple[str, str]]:
    """What runs and came from git: each pod's name and uid, less those of Jobs."""
    found = [pod for pod in ready(pods(fleet)) if owner(pod) != "Job" and pod["metadata"]["namespace"] != "default"]
    return {(name(pod), pod["metadata"]["uid"]) for pod in found}


def refused(fleet: Lab, app: str, matching: str) -> Callable[[], str]:
    """Whether Argo CD says of the app what it must say of a commit."""

    def reason() -> str:
        status = application(fleet, app)["status"]
        said = json.dumps([status.get("conditions", []), status.get("operationState", {}).get("message", "")])
        return "" if re.search(matching, said) else f"it says {said}"

    return reason


def test_a_commit_with_an_invalid_object_takes_nothing_down(fleet: Lab) -> None:
    before = running(fleet)
    file = generated(fleet) / "overlays" / "coredns" / "deployment.yaml"
    whole = file.read_text()
    file.write_text(re.sub(r"replicas: \d+", "replicas: many", whole))
    assert file.read_text() != whole
    fleet.repository.commit("a replica count that is none")
    fleet.processes.until("Argo CD's complaint", refused(fleet, "coredns", "replicas|many"), 120.0, pause=0.5)
    assert before - running(fleet) == set()
    file.write_text(whole)
    fleet.repository.commit("as it was")
    wait_synced(fleet, SYNCED_WITHIN)
    assert before - running(fleet) == set()


def test_a_commit_that_empties_every_app_takes_nothing_down(fleet: Lab) -> None:
    before, folder = running(fleet), generated(fleet)
    kept = fleet.home.folder / "kept"
    shutil.copytree(folder, kept)
    for place in (each for room in ("overlays", "manifests") for each in (folder / room).iterdir()):
        shutil.rmtree(place)
        place.mkdir()
        (place / "kustomization.yaml").write_text("resources: []\n")
    fleet.repository.commit("a merge that went wrong")
    for app in ("coredns", "kubeflow-pipelines", "gpu-inference"):
        fleet.processes.until(f"no sync of {app}", refused(fleet, app, "wipe out all resources"), 120.0, pause=0.5)
    assert before - running(fleet) == set()
    shutil.rmtree(folder)
    shutil.copytree(kept, folder)
    fleet.repository.commit("as it was")
    wait_synced(fleet, SYNCED_WITHIN)
    assert before - running(fleet) == set()


def test_deleting_every_application_in_git_removes_nothing(fleet: Lab) -> None:
    before, folder = running(fleet), generated(fleet) / "argocd"
    kept = {file: file.read_text() for file in folder.glob("*.yaml") if not file.name.startswith(("project-", "root"))}
    apps = {each["metadata"]["name"] for each in fleet.get("applications", "-n", "argocd")}
    for file in kept:
        file.unlink()
    fleet.repository.commit("everything goes")
    fleet.processes.until("the root's notice", lambda: _out_of_sync(fleet), 120.0, pause=0.5)
    assert {each["metadata"]["name"] for each in fleet.get("applications", "-n", "argocd")} == apps
    assert before - running(fleet) == set()
    for file, text in kept.items():
        file.write_text(text)
    fleet.repository.commit("as it was")
    wait_synced(fleet, SYNCED_WITHIN)


def _out_of_sync(fleet: Lab) -> str:
    status = application(fleet, "root")["status"]["sync"]["status"]
    return "" if status == "OutOfSync" else f"the root is {status}"


def test_argo_cd_killed_in_the_middle_of_a_sync(fleet: Lab) -> None:
    assert fleet.argocd is not None
    file = generated(fleet) / "overlays" / "kubeflow-pipelines" / "kustomization.yaml"
    whole = file.read_text()
    file.write_text(f"{whole}commonAnnotations:\n  inference-fleet/killed: half-way\n")
    commit = fleet.repository.commit("something that touches every object of an app")
    fleet.processes.until("a sync under way", lambda: _under_way(fleet, commit), 120.0, pause=0.05)
    fleet.processes.kill("argocd-application-controller")
    fleet.processes.kill("argocd-repo-server")
    state = application(fleet, "kubeflow-pipelines")["status"]["operationState"]
    assert state["phase"] == "Running", "it was over before it was killed"
    fleet.argocd.start_repo_server()
    fleet.argocd.start_controller()
    fleet.processes.until("the sync's end", lambda: _not_at(fleet, commit), SYNCED_WITHIN, pause=0.5)
    wait_synced(fleet, SYNCED_WITHIN)
    found = fleet.get("deployments", "-n", "kubeflow")
    assert [each for each in found if "inference-fleet/killed" not in each["metadata"].get("annotations", {})] == []
    assert unplaced(fleet) == {}


def _under_way(fleet: Lab, commit: str) -> str:
    state = application(fleet, "kubeflow-pipelines")["status"].get("operationState", {})
    now = state.get("phase") == "Running" and state.get("operation", {}).get("sync", {}).get("revision") == commit
    return "" if now else "not started"


def _not_at(fleet: Lab, commit: str) -> str:
    fleet.tend()
    sync = application(fleet, "kubeflow-pipelines")["status"]["sync"]
    return "" if (sync["status"], sync["revision"]) == ("Synced", commit) else f"{sync['status']} at {sync['revision']}"
