"""Overrides that would have a chart work on another cluster, and secrets that would come before their stores."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import Result

from generators.checks import overruled
from generators.model.base import dotted
from generators.model.catalog_rules import early_secrets
from generators.source.workspace import Workspace
from tests import fleets
from tests.tool_needed import needed

Fleet = Callable[..., Result]
BELOW = {"awsRegion": "ap-northeast-1", "autoDiscovery": {"clusterName": "prod-tokyo"}, "image": {"tag": "v1"}, "n": 1}


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ({"awsRegion": "us-east-1"}, ["awsRegion: `us-east-1` is not the cluster's region, `ap-northeast-1`"]),
        (
            {"autoDiscovery": {"clusterName": ""}},
            ["autoDiscovery.clusterName: `` is not the cluster's name, `prod-tokyo`"],
        ),
        ({"autoDiscovery": {"clusterName": "prod-tokyo"}, "image": {"tag": "v2"}, "n": 2, "new": "us-east-1"}, []),
    ],
)
def test_name_and_region_are_not_for_overrides(override: dict[str, object], told: list[str]) -> None:
    found = overruled.findings(fleets.committed().load("prod-tokyo").cluster, BELOW, override)
    assert [f"{dotted(each.path)}: {each.message.partition(':')[0]}" for each in found] == told


@pytest.mark.parametrize(
    ("app", "text", "place"),
    [
        ("cluster-autoscaler", "autoDiscovery:\n  clusterName: dev-tokyo\n", "2:16: autoDiscovery.clusterName"),
        ("fluent-bit", "# By hand.\nregion: us-east-1\n", "2:9: region"),
    ],
)
def test_it_is_told_at_its_line(workspace: Workspace, fleet: Fleet, app: str, text: str, place: str) -> None:
    folder = fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))
    (folder / "values").mkdir()
    (folder / "values" / f"{app}.yaml").write_text(text)
    assert fleet("render").exit_code == 0
    result = fleet("validate", "demo")
    assert result.exit_code == 1
    assert f"error: clusters/demo/values/{app}.yaml:{place}: `" in result.output
    assert "hint: take it out: it follows from cluster.yaml" in result.output


@pytest.mark.parametrize(
    ("late", "early"),
    [
        ("external-secrets", "secret-stores"),
        ("secret-stores", "git-credential"),
        ("secret-stores", "kubeflow-pipelines"),
    ],
)
def test_secrets_come_after_their_kinds_and_stores(late: str, early: str) -> None:
    apps = dict(fleets.committed().catalog.apps)
    assert list(early_secrets(apps)) == []
    apps[early] = apps[early].model_copy(update={"wave": apps[late].wave})
    found = dict(early_secrets(apps))
    assert found[early].path == ("wave",)
    assert f"the wave of {late}" in found[early].message


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        ("templates/daemon-set.yaml", "name: {{ .R", "name: {{{ .R", "templates/daemon-set.yaml:4:1: helm template "),
        ("values.yaml", "tag: 3.4.8", "tag: latest", "values.yaml:10:8: image.tag: must not be "),
        ("values.yaml", "tag: 3.4.8", "tagg: 3.4.8", "values.yaml:10:9: image.tagg: is not a known field"),
    ],
)
def test_a_chart_of_ours_is_told_at_its_own_line(
    workspace: Workspace, fleet: Fleet, path: str, old: str, new: str, told: str
) -> None:
    needed("helm")
    fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))
    assert fleet("render").exit_code == 0
    file = workspace.root / "charts" / "fluent-bit" / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    assert f"error: charts/fluent-bit/{told}" in fleet("validate", "demo").output
