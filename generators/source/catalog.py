"""Reads the catalogue: `apps/*/app.yaml`, jsonnet sources, and the reference data of this package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from generators.errors import FleetError, Problem, wrong
from generators.model.catalog import App, Catalog, ChartValues, Instance, MigProfile, MinorFacts, RegionFacts
from generators.model.catalog_rules import app_findings, early_secrets, shared_identities, shared_levels, shared_uis
from generators.source import binding, reader
from generators.source.nodes import Node
from generators.source.workspace import Workspace

DATA = Path(__file__).parent.parent / "data"
VALUE_SCHEMA = "values.schema.json"
JSONNET = ("apps/*", "terraform/dashboards")
"""Folders with jsonnet, from the repository's root."""


def load(workspace: Workspace) -> Catalog:
    """The whole catalogue. Raises FleetError with the problems of every app.yaml."""
    apps, problems = _apps(workspace)
    if problems:
        raise FleetError(problems)
    folder = workspace.root / "apps"
    return Catalog(
        apps=apps,
        instances=_instances(),
        regions={
            name: RegionFacts(facts["eks_registry"], tuple(facts["zones"]))
            for name, facts in _data("regions")["regions"].items()
        },
        minors={name: MinorFacts(**facts) for name, facts in _data("minors")["minors"].items()},
        chart_values=_chart_values(apps),
        jsonnet=_jsonnet(workspace.root),
        rds_ca=_data("rds_ca")["regions"],
        value_schemas=_value_schemas(workspace.root, apps),
        registries=_data("registries")["registries"],
        plain_values=frozenset(path.parent.name for path in folder.glob("*/values.yaml")),
    )


def _apps(workspace: Workspace) -> tuple[dict[str, App], list[Problem]]:
    apps: dict[str, App] = {}
    nodes: dict[str, Node] = {}
    problems: list[Problem] = []
    for path in sorted((workspace.root / "apps").glob("*/app.yaml")):
        name = path.parent.name
        try:
            node = nodes[name] = reader.read(path, f"apps/{name}/app.yaml")
            apps[name] = binding.bind(App, node)
        except FleetError as error:
            problems += error.problems
        else:
            problems += [binding.located(node, finding) for finding in app_findings(name, apps[name])]
            problems += _missing(workspace.root, path.parent, node, apps[name])
    shared = (*shared_identities(apps), *shared_levels(apps), *shared_uis(apps), *early_secrets(apps))
    problems += [binding.located(nodes[name], finding) for name, finding in shared]
    return apps, problems


def _missing(root: Path, folder: Path, node: Node, app: App) -> list[Problem]:
    """The file that an app of this kind cannot do without."""
    key, wanted = "kind", {"kustomize": "base/kustomization.yaml", "jsonnet": "main.jsonnet"}.get(app.kind)
    needed = f"apps/{folder.name}/{wanted}"
    if app.own_chart:
        key, wanted, needed = "own_chart", VALUE_SCHEMA, f"charts/{app.own_chart}/{VALUE_SCHEMA}"
    if wanted is None or (root / needed).is_file():
        return []
    return [Problem(node.place_of((key,)), f"an app of kind {app.kind} needs {needed}", key)]


def _data(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_bytes())


def _instances() -> dict[str, Instance]:
    gpus = {
        gpu: {name: MigProfile(**facts) for name, facts in profiles.items()}
        for gpu, profiles in _data("mig_profiles")["gpus"].items()
    }
    return {
        name: Instance(**facts, mig=gpus.get(f"{facts.get('gpu_name')} {facts.get('gpu_memory_mib')}", {}))
        for name, facts in _data("instances")["instances"].items()
    }


def _chart_values(apps: dict[str, App]) -> dict[str, ChartValues]:
    charts = sorted({app.chart.name for app in apps.values() if app.chart})
    found = {}
    for name in charts:
        path = DATA / "chart_values" / f"{name}.json"
        if path.is_file():
            index = json.loads(path.read_bytes())
            found[name] = ChartValues(index["version"], index["paths"])
    return found


def _value_schemas(root: Path, apps: dict[str, App]) -> dict[str, dict[str, Any]]:
    found = {}
    for name in sorted({app.own_chart for app in apps.values() if app.own_chart}):
        path = f"charts/{name}/{VALUE_SCHEMA}"
        try:
            found[name] = json.loads((root / path).read_bytes())
        except ValueError as error:
            raise wrong(path, f"is not JSON: {error}") from None
    return found


def _jsonnet(root: Path) -> dict[str, str]:
    paths = [path for where in JSONNET for path in root.glob(f"{where}/*.*sonnet")]
    names = sorted(path.relative_to(root).as_posix() for path in paths if path.suffix in {".jsonnet", ".libsonnet"})
    return {name: reader.text(root / name, name) for name in names}
