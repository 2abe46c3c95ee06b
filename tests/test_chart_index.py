"""`fleet charts index`: value paths out of a chart, and the values of ours that another version would not take."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import Result

from generators.source import catalog, chart_archive
from generators.source.workspace import Workspace
from tests import fleets
from tests.tool_needed import needed

Fleet = Callable[..., Result]
CHART = "cluster-autoscaler"
VALUES = """\
# -- A text
name: one
quoted: "1"
count: 3
share: 0.5
on_: true
# -- Nothing is set
unset:
tilde: ~
commented:
  # key: value
  # other: value
open: {}
empty: []
items:
  - name: a
nested:
  # -- Deeper
  deep: {flag: false, more: {}}
  "a/b": x
multi: |
  text
anchored: &these {size: 1}
again: *these
"""
KINDS = {
    "name": "string",
    "quoted": "string",
    "count": "int",
    "share": "float",
    "on_": "bool",
    "unset": "null (unset)",
    "tilde": "null (unset)",
    "commented": "null (unset)",
    "open": "map (open)",
    "empty": "list",
    "items": "list",
    "nested": "map",
    "nested.deep": "map",
    "nested.deep.flag": "bool",
    "nested.deep.more": "map (open)",
    "nested.a/b": "string",
    "multi": "string",
    "anchored": "map",
    "anchored.size": "int",
    "again": "map",
    "again.size": "int",
}


def archive(folder: Path, values: str, *, name: str = CHART, version: str = "9.99.0", about: str = "") -> Path:
    """`NAME-VERSION.tgz` as helm packs it, with a chart within the chart."""
    path = folder / f"{name}-{version}.tgz"
    files = {
        "Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n{about}",
        "values.yaml": values,
        "charts/inner/Chart.yaml": "apiVersion: v2\nname: inner\nversion: 0.0.1\n",
        "charts/inner/values.yaml": "innermost: 1\n",
        "templates/config-map.yaml": "{{ .Values.name }}",
    }
    with tarfile.open(path, "w:gz") as packed:
        for file, text in files.items():
            member = tarfile.TarInfo(f"{name}/{file}")
            member.size = len(text.encode())
            packed.addfile(member, io.BytesIO(text.encode()))
    return path


def values_of(paths: dict[str, str]) -> dict[str, Any]:
    """Values that an index with these paths is made of."""
    samples: dict[str, Any] = {"string": "x", "int": 1, "bool": True, "list": [], "null (unset)": None}
    values: dict[str, Any] = {}
    for path, kind in sorted(paths.items()):
        *above, last = path.split(".")
        holder = values
        for step in above:
            holder = holder[step]
        holder[last] = {} if kind.startswith("map") else samples[kind]
    return values


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The index of cluster-autoscaler in a copy of the reference data."""
    shutil.copytree(catalog.DATA, tmp_path / "data", ignore=shutil.ignore_patterns("crds"))
    monkeypatch.setattr(catalog, "DATA", tmp_path / "data")
    return tmp_path / "data" / "chart_values" / f"{CHART}.json"


@pytest.fixture
def same(index: Path) -> dict[str, Any]:
    """Values that give the paths which are known already."""
    return values_of(json.loads(index.read_text())["paths"])


@pytest.fixture
def demo(workspace: Workspace) -> Path:
    return fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))


def run(fleet: Fleet, *more: str, version: str = "9.99.0") -> Result:
    return fleet("charts", "index", CHART, version, "--today", "2026-11-24", *more)


def test_each_value_of_a_chart_has_its_kind(tmp_path: Path) -> None:
    packed = chart_archive.read(archive(tmp_path, VALUES))
    assert (packed.name, packed.version, packed.licence) == (CHART, "9.99.0", "")
    assert chart_archive.kinds(packed.values) == KINDS


def test_a_folder_is_as_good_as_an_archive(tmp_path: Path) -> None:
    path = archive(tmp_path, VALUES, about="annotations: {artifacthub.io/license: MIT}\n")
    with tarfile.open(path) as packed:
        packed.extractall(tmp_path, filter="data")
    assert chart_archive.read(tmp_path / CHART) == chart_archive.read(path)
    assert chart_archive.read(path).licence == "MIT"


@pytest.mark.parametrize("chart", sorted(path.stem for path in (catalog.DATA / "chart_values").glob("*.json")))
def test_the_kinds_are_those_of_the_committed_indexes(chart: str) -> None:
    kinds = set(json.loads((catalog.DATA / "chart_values" / f"{chart}.json").read_text())["paths"].values())
    assert kinds <= set(KINDS.values())


@pytest.mark.usefixtures("demo")
def test_the_index_is_written_with_source_licence_and_day(
    tmp_path: Path, index: Path, same: dict[str, Any], fleet: Fleet
) -> None:
    before = json.loads(index.read_text())
    values = same | {"novel": {"flag": False}}
    values.pop("civoApiKey")
    values["awsAccessKeyID"] = {"secret": "x"}
    result = run(fleet, "--from", str(archive(tmp_path, yaml.safe_dump(values))))
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "cluster-autoscaler 9.59.0 → 9.99.0: 132 paths",
        "  added   awsAccessKeyID.secret",
        "  added   novel",
        "  added   novel.flag",
        "  removed civoApiKey",
        "  changed awsAccessKeyID: string → map",
    ]
    written = json.loads(index.read_text())
    assert written["meta"] == before["meta"] | {"collected": "2026-11-24"}
    assert written["version"] == "9.99.0"
    kinds = {"awsAccessKeyID": "map", "awsAccessKeyID.secret": "string", "novel": "map", "novel.flag": "bool"}
    expected = {path: kind for path, kind in before["paths"].items() if path != "civoApiKey"} | kinds
    assert written["paths"] == expected
    assert list(written["paths"]) == sorted(written["paths"])


@pytest.mark.usefixtures("demo")
def test_the_pinned_version_again_changes_no_byte(
    tmp_path: Path, index: Path, same: dict[str, Any], fleet: Fleet
) -> None:
    before = index.read_bytes()
    packed = archive(tmp_path, yaml.safe_dump(same), version="9.59.0")
    result = fleet("charts", "index", CHART, "--from", str(packed))
    assert result.exit_code == 0, result.output
    assert result.stdout == "cluster-autoscaler 9.59.0 → 9.59.0: 130 paths\n"
    assert index.read_bytes() == before
    assert "wrote" not in result.stderr


def test_values_that_a_version_orphans_are_told_where_they_stand(
    tmp_path: Path, workspace: Workspace, demo: Path, index: Path, same: dict[str, Any], fleet: Fleet
) -> None:
    (demo / "values").mkdir()
    (demo / "values" / f"{CHART}.yaml").write_text("# ours\nserviceMonitor:\n  interval: 30s\n")
    values = same | {"replicas": 1, "expanderPriorities": [], "extraArgs": {"expander": "random"}}
    for gone in ("replicaCount", "serviceMonitor"):
        values.pop(gone)
    values["rbac"].pop("serviceAccount")
    result = run(fleet, "--from", str(archive(tmp_path, yaml.safe_dump(values))))
    assert result.exit_code == 1
    told = [each for each in result.stderr.splitlines() if each.startswith("error: ")]
    by_hand = (workspace.root / f"apps/{CHART}/values.yaml").read_text().splitlines()
    line = next(number for number, each in enumerate(by_hand, start=1) if each.startswith("replicaCount"))
    assert f"error: apps/{CHART}/values.yaml:{line}:15: replicaCount: {CHART} 9.99.0 has no such value" in told
    assert "hint: did you mean `replicas`?" in result.stderr
    account = f"identities.{CHART}.values_path: {CHART} 9.99.0 has no value `rbac.serviceAccount`"
    assert [each for each in told if each.startswith(f"error: apps/{CHART}/app.yaml:") and each.endswith(account)]
    override = f"error: clusters/demo/values/{CHART}.yaml:2:1: serviceMonitor: {CHART} 9.99.0 has no such value"
    assert override in told
    generated = f"error: clusters/demo/generated/values/{CHART}.yaml:"
    assert any(each.startswith(generated) and "expanderPriorities: " in each for each in told)
    assert not [each for each in told if "extraArgs" in each], "app.yaml says that extraArgs is open"
    assert f"{len(told)} values of ours that {CHART} 9.99.0 does not take" in result.stderr
    assert json.loads(index.read_text())["version"] == "9.99.0"
    facts = json.loads(run(fleet, "--from", str(tmp_path / f"{CHART}-9.99.0.tgz"), "-o", "json").stdout)
    assert len(facts["orphans"]) == len(told)


def test_a_dry_run_writes_nothing_and_a_pin_writes_app_yaml(
    tmp_path: Path, workspace: Workspace, demo: Path, index: Path, same: dict[str, Any], fleet: Fleet
) -> None:
    packed = str(archive(tmp_path, yaml.safe_dump(same)))
    app = workspace.root / "apps" / CHART / "app.yaml"
    before, text = index.read_bytes(), app.read_text()
    assert run(fleet, "--from", packed, "--pin", "--dry-run").exit_code == 0
    assert (index.read_bytes(), app.read_text()) == (before, text)
    result = run(fleet, "--from", packed, "--pin")
    assert f"apps/{CHART}/app.yaml: chart.version is 9.99.0; next: fleet render" in result.stderr
    assert app.read_text() == text.replace("version: 9.59.0", "version: 9.99.0")
    assert fleet("render").exit_code == 0
    assert "targetRevision: 9.99.0" in (demo / "generated" / "argocd" / f"{CHART}.yaml").read_text()


@pytest.mark.usefixtures("demo", "index")
def test_what_is_no_chart_is_told_in_words(tmp_path: Path, workspace: Workspace, fleet: Fleet) -> None:
    other, broken, notes = tmp_path / "other", tmp_path / "broken", tmp_path / "notes.tgz"
    for folder in (other, broken):
        folder.mkdir()
    (other / "Chart.yaml").write_text("name: other\nversion: 9.99.0\n")
    (broken / "Chart.yaml").write_text("name: [\n")
    notes.write_bytes(gzip.compress(b"not a tar file"))
    said = {
        str(tmp_path / "none.tgz"): "there is no such archive or folder",
        str(other): f"holds other 9.99.0, not {CHART} 9.99.0",
        str(broken): "Chart.yaml: is not YAML",
        str(notes): "is not an archive of a chart",
        str(workspace.root): "its Chart.yaml names no chart and version",
    }
    for given, words in said.items():
        result = run(fleet, "--from", given)
        assert (result.exit_code, words in result.stderr) == (2, True), result.output
        assert "Traceback" not in result.stderr
    result = fleet("charts", "index", "cluster-autoscale", "1.0.0")
    assert result.exit_code == 2
    assert "hint: did you mean `cluster-autoscaler`?" in result.stderr


@pytest.mark.usefixtures("demo")
def test_an_index_names_a_licence(tmp_path: Path, index: Path, same: dict[str, Any], fleet: Fleet) -> None:
    index.unlink()
    packed = str(archive(tmp_path, yaml.safe_dump(same)))
    result = run(fleet, "--from", packed)
    assert result.exit_code == 2
    assert "hint: say it as an SPDX identifier: --licence Apache-2.0" in result.stderr
    assert not index.exists()
    result = run(fleet, "--from", packed, "--licence", "Apache-2.0")
    assert result.stdout == "cluster-autoscaler (no index) → 9.99.0: 130 paths\n"
    assert json.loads(index.read_text())["meta"]["licence"] == "Apache-2.0"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[str]:
    """A chart repository on loopback, empty but for what a test puts in its folder."""
    (tmp_path / "repository").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path / "repository")))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("demo")
def test_a_real_helm_pulls_the_chart_from_the_repository_of_app_yaml(
    tmp_path: Path, workspace: Workspace, index: Path, same: dict[str, Any], repository: str, fleet: Fleet
) -> None:
    needed("helm")
    app = workspace.root / "apps" / CHART / "app.yaml"
    app.write_text(app.read_text().replace("https://kubernetes.github.io/autoscaler", repository))
    folder = tmp_path / "repository"
    packed = archive(folder, yaml.safe_dump(same | {"novel": 1}))
    entry = {"apiVersion": "v2", "name": CHART, "version": "9.99.0", "urls": [packed.name]}
    (folder / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": {CHART: [entry]}}))
    result = run(fleet)
    assert result.exit_code == 0, result.output
    assert json.loads(index.read_text())["paths"]["novel"] == "int"
    missing = run(fleet, version="9.99.1")
    assert missing.exit_code == 2
    assert missing.stderr.startswith(f"error: {repository}: helm pull {CHART}")
    assert "give the chart's archive or folder: --from" in missing.stderr


@pytest.mark.usefixtures("demo", "index")
def test_without_helm_it_says_what_to_do(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("FLEET_TOOLS", "PATH"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = run(fleet)
    assert result.exit_code == 2
    assert "error: fleet charts index: helm is not installed" in result.stderr
    assert "or give the chart's archive or folder: --from" in result.stderr
