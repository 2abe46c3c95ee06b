"""Waiting for a cluster: for what, why it takes so long, and no longer than was said."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from generators.cli import console
from generators.errors import FleetError, wrong
from generators.model.names import ROLE_LABEL
from generators.tools.kubectl import Kubectl
from scripts.target import Target

POLL_SECONDS = 2
DNS_PODS = "k8s-app=kube-dns"
EVENTS = 3
"""How many of the last warnings are told."""


def wait(what: str, look: Callable[[], str], seconds: int, why: Callable[[], list[str]] = list) -> None:
    """Looks until `look` has nothing to say against it. Each new reason is told once.

    An API server that does not answer for a moment is one more reason. Raises FleetError after `seconds`, with what
    `why` finds out.
    """
    until, told = time.monotonic() + seconds, ""
    while reason := _said(look):
        if time.monotonic() >= until:
            more = "".join(f"\n  {line}" for line in why())
            raise wrong(
                what, f"not within {seconds} seconds: {reason}{more}", hint="run it again: it goes on from here"
            )
        if reason != told:
            console.say(f"{what}: waiting, {reason}")
            told = reason
        time.sleep(POLL_SECONDS)
    console.say(f"{what}: ready")


def _said(look: Callable[[], str]) -> str:
    try:
        return look()
    except FleetError as error:
        return error.problems[0].message


def listed(kubectl: Kubectl, *arguments: str) -> list[dict[str, Any]]:
    """The objects that `kubectl get` finds."""
    found: list[dict[str, Any]] = json.loads(kubectl("get", *arguments, "-o", "json"))["items"]
    return found


def one(kubectl: Kubectl, *arguments: str) -> dict[str, Any]:
    """The object that `kubectl get` finds, or nothing: {}."""
    found: dict[str, Any] = json.loads(kubectl("get", *arguments, "--ignore-not-found", "-o", "json") or "{}")
    return found


def system_nodes(target: Target) -> int:
    """How many there must be: all that on-demand groups promise. Spot comes when AWS has it, and is not waited for."""
    groups = target.facts["node_groups"].values()
    promised: list[int] = [
        each["min_size"] for each in groups if each["role"] == "system" and each["capacity_type"] == "ON_DEMAND"
    ]
    return max(1, sum(promised))


def nodes(kubectl: Kubectl, wanted: int) -> str:
    """What is amiss with the system nodes."""
    conditions = [_condition(each, "Ready") for each in listed(kubectl, "nodes", "-l", f"{ROLE_LABEL}=system")]
    ready = sum(each.get("status") == "True" for each in conditions)
    if ready >= wanted:
        return ""
    reasons = sorted({each.get("message", "") for each in conditions if each.get("status") != "True"} - {""})
    return f"{ready} of {wanted} are ready" + (f": {'; '.join(reasons)}" if reasons else "")


def dns(kubectl: Kubectl) -> str:
    """What is amiss with CoreDNS."""
    found = one(kubectl, "deployment", "coredns", "-n", "kube-system")
    if not found:
        return "there is no Deployment kube-system/coredns"
    if _condition(found, "Available").get("status") == "True":
        return ""
    status = found.get("status", {})
    return f"{status.get('availableReplicas', 0)} of {found['spec'].get('replicas', 1)} pods are available"


def pods(kubectl: Kubectl, namespace: str, *selector: str) -> list[str]:
    """Why pods do not run: what holds their containers, and the last warnings about them."""
    try:
        found = listed(kubectl, "pods", "-n", namespace, *selector)
        events = listed(kubectl, "events", "-n", namespace, "--field-selector=type=Warning,involvedObject.kind=Pod")
    except FleetError as error:
        return [error.problems[0].message]
    names = {each["metadata"]["name"] for each in found}
    held = [
        f"pod {each['metadata']['name']}: {state['reason']}"
        for each in found
        for container in each.get("status", {}).get("containerStatuses", [])
        if (state := container.get("state", {}).get("waiting"))
    ]
    about = [each for each in events if each["involvedObject"]["name"] in names]
    about.sort(key=lambda each: each.get("lastTimestamp") or "")
    return held + [f"pod {each['involvedObject']['name']}: {each['message']}" for each in about[-EVENTS:]]


def _condition(found: dict[str, Any], kind: str) -> dict[str, str]:
    conditions: list[dict[str, str]] = found.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})
