"""The reference facts of upgrades: in order, with sources, and complete for what is pinned here."""

from __future__ import annotations

import json
import os
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from generators.checks.upgrade import objects
from generators.checks.upgrade.values import chart_verdict
from generators.model.support import Component, Series, ordinal, verdict
from generators.pipeline.upgrade import hand_written
from generators.source import support
from generators.source.catalog import DATA
from generators.tools import lifecycle
from generators.tools.crds import Module
from tests import fleets
from tests.tool_needed import needed

MINORS: dict[str, Any] = json.loads((DATA / "minors.json").read_bytes())["minors"]
FACTS = support.load()


@pytest.mark.parametrize("minor", MINORS)
def test_the_facts_of_a_minor_are_its_own(minor: str) -> None:
    facts = MINORS[minor]
    assert facts["cluster_autoscaler"].startswith(f"v{minor}.")
    days = [
        date.fromisoformat(facts[key]) for key in ("on_eks_since", "standard_support_ends", "extended_support_ends")
    ]
    # AWS: fourteen months of standard support, then twelve of extended support.
    assert 14 * 30 <= (days[1] - days[0]).days <= 14 * 31
    assert (days[2] - days[1]).days in (365, 366)


def test_minors_follow_each_other() -> None:
    for one, two in pairwise(MINORS):
        assert ordinal(two)[1] == ordinal(one)[1] + 1
        assert ordinal(MINORS[one]["kernel"]) <= ordinal(MINORS[two]["kernel"])
        assert ordinal(MINORS[one]["coredns"]) <= ordinal(MINORS[two]["coredns"])


@pytest.mark.parametrize("name", FACTS.components)
def test_each_row_of_a_component_has_a_source_and_follows_the_one_before(name: str) -> None:
    rows = FACTS.components[name].series
    for row in rows:
        assert ordinal(row.start) < ordinal(row.before)
        assert row.source
        assert date.fromisoformat(row.date) <= date(2026, 11, 24)
        for minor in (row.oldest, row.newest, *(row.tested or ())):
            assert minor is None or minor == f"1.{ordinal(minor)[1]}"
        if row.tested:
            assert ordinal(row.tested[0]) <= ordinal(row.tested[1])
    assert all(ordinal(one.before) == ordinal(two.start) for one, two in pairwise(rows))


def test_each_chart_that_is_pinned_here_has_a_row() -> None:
    apps = fleets.committed().catalog.apps
    unknown = [
        f"{app.chart.name} {app.chart.version}"
        for app in apps.values()
        if app.chart and (found := chart_verdict(app, "1.36", FACTS)) and found.range == "nothing known"
    ]
    assert not unknown, "add rows to generators/data/support.json, with source and date"


@pytest.mark.parametrize(
    ("version", "minor", "level", "words"),
    [
        ("1.0.0", "1.35", "fits", ""),
        ("v1.4.9-eksbuild.2", "1.35", "fits", ""),
        ("1.5.0", "1.35", "fits", ""),
        ("0.9.0", "1.35", "recommended", "nothing is known"),
        ("2.0.0", "1.35", "recommended", "nothing is known"),
        ("1.0.0", "1.36", "required", "does not support Kubernetes 1.36: up to 1.35"),
        ("1.5.0", "1.33", "required", "does not support Kubernetes 1.33"),
        ("1.5.0", "1.37", "recommended", "is not tested on Kubernetes 1.37: 1.35–1.36 tested"),
        ("1.5.0", "1.34", "recommended", "is not tested on Kubernetes 1.34"),
    ],
)
def test_a_verdict_is_of_the_row_that_speaks_of_the_version(version: str, minor: str, level: str, words: str) -> None:
    old = Series("1.0.0", "1.5.0", "its README", "2026-01-01", newest="1.35")
    new = Series("1.5.0", "2.0.0", "its README", "2026-01-01", oldest="1.34", tested=("1.35", "1.36"))
    found = verdict("tool", Component("chart", "tool", (old, new)), version, minor)
    assert found.level == level
    assert words in found.message
    assert bool(found.hint) == (level != "fits")


def test_a_cure_names_versions_that_fit_and_where_that_is_said() -> None:
    old = Series("1.0.0", "1.5.0", "its README", "2026-01-01", newest="1.35")
    new = Series("1.5.0", "2.0.0", "its tests", "2026-02-02", tested=("1.36", "1.36"))
    component = Component("chart", "tool", (old, new))
    assert verdict("tool", component, "1.0.0", "1.36").hint == (
        "take 1.5.0 or newer, before 2.0.0 (its README, 2026-01-01)"
    )
    assert "the newest known, and try it" in verdict("tool", component, "1.0.0", "1.37").hint
    assert "no version that is tested is known" in verdict("tool", component, "1.5.0", "1.37").hint
    assert "a row of tool" in verdict("tool", None, "1.5.0", "1.37").hint


@pytest.mark.parametrize(
    ("version", "kind", "target", "level"),
    [
        ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "1.31", "recommended"),
        ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "1.32", "required"),
        ("resource.k8s.io/v1beta1", "ResourceClaim", "1.34", None),
        ("resource.k8s.io/v1beta1", "ResourceClaim", "1.35", "recommended"),
        ("storage.k8s.io/v1beta1", "VolumeAttributesClass", "1.36", "recommended"),
        ("storage.k8s.io/v1beta1", "VolumeAttributesClass", "1.37", "required"),
        ("scheduling.k8s.io/v1beta1", "PodGroup", "1.36", "required"),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "1.36", "required"),
        ("policy/v1beta1", "PodSecurityPolicy", "1.36", "required"),
        ("apps/v1", "Deployment", "1.36", None),
        ("example.com/v1beta1", "Ingress", "1.36", None),
    ],
)
def test_an_api_version_is_judged_by_its_minors(version: str, kind: str, target: str, level: str | None) -> None:
    found = objects.api({"apiVersion": version, "kind": kind}, target)
    assert (found.level if found else None) == level


def test_images_are_found_wherever_containers_stand() -> None:
    pod = {"spec": {"containers": [{"image": "a:1"}], "initContainers": [{"image": "b:2"}, {"name": "none"}]}}
    job = {"spec": {"jobTemplate": {"spec": {"template": pod}}}}
    assert [image for _, image in objects.images(job)] == ["a:1", "b:2"]
    assert objects.split("registry.example.com:5000/a/b:v1@sha256:abc") == ("b", "v1")
    assert objects.split("b") == ("b", "")


def test_the_line_nearest_to_the_object_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "apps" / "coredns" / "base"
    folder.mkdir(parents=True)
    (folder / "all.yaml").write_text(
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: one}\n---\n"
        "  # apiVersion: batch/v1beta10\napiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: two}\n"
    )
    app = fleets.committed().catalog.apps["coredns"]
    one = hand_written.find(tmp_path, "coredns", app, ["batch/v1beta1"], ["CronJob", "one"])
    two = hand_written.find(tmp_path, "coredns", app, ["batch/v2", "batch/v1beta1"], ["CronJob", "two"])
    assert (str(one), str(two)) == ("apps/coredns/base/all.yaml:1:13", "apps/coredns/base/all.yaml:6:13")
    assert hand_written.find(tmp_path, "coredns", app, ["batch/v1beta"], []) is None


def test_a_tag_is_found_on_the_line_of_its_image(tmp_path: Path) -> None:
    folder = tmp_path / "apps" / "coredns" / "base"
    folder.mkdir(parents=True)
    names = ("kfp-frontend", "kfp-api-server", "kfp-persistence-agent")
    lines = [f"  - {{name: x, newName: ghcr.io/kubeflow/{name}, newTag: 2.17.0}}" for name in names]
    (folder / "kustomization.yaml").write_text("images:\n" + "\n".join(lines))
    app = fleets.committed().catalog.apps["coredns"]
    words = ["Deployment", "ml-pipeline", "kfp-api-server"]
    found = hand_written.find(tmp_path, "coredns", app, ["ghcr.io/kubeflow/kfp-api-server:2.17.0", "2.17.0"], words)
    assert found is not None
    assert found.line == 3


MARKS = """
func (in *Bell) APILifecycleIntroduced() (major, minor int) {
	return 1, 20
}

func (in *Bell) APILifecycleDeprecated() (major, minor int) {
	return 1, 23
}

func (in *Bell) APILifecycleRemoved() (major, minor int) {
	return 1, 26
}

func (in *BellList) APILifecycleRemoved() (major, minor int) {
	return 1, 26
}
"""
REGISTER = """
const GroupName = "example.com"
var SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: "VERSION"}
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two modules with marks; the older one knows a version that the newer one has forgotten."""
    ours = (Module("example.com/api", "v2", "h1:x", "MIT"), Module("example.com/api", "v1", "h1:x", "MIT"))
    for module, versions in zip(ours, (("v1", "v1beta1"), ("v1alpha1", "v1beta1")), strict=True):
        for version in versions:
            folder = tmp_path / module.version / version
            folder.mkdir(parents=True)
            marks = MARKS.replace("1, 20", "1, 19" if module.version == "v1" else "1, 20")
            kept = marks.split("\n\n")[0] + "\n" if version == "v1" else marks
            (folder / "zz_generated.prerelease-lifecycle.go").write_text(kept)
            (folder / "register.go").write_text(REGISTER.replace("VERSION", version))
    monkeypatch.setattr(lifecycle, "MODULES", ours)
    monkeypatch.setattr(lifecycle, "folder", lambda module: tmp_path / module.version)
    monkeypatch.setattr(lifecycle, "FILE", tmp_path / "made.json")
    return tmp_path


def test_the_table_is_made_of_the_marks(modules: Path) -> None:
    assert lifecycle.main([]) == 0
    made = json.loads((modules / "made.json").read_text())
    marks = {"introduced": "1.20", "deprecated": "1.23", "removed": "1.26", "replacement": "example.com/v1"}
    assert made["apis"] == {
        "example.com/v1alpha1 Bell": marks | {"introduced": "1.19"},
        "example.com/v1beta1 Bell": marks,
    }
    assert made["meta"]["sources"][0].startswith("example.com/api@v2 (MIT)")
    assert lifecycle.main(["--check"]) == 0
    (modules / "made.json").write_text("{}")
    assert lifecycle.main(["--check"]) == 1
    assert lifecycle.main(["--chek"]) == 2


def test_the_table_is_that_of_the_pinned_modules(capfd: pytest.CaptureFixture[str]) -> None:
    needed("go")
    code = lifecycle.main(["--check"])
    said = capfd.readouterr().err
    if code == 2 and not os.environ.get("CI"):
        pytest.skip(said)
    assert code == 0, said
