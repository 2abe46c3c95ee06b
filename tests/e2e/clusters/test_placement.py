"""Where the scheduler puts the pods of a committed cluster, on nodes as its node groups would bring them."""

from __future__ import annotations

import pytest

from generators.lab.lab import Lab
from tests.e2e.pods import GPU_MODE_LABEL, ROLE_LABEL, ZONE, name, nodes, owner, pods, unplaced

DNS = ("-n", "kube-system", "-l", "k8s-app=kube-dns")


def test_no_pod_waits_that_the_cluster_file_has_room_for(synced: Lab) -> None:
    assert unplaced(synced) == {}


def test_controllers_are_on_system_nodes(synced: Lab) -> None:
    roles = {node: labels[ROLE_LABEL] for node, labels in nodes(synced).items()}
    system = {"kube-system", "kubeflow"}
    found = [pod for pod in pods(synced) if pod["metadata"]["namespace"] in system and owner(pod) == "ReplicaSet"]
    assert found
    assert {name(pod): roles[pod["spec"]["nodeName"]] for pod in found} == {name(pod): "system" for pod in found}


def test_coredns_is_spread_over_zones_and_nodes(synced: Lab) -> None:
    labels = nodes(synced)
    found = [pod["spec"]["nodeName"] for pod in pods(synced, *DNS)]
    zones = {labels[node][ZONE] for node in found}
    assert len(found) >= 5
    assert len(zones) == len({each[ZONE] for each in labels.values() if each[ROLE_LABEL] == "system"})
    on_node = [found.count(node) for node in set(found)]
    assert max(on_node) - min(on_node) <= 1


def test_model_servers_are_on_every_node_of_server_groups_and_nowhere_else(synced: Lab) -> None:
    wanted = {node for node, labels in nodes(synced).items() if labels.get(GPU_MODE_LABEL) == "server"}
    if not wanted and not any(
        group.gpu and group.gpu.mode == "server" for group in synced.inputs.cluster.node_groups.values()
    ):
        pytest.skip("this cluster has no group of model servers")
    found = {
        pod["spec"]["nodeName"]
        for pod in pods(synced, "-n", "gpu-inference")
        if owner(pod) == "DaemonSet" and _asks_for_gpu(pod)
    }
    assert found == wanted != set()


def test_jobs_are_on_the_gpu_nodes_of_their_group(synced: Lab) -> None:
    labels = nodes(synced)
    found = [pod for pod in pods(synced, "-n", "gpu-inference") if owner(pod) == "Job"]
    assert found
    assert {labels[pod["spec"]["nodeName"]][ROLE_LABEL] for pod in found} == {"gpu"}


def _asks_for_gpu(pod: dict[str, object]) -> bool:
    return "nvidia.com/gpu" in str(pod["spec"])
