"""Kubeflow Pipelines as kustomize builds it for a cluster, and ways to look at what comes out."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from generators.model.catalog import Inputs
from generators.pipeline import fleet
from generators.pipeline.render import render_cluster
from generators.source.workspace import Workspace
from generators.tools import kustomize
from tests import fleets
from tests.tool_needed import needed

Object = dict[str, Any]
APP = "kubeflow-pipelines"
NAMESPACE = "kubeflow"
CLUSTERS = ("dev-tokyo", "prod-tokyo")


def overlay(folder: Path) -> list[Object]:
    """The objects of a cluster's folder, built anew."""
    needed("kustomize")
    text = kustomize.build(folder / "generated" / "overlays" / APP)
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


@cache
def committed(name: str) -> list[Object]:
    """The objects of a committed cluster: read them only."""
    return overlay(fleets.ROOT / "clusters" / name)


def inputs(name: str) -> Inputs:
    """A committed cluster."""
    return fleets.committed().load(name)


def rendered(workspace: Workspace, text: str) -> tuple[Inputs, list[Object], Path]:
    """A cluster with this file, rendered into a workspace of its own: its facts, its objects, its folder."""
    folder = fleets.add(workspace, "demo", text)
    found = fleet.read(workspace)
    assert render_cluster(found, "demo", "write").problems == []
    return found.load("demo"), overlay(folder), folder


def of_kind(objects: Iterable[Object], kind: str) -> list[Object]:
    return [each for each in objects if each["kind"] == kind]


def the(objects: Iterable[Object], kind: str, name: str) -> Object:
    """The object of that name, or of that name with kustomize's hash behind it."""
    found = {each["metadata"]["name"]: each for each in of_kind(objects, kind)}
    if name not in found:
        [name] = [other for other in found if other.rpartition("-")[0] == name]
    return found[name]


def pod(each: Object) -> Object:
    return dict(each["spec"]["template"]["spec"])


def container(each: Object) -> Object:
    [found] = pod(each)["containers"]
    return dict(found)


def environment(each: Object) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in container(each)["env"] if "value" in variable}


def workloads(objects: Iterable[Object]) -> list[Object]:
    return [each for each in objects if each["kind"] in {"Deployment", "Job"}]


def milli(quantity: str) -> int:
    """CPU in millicores."""
    return int(quantity[:-1]) if quantity.endswith("m") else 1000 * int(quantity)


def mib(quantity: str) -> int:
    """Memory in MiB."""
    return int(quantity[:-2]) * {"Mi": 1, "Gi": 1024}[quantity[-2:]]
