"""The order of kinds and of what watches them: a controller whose kinds are not there ends, again and again."""

from __future__ import annotations

import json
from typing import Any

from generators.lab.lab import Lab
from tests.e2e.applications import application

CONTROLLERS = {"Deployment", "StatefulSet", "DaemonSet"}


def made(lab: Lab, resource: dict[str, Any]) -> tuple[str, str]:
    """When an object that an Application manages was made, as 2026-01-01T00:00:00Z, and its name."""
    where = ["-n", resource["namespace"]] if resource.get("namespace") else []
    live = json.loads(lab.kubectl("get", resource["kind"], resource["name"], *where, "-o", "json"))
    return live["metadata"]["creationTimestamp"], resource["name"]


def test_kinds_are_there_before_the_pods_of_their_app(synced: Lab) -> None:
    looked_at = 0
    for app in sorted(set(synced.inputs.apps()) - set(synced.left_out)):
        found = application(synced, app)["status"]["resources"]
        kinds = [made(synced, each) for each in found if each["kind"] == "CustomResourceDefinition"]
        pods = [made(synced, each) for each in found if each["kind"] in CONTROLLERS]
        if kinds and pods:
            looked_at += 1
            (last, kind), (first, controller) = max(kinds), min(pods)
            assert last <= first, f"{app}: the kind {kind} came after {controller}"
    assert looked_at, "no app brings kinds and what watches them"
