"""What is committed for GPU inference on a real API server: admitted at the level `restricted`, folder and all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from generators.errors import FleetError
from tests.control_plane import ControlPlane
from tests.fleets import ROOT, committed
from tests.gpu_inference import Object, spec_of

NAMESPACE = "gpu-inference"
FOLDER = ROOT / "clusters" / "prod-tokyo" / "generated" / "manifests" / "gpu-inference"
FIRST = ("PriorityClass", "ServiceAccount", "PersistentVolume", "PersistentVolumeClaim")


def objects() -> list[Object]:
    found = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(Path(FOLDER).glob("*.yaml"))]
    return sorted(found, key=lambda each: each["kind"] not in FIRST)


def apply(server: ControlPlane, *found: Any) -> None:
    server.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(found))


@pytest.fixture
def server(api_server: ControlPlane) -> ControlPlane:
    """With the namespace at the level that the app declares, and everything of the app."""
    level = committed().catalog.apps[NAMESPACE].pod_security
    assert level == "restricted"
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "warn")}
    apply(api_server, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    apply(api_server, *objects())
    return api_server


def pod(name: str, spec: dict[str, Any]) -> Object:
    """As a controller makes one, of which none runs here."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def test_every_pod_is_admitted_with_its_claim(server: ControlPlane) -> None:
    templates = {
        each["metadata"]["name"]: spec_of(each)["template"]["spec"] for each in objects() if "template" in spec_of(each)
    }
    claimed = [name for name, spec in templates.items() if "persistentVolumeClaim" in json.dumps(spec)]
    assert len(claimed) == 5, "two warmers, the servers of a group, and two batches"
    for name, spec in templates.items():
        apply(server, pod(name, spec))
    stored = json.loads(server.kubectl("get", "pods", "-n", NAMESPACE, "-o", "json"))["items"]
    held = {each["metadata"]["name"]: each["spec"] for each in stored}
    assert held["server-gpu-t4"]["initContainers"][0]["restartPolicy"] == "Always", "kept, and not cut"


def test_the_same_folder_as_a_host_path_is_refused(server: ControlPlane) -> None:
    [spec] = [spec_of(each)["template"]["spec"] for each in objects() if each["metadata"]["name"] == "models-gpu-t4"]
    path = {"name": "models", "hostPath": {"path": "/var/lib/inference-fleet/models"}}
    volumes = [path if each["name"] == "models" else each for each in spec["volumes"]]
    with pytest.raises(FleetError, match=r"violates PodSecurity.*hostPath"):
        apply(server, pod("by-path", {**spec, "volumes": volumes}))


def test_the_volume_is_held_for_the_claim_and_cannot_be_moved(server: ControlPlane) -> None:
    [volume] = [each for each in objects() if each["kind"] == "PersistentVolume"]
    stored = json.loads(server.kubectl("get", "pv", volume["metadata"]["name"], "-o", "json"))
    assert stored["spec"]["claimRef"]["name"] == "models"
    assert stored["spec"]["local"] == volume["spec"]["local"]
    assert "storageClassName" not in stored["spec"] or stored["spec"]["storageClassName"] == ""
    moved = {**volume, "spec": {**volume["spec"], "local": {"path": "/etc"}}}
    with pytest.raises(FleetError, match=r"immutable after creation"):
        apply(server, moved)
