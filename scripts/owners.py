"""Kubernetes objects for which a controller made something in AWS: load balancers and EBS volumes."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from generators.errors import FleetError
from generators.tools.kubectl import Kubectl

KINDS = {
    "Service": "services",
    "Ingress": "ingresses.networking.k8s.io",
    "PersistentVolumeClaim": "persistentvolumeclaims",
    "PersistentVolume": "persistentvolumes",
}
EBS = "ebs.csi.aws.com"
BALANCER_FINALIZERS = (
    "ingress.k8s.aws/",
    "group.ingress.k8s.aws/",
    "service.k8s.aws/",
    "service.kubernetes.io/load-balancer",
)
"""Of the controllers that make load balancers: with it, the object goes after the load balancer."""


@dataclass(frozen=True)
class Owner:
    """One object. A volume goes with its claim, so `removable` is False where a claim has it."""

    kind: str
    namespace: str
    name: str
    finalizers: tuple[str, ...]
    deleting: bool
    removable: bool = True

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """kubectl's words for it."""
        return (KINDS[self.kind], self.name, *(("-n", self.namespace) if self.namespace else ()))


def listed(kubectl: Kubectl, kind: str, *where: str) -> list[dict[str, Any]]:
    """All objects of a kind. Raises FleetError."""
    found: list[dict[str, Any]] = json.loads(kubectl("get", kind, *where, "-o", "json"))["items"]
    return found


def find(kubectl: Kubectl) -> list[Owner]:
    """Services and Ingresses with load balancers, claims and volumes on EBS that go with their claim."""
    services = [each for each in listed(kubectl, KINDS["Service"], "-A") if _balanced(each)]
    ingresses = [each for each in listed(kubectl, KINDS["Ingress"], "-A") if _balanced(each)]
    volumes = [each for each in listed(kubectl, KINDS["PersistentVolume"]) if _ebs(each)]
    names = {each["metadata"]["name"] for each in volumes}
    claims = [
        each
        for each in listed(kubectl, KINDS["PersistentVolumeClaim"], "-A")
        if each["spec"].get("volumeName") in names
    ]
    claimed = {each["spec"]["volumeName"] for each in claims}
    return [
        *(_owner("Service", each) for each in services),
        *(_owner("Ingress", each) for each in ingresses),
        *(_owner("PersistentVolumeClaim", each) for each in claims),
        *(_owner("PersistentVolume", each, removable=each["metadata"]["name"] not in claimed) for each in volumes),
    ]


def _owner(kind: str, thing: dict[str, Any], *, removable: bool = True) -> Owner:
    meta = thing["metadata"]
    finalizers, deleting = tuple(meta.get("finalizers", ())), "deletionTimestamp" in meta
    return Owner(kind, meta.get("namespace", ""), meta["name"], finalizers, deleting, removable)


def _balanced(thing: dict[str, Any]) -> bool:
    """By its type, by a controller's finalizer, or by the address that a controller wrote."""
    finalizers = thing["metadata"].get("finalizers", ())
    if thing["spec"].get("type") == "LoadBalancer" or any(each.startswith(BALANCER_FINALIZERS) for each in finalizers):
        return True
    addresses = thing.get("status", {}).get("loadBalancer", {}).get("ingress", ())
    return any(each.get("hostname", "").endswith(".amazonaws.com") for each in addresses)


def _ebs(volume: dict[str, Any]) -> bool:
    """Whether an EBS volume goes with it. One that is to be retained is nobody's to delete."""
    spec = volume["spec"]
    made = spec.get("csi", {}).get("driver") == EBS or "awsElasticBlockStore" in spec
    return made and spec.get("persistentVolumeReclaimPolicy") == "Delete"


def owned_by(application: dict[str, Any], found: list[Owner]) -> bool:
    """Whether Argo CD manages one of the objects, or the StatefulSet that made one of the claims."""
    for each in application.get("status", {}).get("resources", ()):
        kind, namespace, name = each["kind"], each.get("namespace", ""), each["name"]
        for owner in found:
            if owner.namespace != namespace:
                continue
            if (owner.kind, owner.name) == (kind, name):
                return True
            claim_of = kind == "StatefulSet" and owner.kind == "PersistentVolumeClaim"
            if claim_of and re.search(rf"-{re.escape(name)}-\d+$", owner.name):
                return True
    return False


def free_volumes(kubectl: Kubectl, found: list[Owner]) -> None:
    """Deletes the pods that use a claim which is to go: it waits for them, and no new pod may use it."""
    claims = {(each.namespace, each.name) for each in found if each.kind == "PersistentVolumeClaim"}
    for namespace in sorted({namespace for namespace, _ in claims}):
        for pod in listed(kubectl, "pods", "-n", namespace):
            used = {each.get("persistentVolumeClaim", {}).get("claimName") for each in pod["spec"].get("volumes", ())}
            if "deletionTimestamp" not in pod["metadata"] and any((namespace, claim) in claims for claim in used):
                with suppress(FleetError):  # gone meanwhile
                    kubectl("delete", "pod", pod["metadata"]["name"], "-n", namespace, "--wait=false")
