"""Argo CD and the API server on what a committed cluster holds."""

from __future__ import annotations

import json
from typing import Any

from generators.lab.argocd import NAMESPACE
from generators.lab.lab import Lab
from generators.model.catalog import ROOT_APPLICATION
from generators.output.text import texts
from generators.pipeline import fleet, rendered
from generators.renderers import render
from generators.source.workspace import Workspace
from tests.e2e.applications import resources, sync

HEALED_WITHIN = 90.0


def coredns(lab: Lab) -> dict[str, Any]:
    """CoreDNS's Deployment."""
    found: dict[str, Any] = json.loads(lab.kubectl("get", "deployment", "coredns", "-n", "kube-system", "-o", "json"))
    return found


def replicas(lab: Lab) -> int:
    """How many of CoreDNS are wanted."""
    return int(coredns(lab)["spec"]["replicas"])


def objects(lab: Lab) -> list[dict[str, Any]]:
    """Every object that this repository renders for the cluster, of apps that Argo CD gets here."""
    name = lab.inputs.cluster.name
    found = fleet.read(Workspace(lab.repository.folder)).load(name)
    by_text = rendered.written(name, texts(render(found), name))
    by_tools = rendered.built(lab.repository.folder, found).objects
    return [each.document for each in (*by_text, *by_tools) if each.app and each.app not in lab.left_out]


def test_every_application_is_there(synced: Lab) -> None:
    found = {each["metadata"]["name"] for each in synced.get("applications", "-n", NAMESPACE)}
    assert found == set(synced.inputs.apps()) - set(synced.left_out) | {ROOT_APPLICATION}


def test_the_api_server_warns_of_nothing(synced: Lab) -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": objects(synced)}
    assert len(items["items"]) > 50
    dry_run = ("apply", "--server-side", "--force-conflicts", "--field-manager=dry", "--dry-run=server", "-f", "-")
    said = synced.kubectl.run(*dry_run, stdin=json.dumps(items)).stderr
    assert [line for line in said.splitlines() if "Warning" in line] == []


def test_a_second_sync_changes_nothing(synced: Lab) -> None:
    before = {name: resources(synced, name) for name in synced.inputs.apps() if name not in synced.left_out}
    assert all(before.values())
    sync(synced, *before)
    after = {name: resources(synced, name) for name in before}
    changed = {name: sorted(dict(after[name].items() ^ before[name].items())) for name in before}
    assert {name: which for name, which in changed.items() if which} == {}


def test_drift_by_hand_is_healed(synced: Lab) -> None:
    wanted = replicas(synced)
    synced.kubectl("scale", "deployment", "coredns", "-n", "kube-system", f"--replicas={wanted + 1}")
    generation = int(coredns(synced)["metadata"]["generation"])

    def healed() -> str:
        found = coredns(synced)
        again = replicas(synced) == wanted and found["metadata"]["generation"] >= generation
        return "" if again else f"{replicas(synced)} of {wanted}"

    synced.processes.until("CoreDNS's replicas", healed, HEALED_WITHIN)
