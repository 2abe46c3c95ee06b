"""A chart of this repository as an app: its Application, its values' schema, and its objects by a real helm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from generators.errors import FleetError
from generators.pipeline import fleet
from generators.pipeline.render import render_cluster
from generators.pipeline.validate import Report, validate_cluster
from generators.source.workspace import Workspace
from tests import fleets
from tests.tool_needed import needed

APP = """\
description: A chart of ours, for tests
owner: platform
namespace: tests
kind: helm
own_chart: sample
wave: 0
pod_security: restricted
"""
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["mode"],
    "properties": {"mode": {"enum": ["fast", "slow"]}, "limits": {"$ref": "#/$defs/limits"}},
    "$defs": {
        "limits": {"type": "object", "additionalProperties": False, "properties": {"lines": {"type": "integer"}}}
    },
}
CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  namespace: {{ .Release.Namespace }}
data: {mode: {{ .Values.mode }}, kubernetes: {{ .Capabilities.KubeVersion.Minor | quote }}}
"""


@pytest.fixture
def demo(workspace: Workspace) -> Path:
    """The folder of a cluster that runs the chart `sample`."""
    chart, app = workspace.root / "charts" / "sample", workspace.root / "apps" / "sample"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: sample\nversion: 1.0.0\n")
    (chart / "values.schema.json").write_text(json.dumps(SCHEMA))
    (chart / "values.yaml").write_text("mode: slow\n")
    (chart / "templates" / "config-map.yaml").write_text(CONFIG_MAP)
    app.mkdir()
    (app / "app.yaml").write_text(APP)
    (app / "values.yaml").write_text("mode: fast\n")
    return fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo") + "  sample: {}\n")


def validated(workspace: Workspace) -> Report:
    found = fleet.read(workspace)
    assert render_cluster(found, "demo", "write").problems == []
    return validate_cluster(found, "demo")


def told(workspace: Workspace) -> str:
    return "\n".join(map(str, validated(workspace).problems))


def test_argo_cd_finds_chart_and_values_in_the_one_repository(workspace: Workspace, demo: Path) -> None:
    (demo / "values").mkdir()
    (demo / "values" / "sample.yaml").write_text("mode: slow\n")
    assert validated(workspace).problems == []
    application: Any = yaml.safe_load((demo / "generated" / "argocd" / "sample.yaml").read_text())
    files = ["/apps/sample/values.yaml", "/clusters/demo/values/sample.yaml"]
    assert application["spec"]["source"] == {
        "repoURL": "https://github.com/example/inference-fleet.git",
        "targetRevision": "main",
        "path": "charts/sample",
        "helm": {"releaseName": "sample", "valueFiles": files},
    }
    assert "sources" not in application["spec"]
    watched = application["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"]
    assert watched == ";".join(["/charts/sample", *files])
    for path in files:
        assert (workspace.root / path.removeprefix("/")).is_file()
    project: Any = yaml.safe_load((demo / "generated" / "argocd" / "project-fleet.yaml").read_text())
    assert {"server": "https://kubernetes.default.svc", "namespace": "tests"} in project["spec"]["destinations"]


@pytest.mark.usefixtures("demo")
def test_its_objects_are_rendered_by_helm_and_checked(workspace: Workspace) -> None:
    needed("helm")
    template = workspace.root / "charts" / "sample" / "templates" / "config-map.yaml"
    before = validated(workspace)
    assert (before.problems, before.unchecked) == ([], [])
    template.write_text(CONFIG_MAP.replace("\ndata:", "\ndada:").replace("{{ .Release.Namespace }}", "elsewhere"))
    message = told(workspace)
    place = "charts/sample/templates/config-map.yaml"
    assert f"{place}:6:1: ConfigMap/settings: dada: is not a known field\nhint: did you mean data?" in message
    assert f"{place}:5:3: ConfigMap/settings: metadata.namespace: `elsewhere` is not the app's namespace" in message


@pytest.mark.usefixtures("demo")
def test_the_chart_believes_in_the_clusters_kubernetes_and_in_the_last_values(workspace: Workspace) -> None:
    needed("helm")
    template = workspace.root / "charts" / "sample" / "templates" / "config-map.yaml"
    template.write_text(
        CONFIG_MAP.replace("kind: ConfigMap", "kind: {{ .Values.mode }}-{{ .Capabilities.KubeVersion }}")
    )
    assert ":2:1: fast-v1.35.0/settings: kind: no schema for v1 fast-v1.35.0" in told(workspace)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("mode: fast\ncolour: red\n", "apps/sample/values.yaml:2:9: colour: is not a known field"),
        (
            "limits:\n  linez: 1\n",
            "apps/sample/values.yaml:2:10: limits.linez: is not a known field\nhint: did you mean lines?",
        ),
        ("mode: quick\n", 'apps/sample/values.yaml:1:7: mode: is "quick", must be "fast" or "slow"'),
        ("limits: {lines: many}\n", 'values.yaml:1:17: limits.lines: is "many", must be a whole number'),
    ],
)
@pytest.mark.usefixtures("demo")
def test_a_value_that_the_chart_does_not_take_is_told_once_at_its_line(
    workspace: Workspace, values: str, message: str
) -> None:
    (workspace.root / "apps" / "sample" / "values.yaml").write_text(values)
    problems = validated(workspace).problems
    assert message in str(problems[0])
    assert len(problems) == 1


@pytest.mark.usefixtures("demo")
def test_what_no_file_holds_is_told_by_helm(workspace: Workspace) -> None:
    needed("helm")
    (workspace.root / "charts" / "sample" / "values.yaml").write_text("{}\n")
    (workspace.root / "apps" / "sample" / "values.yaml").write_text("limits: {}\n")
    message = told(workspace)
    assert "error: charts/sample: helm template sample" in message
    assert "missing property 'mode'" in message
    assert "hint: run `helm template sample charts/sample -n tests -f apps/sample/values.yaml`" in message


@pytest.mark.usefixtures("demo")
def test_a_template_that_helm_refuses_hides_no_other_problem(workspace: Workspace) -> None:
    needed("helm")
    (workspace.root / "charts" / "sample" / "templates" / "config-map.yaml").write_text("{{ fail `no` }}\n")
    (workspace.root / "apps" / "cluster-autoscaler" / "values.yaml").write_text("colour: red\n")
    report = validated(workspace)
    message = "\n".join(map(str, report.problems))
    assert "charts/sample/templates/config-map.yaml:1:1: helm template" in message
    assert "apps/cluster-autoscaler/values.yaml:1:9: colour" in message
    assert not report.unreadable


@pytest.mark.usefixtures("demo")
def test_without_helm_it_is_said_what_was_not_checked(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generators.tools.binaries.find", lambda _: None)
    report = validated(workspace)
    assert report.problems == []
    assert any(
        line.startswith("charts/sample: not built: helm is not installed (run `make ") for line in report.unchecked
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "own_chart: sample",
            "own_chart: other",
            ":5:12: own_chart: an app of kind helm needs charts/other/values.schema.json",
        ),
        ("kind: helm", "kind: kustomize", ":5:12: own_chart: belongs to kind helm, and this app's kind is kustomize"),
        ("own_chart: sample\n", "", ":4:7: kind: a helm app needs a `chart`"),
        (
            "wave: 0",
            "wave: 0\nchart: {repository: https://charts.example.com, name: sample, version: 1.2.3}",
            ":5:12: own_chart: there is a `chart` too, and an app has one",
        ),
    ],
)
@pytest.mark.usefixtures("demo")
def test_a_mistake_in_the_app_file_is_told(workspace: Workspace, old: str, new: str, message: str) -> None:
    (workspace.root / "apps" / "sample" / "app.yaml").write_text(APP.replace(old, new))
    with pytest.raises(FleetError) as caught:
        fleet.read(workspace)
    assert f"apps/sample/app.yaml{message}" in str(caught.value)


@pytest.mark.usefixtures("demo")
def test_a_schema_that_is_not_json_is_told(workspace: Workspace) -> None:
    (workspace.root / "charts" / "sample" / "values.schema.json").write_text("{")
    with pytest.raises(FleetError, match=r"charts/sample/values.schema.json: is not JSON: "):
        fleet.read(workspace)
