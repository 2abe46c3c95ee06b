"""PodDisruptionBudgets let one node go, and not all at once."""

from __future__ import annotations

import json

from generators.errors import FleetError
from generators.lab.lab import Lab
from tests.e2e.pods import name, pods

DNS = ("-n", "kube-system", "-l", "k8s-app=kube-dns")


def evict(lab: Lab, pod: dict[str, object]) -> str:
    """Asks for an eviction without doing it; what the API server says against it."""
    metadata = pod["metadata"]
    assert isinstance(metadata, dict)
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/eviction"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "deleteOptions": {"dryRun": ["All"]},
    }
    try:
        lab.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
    except FleetError as error:
        return error.problems[0].message
    return ""


def test_each_budget_lets_a_pod_go(synced: Lab) -> None:
    found = synced.get("poddisruptionbudgets", "-A")
    assert found
    stuck = {name(each): each["status"] for each in found if each["status"]["disruptionsAllowed"] < 1}
    assert stuck == {}


def test_a_pod_of_each_budget_may_be_evicted(synced: Lab) -> None:
    refused = {}
    for budget in synced.get("poddisruptionbudgets", "-A"):
        labels = ",".join(f"{key}={value}" for key, value in budget["spec"]["selector"]["matchLabels"].items())
        found = pods(synced, "-n", budget["metadata"]["namespace"], "-l", labels)
        assert found, name(budget)
        refused[name(budget)] = evict(synced, found[0])
    assert {each: reason for each, reason in refused.items() if reason} == {}


def test_not_all_of_coredns_at_once(synced: Lab) -> None:
    (budget,) = [each for each in synced.get("pdb", "-n", "kube-system") if "coredns" in each["metadata"]["name"]]
    assert budget["status"]["disruptionsAllowed"] < budget["status"]["expectedPods"]
