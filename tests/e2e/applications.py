"""Argo CD's Applications in a lab: syncs asked for, and what they manage."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from generators.lab.argocd import NAMESPACE
from generators.lab.lab import Lab

DONE_WITHIN = 120.0
Resource = tuple[str, str, str]
"""Kind, namespace and name."""


def application(lab: Lab, name: str) -> dict[str, Any]:
    """The Application as it is now."""
    found: dict[str, Any] = json.loads(lab.kubectl("get", "application", name, "-n", NAMESPACE, "-o", "json"))
    return found


def sync(lab: Lab, *names: str) -> None:
    """Asks for a sync of everything in the Applications, side by side, and waits for the end of all."""
    ends = {name: _ask(lab, name) for name in names}
    lab.processes.until("syncs", lambda: "; ".join(filter(None, (end() for end in ends.values()))), DONE_WITHIN, 0.5)


def _ask(lab: Lab, name: str) -> Callable[[], str]:
    now = application(lab, name)
    # As Argo CD's own syncs do: without these options it would not apply server-side.
    options = now["spec"]["syncPolicy"]["syncOptions"]
    patch = {"operation": {"initiatedBy": {"username": "test"}, "sync": {"syncOptions": options}}}
    before = now.get("status", {}).get("operationState", {}).get("finishedAt", "")
    lab.kubectl("patch", "application", name, "-n", NAMESPACE, "--type=merge", f"--patch={json.dumps(patch)}")

    def running() -> str:
        state = application(lab, name)
        told = state.get("status", {}).get("operationState", {})
        done = "operation" not in state and told.get("finishedAt", "") not in ("", before)
        phase, message = told.get("phase"), told.get("message", "")
        return "" if done and phase == "Succeeded" else f"{name}: {phase}: {message}"

    return running


def resync(lab: Lab, name: str) -> None:
    """Makes Argo CD read git again and compare, and waits for it."""
    lab.kubectl("annotate", "application", name, "-n", NAMESPACE, "--overwrite", "argocd.argoproj.io/refresh=hard")

    def asked() -> str:
        annotations = application(lab, name)["metadata"].get("annotations", {})
        return "not compared yet" if "argocd.argoproj.io/refresh" in annotations else ""

    lab.processes.until(f"comparison of {name}", asked, DONE_WITHIN, pause=0.5)


def resources(lab: Lab, name: str) -> dict[Resource, int]:
    """What the Application manages, each with its generation: the API server counts it up with each change of a spec.

    Of kinds that have none, the whole object less its bookkeeping is what is compared, by its hash.
    """
    found = {}
    for each in application(lab, name)["status"]["resources"]:
        kind = f"{each['kind']}.{each['version']}.{each.get('group', '')}"
        where = ["-n", each["namespace"]] if each.get("namespace") else []
        live = json.loads(lab.kubectl("get", kind, each["name"], *where, "-o", "json"))
        metadata = live["metadata"]
        generation = metadata.get("generation")
        found[each["kind"], each.get("namespace", ""), each["name"]] = (
            generation if generation is not None else hash(json.dumps(_plain(live), sort_keys=True))
        )
    return found


def _plain(live: dict[str, Any]) -> dict[str, Any]:
    kept = {key: live["metadata"].get(key) for key in ("labels", "annotations", "ownerReferences")}
    return {key: value for key, value in live.items() if key not in {"metadata", "status"}} | {"metadata": kept}
