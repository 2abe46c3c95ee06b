"""EKS's CoreDNS, taken over: Argo CD's apply on top of an object that EKS's own field manager wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from generators.lab import eks
from generators.lab.lab import Lab
from generators.model import names, sizing
from generators.tools import kustomize


def deployment(lab: Lab) -> dict[str, Any]:
    """CoreDNS as it is in the cluster."""
    command = ("get", "deployment", "coredns", "-n", "kube-system", "-o", "json", "--show-managed-fields")
    found: dict[str, Any] = json.loads(lab.kubectl(*command))
    return found


def test_it_is_one_object_of_two_managers(synced: Lab) -> None:
    managers = {each["manager"] for each in deployment(synced)["metadata"]["managedFields"]}
    assert {eks.FIELD_MANAGER, "argocd-controller"} <= managers


def owners(found: dict[str, Any], *path: str) -> set[str]:
    """Managers that own a field of the spec; a step is a field, or a prefix of an item's keys as in `k:{"name"`."""
    managers = set()
    for each in found["metadata"]["managedFields"]:
        if each.get("subresource"):
            continue
        at = [each["fieldsV1"]]
        for step in ("f:spec", *path):
            at = [below for level in at for key, below in level.items() if key.startswith(step)]
        if at:
            managers.add(each["manager"])
    return managers


ARGO = "argocd-controller"
TEMPLATE = ("f:template", "f:spec")
CONTAINER = (*TEMPLATE, "f:containers", 'k:{"name":"coredns"}')


def test_it_begins_in_the_shape_of_eks(synced: Lab) -> None:
    (begun,) = [each for each in eks.objects(synced.inputs) if each["kind"] == "Deployment"]
    pod = begun["spec"]["template"]["spec"]
    assert begun["spec"]["selector"]["matchLabels"] == {
        "eks.amazonaws.com/component": "coredns",
        "k8s-app": "kube-dns",
    }
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "170Mi"}
    assert [each["topologyKey"] for each in pod["topologySpreadConstraints"]] == ["topology.kubernetes.io/zone"]
    assert "nodeSelector" not in pod


def test_each_field_has_its_owners(synced: Lab) -> None:
    found = deployment(synced)
    # EKS applied these, and Argo CD took them over beside it or, where it says otherwise, from it.
    both = {eks.FIELD_MANAGER, ARGO}
    assert owners(found, "f:selector") == both
    assert (
        owners(found, *TEMPLATE, "f:topologySpreadConstraints", 'k:{"topologyKey":"topology.kubernetes.io/zone"')
        == both
    )
    assert owners(found, *CONTAINER, "f:image") == both
    for path in (
        ("f:replicas",),
        (*TEMPLATE, "f:nodeSelector"),
        (*TEMPLATE, "f:tolerations"),
        (*TEMPLATE, "f:topologySpreadConstraints", 'k:{"topologyKey":"kubernetes.io/hostname"'),
    ):
        assert owners(found, *path) == {ARGO}, path
    memory = owners(found, *CONTAINER, "f:resources", "f:limits", "f:memory")
    same = sizing.dns(synced.inputs).memory_limit_mib == 170
    assert memory == (both if same else {ARGO})


def test_all_that_git_says_came_true(synced: Lab) -> None:
    folder = synced.repository.folder / "clusters" / synced.inputs.cluster.name / "generated" / "overlays" / "coredns"
    (wanted,) = [each for each in yaml.safe_load_all(kustomize.build(folder)) if each["kind"] == "Deployment"]
    assert list(differences(wanted["spec"], deployment(synced)["spec"], "spec")) == []


def differences(wanted: Any, found: Any, path: str) -> Iterator[str]:
    """Where what git says is not what is there. What is there beside it, git has no say in."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            yield from differences(value, found.get(key), f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, value in enumerate(wanted):
            yield from differences(value, found[index], f"{path}[{index}]")
    elif wanted != found:
        yield f"{path}: {found} instead of {wanted}"


def test_what_came_of_both(synced: Lab) -> None:
    found, wanted = deployment(synced)["spec"], sizing.dns(synced.inputs)
    pod = found["template"]["spec"]
    (container,) = pod["containers"]
    assert found["selector"]["matchLabels"] == eks.LABELS
    assert found["replicas"] == wanted.replicas
    assert container["image"] == names.coredns_image(synced.inputs)
    assert container["resources"]["limits"]["memory"] == f"{wanted.memory_limit_mib}Mi"
    assert pod["nodeSelector"] == {names.ROLE_LABEL: "system"}
    spread = {each["topologyKey"]: each["whenUnsatisfiable"] for each in pod["topologySpreadConstraints"]}
    assert spread == {"kubernetes.io/hostname": "DoNotSchedule", "topology.kubernetes.io/zone": "ScheduleAnyway"}
    assert len(pod["topologySpreadConstraints"]) == len(spread), "EKS's constraint stands beside ours"
    assert pod["tolerations"] == [{"key": "CriticalAddonsOnly", "operator": "Exists"}]


def test_there_is_no_second_one(synced: Lab) -> None:
    found = synced.get("deployments", "-A", "-l", "k8s-app=kube-dns")
    assert [each["metadata"]["name"] for each in found] == ["coredns"]
    (service,) = synced.get("services", "-A", "-l", "k8s-app=kube-dns")
    assert service["spec"]["clusterIP"] == names.cluster_dns(synced.inputs.cluster)
