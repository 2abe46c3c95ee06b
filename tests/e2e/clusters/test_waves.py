"""Waves of the root Application: what is in front and not well holds what comes after."""

from __future__ import annotations

import json
from pathlib import Path

from generators.lab.argocd import NAMESPACE
from generators.lab.lab import Lab, wait_synced
from generators.lab.stand_ins import STORES
from tests.e2e.applications import application
from tests.e2e.programs import SYNCED_WITHIN

FRONT, BEHIND = "secret-stores", "git-credential"
MARK = "inference-fleet/mark"
SEEN_WITHIN = 120.0


def test_a_failing_wave_holds_the_next(synced: Lab) -> None:
    apps = synced.inputs.apps()
    assert apps[FRONT].wave < apps[BEHIND].wave
    (store, *_) = synced.get(STORES)
    file = applications(synced) / f"{BEHIND}.yaml"
    whole = file.read_text()
    say_ready(synced, store["metadata"]["name"], "False")
    synced.processes.until(f"{FRONT} to fail", lambda: _is(synced, FRONT, "Degraded"), SEEN_WITHIN, 0.5)
    file.write_text(whole.replace("  labels:\n", f"  labels:\n    {MARK}: seen\n", 1))
    commit = synced.repository.commit("a later wave changes")
    synced.processes.until("the root's attempt", lambda: _gave_up(synced, commit), SEEN_WITHIN, 0.5)
    assert MARK not in application(synced, BEHIND)["metadata"]["labels"], "it did not wait"
    say_ready(synced, store["metadata"]["name"], "True")
    synced.processes.until(f"{BEHIND}", lambda: _marked(synced), SEEN_WITHIN, 0.5)
    file.write_text(whole)
    synced.repository.commit("as it was")
    wait_synced(synced, SYNCED_WITHIN)


def applications(lab: Lab) -> Path:
    """Where the root Application finds the others."""
    return lab.repository.folder / "clusters" / lab.inputs.cluster.name / "generated" / NAMESPACE


def say_ready(lab: Lab, store: str, status: str) -> None:
    """What external-secrets would say of a store whose role it may or may not take on."""
    (found,) = [each for each in lab.get(STORES) if each["metadata"]["name"] == store]
    conditions = [{**found["status"]["conditions"][0], "status": status}]
    patch = json.dumps({"status": {"conditions": conditions}})
    lab.kubectl("patch", STORES, store, "--subresource=status", "--type=merge", f"--patch={patch}")


def _is(lab: Lab, name: str, health: str) -> str:
    found = application(lab, name)["status"].get("health", {}).get("status")
    return "" if found == health else f"{name} is {found}"


def _gave_up(lab: Lab, commit: str) -> str:
    """Nothing once the root has tried this commit and come to no good end."""
    state = application(lab, "root")["status"].get("operationState", {})
    revision = state.get("syncResult", {}).get("revision")
    tried = revision == commit and (state.get("retryCount", 0) > 0 or state.get("phase") in {"Failed", "Error"})
    return "" if tried else f"{state.get('phase')} at {revision}: {state.get('message', '')}"


def _marked(lab: Lab) -> str:
    return "" if MARK in application(lab, BEHIND)["metadata"]["labels"] else "it still waits"
