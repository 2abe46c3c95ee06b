"""Pods and nodes of a lab as tests look at them."""

from __future__ import annotations

from typing import Any

from generators.lab.lab import Lab
from generators.model.names import GPU_MODE_LABEL, GROUP_LABEL, ROLE_LABEL

Object = dict[str, Any]
ZONE = "topology.kubernetes.io/zone"


def nodes(lab: Lab) -> dict[str, Object]:
    """Labels of each node by its name."""
    return {each["metadata"]["name"]: each["metadata"]["labels"] for each in lab.get("nodes")}


def pods(lab: Lab, *arguments: str) -> list[Object]:
    """Pods that `kubectl get pods ARGUMENTS` finds; without arguments, all."""
    return lab.get("pods", *(arguments or ("-A",)))


def name(pod: Object) -> str:
    """`namespace/name`."""
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def owner(pod: Object) -> str:
    """Kind of what made the pod."""
    found = pod["metadata"].get("ownerReferences", [])
    return str(found[0]["kind"]) if found else ""


def unplaced(lab: Lab) -> dict[str, str]:
    """Pods without a node, each with what the scheduler says."""
    found = {}
    for pod in pods(lab):
        if not pod["spec"].get("nodeName"):
            conditions = pod.get("status", {}).get("conditions", [])
            found[name(pod)] = "; ".join(each.get("message", "") for each in conditions)
    return found


__all__ = ["GPU_MODE_LABEL", "GROUP_LABEL", "ROLE_LABEL", "ZONE", "name", "nodes", "owner", "pods", "unplaced"]
