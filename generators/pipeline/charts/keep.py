"""Writes the index of a chart, and its version into the app files."""

from __future__ import annotations

import json
from datetime import date

from generators.errors import wrong
from generators.model.catalog import Chart
from generators.output import disk
from generators.pipeline.charts.index import Index
from generators.pipeline.fleet import Fleet
from generators.source import catalog, edit

ABOUT = "Value paths of the chart and their kinds: every path that its values.yaml has"


def write(index: Index, chart: Chart, licence: str, today: date) -> bool:
    """Writes `data/chart_values/<chart>.json`; False where it held the same. Raises FleetError without a licence."""
    path = catalog.DATA / "chart_values" / f"{index.chart}.json"
    before = json.loads(path.read_bytes()) if path.is_file() else {"meta": {}}
    licence = licence or before["meta"].get("licence", "")
    if not licence:
        what = f"neither the chart {index.chart} nor an index of it names a licence"
        raise wrong("fleet charts index", what, hint="say it as an SPDX identifier: --licence Apache-2.0")
    same = before.get("version") == index.version and before.get("paths") == index.paths
    collected = before["meta"]["collected"] if same else today.isoformat()
    meta = {"about": ABOUT, "collected": collected, "repository": chart.repository, "licence": licence}
    document = {"meta": meta, "version": index.version, "paths": dict(sorted(index.paths.items()))}
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    if disk.holds(path, text):
        return False
    disk.replace_file(path, text, f"generators/data/chart_values/{path.name}")
    return True


def pin(fleet: Fleet, index: Index) -> list[str]:
    """Sets the version in each app.yaml that has the chart; those that changed. Raises FleetError."""
    changed = []
    for name, app in fleet.catalog.apps.items():
        if app.chart and app.chart.name == index.chart and app.chart.version != index.version:
            shown = f"apps/{name}/app.yaml"
            path = fleet.workspace.root / shown
            after = edit.set_value(path.read_bytes().decode(), shown, ("chart", "version"), index.version)
            disk.replace_file(path, after, shown)
            changed.append(shown)
    return changed
