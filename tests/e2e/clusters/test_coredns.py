"""EKS's CoreDNS, taken over: Argo CD's apply on top of an object that EKS's own field manager wrote."""

from __future__ import annotations

import json
from typing import Any

from generators.lab import eks
from generators.lab.lab import Lab
from generators.model import names, sizing


def deployment(lab: Lab) -> dict[str, Any]:
    """CoreDNS as it is in the cluster."""
    command = ("get", "deployment", "coredns", "-n", "kube-system", "-o", "json", "--show-managed-fields")
    found: dict[str, Any] = json.loads(lab.kubectl(*command))
    return found


def test_it_is_one_object_of_two_managers(synced: Lab) -> None:
    managers = {each["manager"] for each in deployment(synced)["metadata"]["managedFields"]}
    assert {eks.FIELD_MANAGER, "argocd-controller"} <= managers


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
    assert spread["kubernetes.io/hostname"] == "DoNotSchedule"
    assert spread["topology.kubernetes.io/zone"] == "ScheduleAnyway"
    assert pod["tolerations"]


def test_there_is_no_second_one(synced: Lab) -> None:
    found = synced.get("deployments", "-A", "-l", "k8s-app=kube-dns")
    assert [each["metadata"]["name"] for each in found] == ["coredns"]
    (service,) = synced.get("services", "-A", "-l", "k8s-app=kube-dns")
    assert service["spec"]["clusterIP"] == names.cluster_dns(synced.inputs.cluster)
