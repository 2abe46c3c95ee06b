"""Clusters with apps that have pages, for tests of the way in."""

from __future__ import annotations

from pathlib import Path

from generators.model.catalog import Inputs
from generators.pipeline import fleet
from generators.source.workspace import Workspace
from tests import fleets

APP = """\
description: An app with pages, for tests
owner: platform
namespace: tests
kind: helm
chart: {repository: https://charts.example.com, name: sample, version: 1.2.3}
wave: 0
pod_security: restricted
ui: {UI}
"""
UIS = {"notes": "{host: notes, node_port: 30990}", "wiki": "{host: wiki, node_port: 30991, health_path: /ready}"}
SMALL = """\
name: NAME
environment: production
network: {vpc_cidr: 10.1.0.0/16, zones: [a, c]}
node_groups:
  system: {instance_types: [m6i.large], capacity: on-demand, role: system, min: 2, max: 4}
  spot: {instance_types: [m6i.large], capacity: spot, role: system, min: 0, max: 4}
  workers: {instance_types: [c6i.4xlarge], capacity: spot, min: 0, max: 9}
access: {ACCESS}
apps: {argo-cd: {}, coredns: {}, notes: {}, wiki: {}}
"""


def add_app(target: Workspace, name: str, ui: str) -> None:
    """An app of the catalogue with this `ui`."""
    folder = target.root / "apps" / name
    folder.mkdir()
    (folder / "app.yaml").write_text(APP.replace("{UI}", ui), encoding="utf-8")


def load(
    folder: Path, access: str = "", name: str = "small", uis: dict[str, str] | None = None, defaults: str = ""
) -> Inputs:
    """A small cluster that runs two apps with pages, `access` being the inside of its key. Raises FleetError."""
    target = fleets.workspace(folder)
    with (target.clusters / "defaults.yaml").open("a", encoding="utf-8") as file:
        file.write(defaults)
    for app, ui in (uis or UIS).items():
        add_app(target, app, ui)
    fleets.add(target, name, SMALL.replace("NAME", name).replace("ACCESS", access))
    return fleet.read(target).load(name)
