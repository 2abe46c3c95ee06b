"""A fleet of some hundred nodes, and what happens to it: the figures, spot that goes, bad commits, Argo CD killed."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generators.lab.lab import Lab, Size, lab, wait_synced
from generators.model.names import ROLE_LABEL
from generators.source.workspace import Workspace
from tests.e2e.applications import application
from tests.e2e.pods import name, nodes, pods, unplaced
from tests.e2e.programs import PROGRAMS, SYNCED_WITHIN, keep_logs
from tests.fleets import ROOT
from tests.tool_needed import needed

CLUSTER = "prod-tokyo"
NODES, PODS = 300, 1000
PLACED_WITHIN = 300.0
WHOLE_AGAIN_WITHIN = 120.0
SPOT = "eks.amazonaws.com/capacityType"
DNS = ("-n", "kube-system", "-l", "k8s-app=kube-dns")
LOAD = "load"


@pytest.fixture(scope="module")
def fleet() -> Iterator[Lab]:
    """A cluster of 300 nodes that is broken, one thing after another."""
    for program in PROGRAMS:
        needed(program)
    with tempfile.TemporaryDirectory(prefix="fleet-e2e-") as folder:
        try:
            with lab(Workspace(ROOT), CLUSTER, Path(folder), size=Size(NODES, 5.0)) as made:
                yield made
        finally:
            keep_logs(Path(folder), f"{CLUSTER}-faults")


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


def requests_by_client(audit: Path) -> Counter[str]:
    """How often each program asked the API server, out of its audit log."""
    found: Counter[str] = Counter()
    for line in audit.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        found[event.get("userAgent", "").split("/")[0] or event["user"]["username"]] += 1
    return found


def ready(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the pods that are Ready and stay."""
    return [
        pod
        for pod in found
        if "deletionTimestamp" not in pod["metadata"]
        and any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))
    ]


def test_three_hundred_nodes_and_a_thousand_pods(fleet: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    fleet.apply([deployment(PODS)])
    fleet.processes.until("a thousand pods", lambda: _placed(fleet, PODS), PLACED_WITHIN, pause=1.0)
    placed = time.monotonic() - started
    fleet.processes.until("Applications in sync", lambda: _unsynced(fleet), SYNCED_WITHIN, pause=1.0)
    synced = time.monotonic() - started
    rows = requests_by_client(fleet.home.folder / "audit.log").most_common(12)
    head = f"{NODES} nodes, {PODS} pods: placed after {placed:.0f} s, every Application Synced after {synced:.0f} s"
    table = "".join(f"  {count:7d} requests by {client}\n" for client, count in rows)
    with capsys.disabled():
        sys.stdout.write(f"\n{head}\n{table}")
    assert len(nodes(fleet)) == NODES


def _placed(fleet: Lab, wanted: int) -> str:
    found = ready(pods(fleet, "-n", "default", "-l", f"app={LOAD}"))
    return "" if len(found) >= wanted else f"{len(found)} of {wanted} are Ready"


def _unsynced(fleet: Lab) -> str:
    fleet.tend()
    found = fleet.get("applications", "-n", "argocd")
    wrong = [
        each["metadata"]["name"] for each in found if each.get("status", {}).get("sync", {}).get("status") != "Synced"
    ]
    return ", ".join(wrong) if len(found) > len(fleet.inputs.apps()) - len(fleet.left_out) else "some are missing"


def test_a_third_of_spot_goes_at_once(fleet: Lab) -> None:
    spot = sorted(node for node, labels in nodes(fleet).items() if labels[SPOT] == "SPOT")
    gone = spot[:: len(spot) // (len(spot) * 3 // 10)][: len(spot) * 3 // 10]
    fleet.kubectl("delete", "nodes", *gone, "--wait=false")
    fleet.processes.until("a thousand pods again", lambda: _placed(fleet, PODS), PLACED_WITHIN, pause=1.0)
    (job,) = fleet.get("jobs", "-n", "gpu-inference")
    wanted = job["spec"]["completions"]

    def done() -> str:
        (found,) = fleet.get("jobs", "-n", "gpu-inference")
        finished = found["status"].get("succeeded", 0)
        return (
            "" if finished == wanted else f"{finished} of {wanted} shards; {found['status'].get('failedIndexes', '')}"
        )

    fleet.processes.until("every shard", done, 600.0, pause=2.0)


def test_dns_lives_on_without_system_spot(fleet: Lab) -> None:
    labels = nodes(fleet)
    gone = [node for node, of in labels.items() if of[ROLE_LABEL] == "system" and of[SPOT] == "SPOT"]
    before = ready(pods(fleet, *DNS))
    fleet.kubectl("delete", "nodes", *gone, "--wait=false")
    left = [pod for pod in before if pod["spec"]["nodeName"] not in gone]
    assert len(left) >= 2, "too few of CoreDNS are on nodes that stay"

    def whole() -> str:
        found = ready(pods(fleet, *DNS))
        assert len([pod for pod in found if pod["spec"]["nodeName"] not in gone]) >= 2
        on_demand = sum(1 for of in labels.values() if of[ROLE_LABEL] == "system" and of[SPOT] == "ON_DEMAND")
        # No two on one node, as long as the autoscaler has not brought others: so many fit.
        return "" if len(found) >= min(len(before), on_demand) else f"{len(found)} of {len(before)}"

    fleet.processes.until("CoreDNS", whole, WHOLE_AGAIN_WITHIN, pause=0.5)


def test_a_bad_commit_takes_nothing_down(fleet: Lab) -> None:
    before = {name(pod) for pod in ready(pods(fleet, *DNS))}
    overlay = fleet.repository.folder / "clusters" / CLUSTER / "generated" / "overlays" / "coredns"
    whole = (overlay / "deployment.yaml").read_text()
    (overlay / "deployment.yaml").write_text(whole.replace("replicas:", "replicas: minus-one #"))
    fleet.repository.commit("a replica count that is none")
    fleet.processes.until("Argo CD's complaint", lambda: _complains(fleet, "coredns"), 120.0, pause=1.0)
    assert {name(pod) for pod in ready(pods(fleet, *DNS))} == before
    (overlay / "deployment.yaml").write_text(whole)
    fleet.repository.commit("as it was")
    fleet.processes.until("Applications in sync", lambda: _unsynced(fleet), SYNCED_WITHIN, pause=1.0)


def _complains(fleet: Lab, app: str) -> str:
    status = application(fleet, app)["status"]
    said = [*status.get("conditions", []), status.get("operationState", {})]
    bad = any("minus-one" in json.dumps(each) or "Failed" in str(each.get("phase")) for each in said)
    return "" if bad or status["sync"]["status"] in {"OutOfSync", "Unknown"} else "it has not seen the commit"


def test_deleting_every_application_in_git_removes_nothing(fleet: Lab) -> None:
    folder = fleet.repository.folder / "clusters" / CLUSTER / "generated" / "argocd"
    kept = {file: file.read_text() for file in folder.glob("*.yaml") if not file.name.startswith(("project-", "root"))}
    before = {each["metadata"]["name"] for each in fleet.get("applications", "-n", "argocd")}
    for file in kept:
        file.unlink()
    fleet.repository.commit("everything goes")
    fleet.processes.until("the root's notice", lambda: _out_of_sync(fleet), 120.0, pause=1.0)
    assert {each["metadata"]["name"] for each in fleet.get("applications", "-n", "argocd")} == before
    assert len(ready(pods(fleet, *DNS))) >= 2
    for file, text in kept.items():
        file.write_text(text)
    fleet.repository.commit("as it was")
    wait_synced(fleet, SYNCED_WITHIN)


def _out_of_sync(fleet: Lab) -> str:
    status = application(fleet, "root")["status"]["sync"]["status"]
    return "" if status == "OutOfSync" else f"the root is {status}"


def test_argo_cd_killed_in_the_middle_of_a_sync(fleet: Lab) -> None:
    assert fleet.argocd is not None
    manifests = (
        fleet.repository.folder / "clusters" / CLUSTER / "generated" / "overlays" / "coredns" / "deployment.yaml"
    )
    whole = manifests.read_text()
    manifests.write_text(whole + "\n")
    fleet.repository.commit("something to sync")
    fleet.processes.kill("argocd-application-controller")
    fleet.processes.kill("argocd-repo-server")
    fleet.argocd.start_repo_server()
    fleet.argocd.start_controller()
    wait_synced(fleet, SYNCED_WITHIN)
    assert unplaced(fleet) == {}
