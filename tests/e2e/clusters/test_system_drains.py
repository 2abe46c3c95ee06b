"""Nodes that are drained, as EKS does it before it ends them: one comes to its end, all at once do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from generators.errors import FleetError
from generators.lab.lab import Lab
from tests.e2e.pods import ROLE_LABEL, name, owner, pods, unplaced

SYSTEM = f"{ROLE_LABEL}=system"
DRAINED_WITHIN = 120.0
DNS = ("-n", "kube-system", "-l", "k8s-app=kube-dns")


@pytest.fixture
def uncordoned(synced: Lab) -> Iterator[Lab]:
    """Its nodes take pods again afterwards, and every pod has one."""
    yield synced
    synced.kubectl("uncordon", "-l", SYSTEM)
    synced.processes.until("pods on nodes again", lambda: ", ".join(unplaced(synced)), DRAINED_WITHIN, 0.5)


def drain(lab: Lab, *arguments: str, seconds: float) -> str:
    """Drains nodes as EKS does before it ends them; what kubectl says where it does not come to an end."""
    command = ("drain", *arguments, "--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={seconds:.0f}s")
    try:
        lab.kubectl(*command)
    except FleetError as error:
        return error.problems[0].message
    return ""


def test_a_system_node_drains(uncordoned: Lab) -> None:
    dns = pods(uncordoned, *DNS)
    node = dns[0]["spec"]["nodeName"]
    assert drain(uncordoned, node, seconds=DRAINED_WITHIN) == ""
    left = [pod for pod in pods(uncordoned) if pod["spec"].get("nodeName") == node and owner(pod) != "DaemonSet"]
    assert [name(pod) for pod in left] == []


def test_not_all_system_nodes_drain_at_once(uncordoned: Lab) -> None:
    budgets = {name(each): each["status"]["desiredHealthy"] for each in uncordoned.get("pdb", "-A")}
    # For each node in turn; a refused eviction is tried again every five seconds.
    assert "violate the pod's disruption budget" in drain(uncordoned, "-l", SYSTEM, seconds=6)
    after = {name(each): each["status"]["currentHealthy"] for each in uncordoned.get("pdb", "-A")}
    assert {each: healthy for each, healthy in after.items() if healthy < budgets[each]} == {}
    assert after["kube-system/coredns"] >= budgets["kube-system/coredns"] > 0
