"""Where the scheduler puts the pods of a committed cluster, on nodes as its node groups would bring them."""

from __future__ import annotations

from typing import Any

from generators.lab.lab import Lab
from tests.e2e.pods import GPU_MODE_LABEL, GROUP_LABEL, ROLE_LABEL, ZONE, name, nodes, owner, pods, unplaced

SYSTEM = {"kube-system", "kubeflow"}
JOB_LABEL = "inference-fleet/job"
DNS = ("-n", "kube-system", "-l", "k8s-app=kube-dns")


def test_no_pod_waits_that_the_cluster_file_has_room_for(synced: Lab) -> None:
    assert unplaced(synced) == {}


def of_controllers(lab: Lab) -> dict[str, list[dict[str, Any]]]:
    """Pods of each Deployment of CoreDNS, controllers and Kubeflow Pipelines, by namespace and ReplicaSet."""
    found: dict[str, list[dict[str, Any]]] = {}
    for pod in pods(lab):
        if pod["metadata"]["namespace"] in SYSTEM and owner(pod) == "ReplicaSet":
            replica_set = pod["metadata"]["ownerReferences"][0]["name"]
            found.setdefault(f"{pod['metadata']['namespace']}/{replica_set}", []).append(pod)
    return found


def test_controllers_are_on_system_nodes(synced: Lab) -> None:
    roles = {node: labels[ROLE_LABEL] for node, labels in nodes(synced).items()}
    found = [pod for each in of_controllers(synced).values() for pod in each]
    assert {pod["metadata"]["namespace"] for pod in found} == SYSTEM
    assert {name(pod): roles[pod["spec"]["nodeName"]] for pod in found} == {name(pod): "system" for pod in found}


def test_replicas_are_spread_over_zones(synced: Lab) -> None:
    labels = nodes(synced)
    several = {each: found for each, found in of_controllers(synced).items() if len(found) > 1}
    assert several
    zones = {each: {labels[pod["spec"]["nodeName"]][ZONE] for pod in found} for each, found in several.items()}
    assert {each: where for each, where in zones.items() if len(where) < 2} == {}


def test_coredns_is_spread_over_zones_and_nodes(synced: Lab) -> None:
    labels = nodes(synced)
    found = [pod["spec"]["nodeName"] for pod in pods(synced, *DNS)]
    zones = {labels[node][ZONE] for node in found}
    assert len(found) >= 5
    assert len(zones) == len({each[ZONE] for each in labels.values() if each[ROLE_LABEL] == "system"})
    on_node = [found.count(node) for node in set(found)]
    assert max(on_node) - min(on_node) <= 1


def test_model_servers_are_on_every_node_of_server_groups_and_nowhere_else(synced: Lab) -> None:
    """A cluster without such a group has no model server."""
    groups = {
        name for name, each in synced.inputs.cluster.node_groups.items() if each.gpu and each.gpu.mode == "server"
    }
    wanted = {node for node, labels in nodes(synced).items() if labels.get(GPU_MODE_LABEL) == "server"}
    assert {nodes(synced)[node][GROUP_LABEL] for node in wanted} == groups
    found = [
        pod["spec"]["nodeName"]
        for pod in pods(synced, "-n", "gpu-inference", "-l", "app.kubernetes.io/component=server")
        if owner(pod) == "DaemonSet"
    ]
    assert sorted(set(found)) == sorted(wanted)


def test_no_daemon_set_but_model_servers_asks_for_gpus(synced: Lab) -> None:
    asking = [pod for pod in pods(synced) if owner(pod) == "DaemonSet" and _asks_for_gpu(pod)]
    labels = nodes(synced)
    assert [name(pod) for pod in asking if labels[pod["spec"]["nodeName"]].get(GPU_MODE_LABEL) != "server"] == []


def test_jobs_are_on_the_gpu_nodes_of_their_group(synced: Lab) -> None:
    labels, settings = nodes(synced), synced.inputs.cluster.apps.gpu_inference
    assert settings
    groups = {name: {job.node_group, *job.fallback} for name, job in settings.jobs.items() if not job.schedule}
    found = [pod for pod in pods(synced, "-n", "gpu-inference") if owner(pod) == "Job"]
    assert {pod["metadata"]["labels"][JOB_LABEL] for pod in found} == set(groups)
    wrong = {
        name(pod): labels[pod["spec"]["nodeName"]]
        for pod in found
        if labels[pod["spec"]["nodeName"]][GROUP_LABEL] not in groups[pod["metadata"]["labels"][JOB_LABEL]]
    }
    assert wrong == {}


def _asks_for_gpu(pod: dict[str, Any]) -> bool:
    return "nvidia.com/gpu" in str([each.get("resources", {}) for each in pod["spec"]["containers"]])
