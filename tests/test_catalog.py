"""Mistakes in the catalogue are told at their place in app.yaml; objects that leave their app's bounds are found."""

from __future__ import annotations

import re

import pytest

from generators.checks import scope
from generators.errors import FleetError
from generators.pipeline import fleet
from generators.pipeline.render import render_cluster
from generators.pipeline.validate import validate_cluster
from generators.source.workspace import Workspace
from tests import fleets

MINIMAL = """\
description: An app for tests
owner: platform
namespace: tests
kind: helm
chart: {repository: https://charts.example.com, name: sample, version: 1.2.3}
wave: 0
pod_security: restricted
"""
IDENTITY = """\
identities:
  reader:
    values_path: serviceAccount
    statements:
      - {actions: [s3:GetObject], resources: [RESOURCE]}
"""


def identity(resource: str) -> str:
    return "wave: 0\n" + IDENTITY.replace("RESOURCE", f'"{resource}"')


def told(workspace: Workspace, text: str, name: str = "sample") -> str:
    folder = workspace.root / "apps" / name
    folder.mkdir()
    (folder / "app.yaml").write_text(text)
    with pytest.raises(FleetError) as caught:
        fleet.read(workspace)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "kind: helm\n",
            "kind: jsonnet\n",
            "sample/app.yaml:4:7: kind: an app of kind jsonnet needs apps/sample/main.jsonnet",
        ),
        ("kind: helm\n", "kind: kustomize\n", "an app of kind kustomize needs apps/sample/base/kustomization.yaml"),
        ("kind: helm\n", "kind: jsonnet\n", ":5:1: chart: belongs to kind helm, and this app's kind is jsonnet"),
        ("chart: {", "colour: {", "sample/app.yaml:5:1: colour: is not a known key"),
        ("version: 1.2.3", "version: 1.2", ":5:72: chart.version: must be a text, and YAML reads 1.2 as a number"),
        ("version: 1.2.3", "version: ^1.2.3", "`^1.2.3` is not an exact chart version"),
        ("repository: https://", "repository: http://", "is not an https:// URL, or the path of an OCI registry"),
        ("repository: https://", "repository: oci://", "is not an https:// URL, or the path of an OCI registry"),
        (
            "wave: 0\n",
            identity("arn:x").replace("s3:GetObject", '"s3:*"'),
            "`s3:*` is not the full name of an action of an AWS service",
        ),
        ("pod_security: restricted\n", "", "namespace: `tests` is made by this app and needs a `pod_security`"),
        ("namespace: tests", "namespace: kube-system", "pod_security: `kube-system` belongs to Kubernetes"),
        (
            "wave: 0\n",
            identity("*"),
            "resources: allows every resource without a reason",
        ),
        ("wave: 0\n", identity("arn:{buket}"), "`{buket}` stands for nothing"),
        (
            "wave: 0\n",
            identity("arn:x").replace("    values_path: serviceAccount\n", ""),
            "each helm identity needs one",
        ),
    ],
)
def test_a_mistake_in_an_app_file_is_told(workspace: Workspace, old: str, new: str, message: str) -> None:
    assert message in told(workspace, MINIMAL.replace(old, new))


def test_a_namespace_has_one_level_of_pod_security(workspace: Workspace) -> None:
    message = told(
        workspace, MINIMAL.replace("namespace: tests", "namespace: gpu-inference").replace("restricted", "baseline")
    )
    what = "sample/app.yaml:7:15: pod_security: apps/gpu-inference/app.yaml has `restricted` for the same namespace"
    assert what in message


@pytest.mark.parametrize("name", ["root", "project-fleet", "project-argo-cd", "project-bootstrap"])
def test_names_of_argocds_own_files_are_taken(workspace: Workspace, name: str) -> None:
    assert f"`{name}` is taken in generated/argocd/" in told(workspace, MINIMAL, name)


def test_problems_of_defaults_and_apps_come_together(workspace: Workspace) -> None:
    defaults = workspace.clusters / "defaults.yaml"
    defaults.write_text(defaults.read_text().replace('kubernetes: "1.35"', "kubernetes: 1.35"))
    message = told(workspace, MINIMAL.replace("wave: 0", "wave: zero"))
    assert "apps/sample/app.yaml:6:7: wave: must be a whole number" in message
    assert "clusters/defaults.yaml:7:13: kubernetes: must be a text" in message


def test_objects_stay_in_their_namespace_and_declared_kinds() -> None:
    coredns = fleets.committed().catalog.apps["coredns"]

    def findings(kind: str, api: str, namespace: str | None) -> list[str]:
        metadata = {"name": "x", **({"namespace": namespace} if namespace else {})}
        return [
            each.message
            for each in scope.findings("coredns", coredns, {"apiVersion": api, "kind": kind, "metadata": metadata})
        ]

    assert findings("ClusterRole", "rbac.authorization.k8s.io/v1", None) == []
    assert findings("Service", "v1", "kube-system") == []
    assert findings("Service", "v1", "default") == ["`default` is not the app's namespace"]
    assert findings("Service", "v1", None) == ["`None` is not the app's namespace"]
    assert findings("PriorityClass", "scheduling.k8s.io/v1", None) == [
        "`scheduling.k8s.io/PriorityClass` is cluster-scoped and not declared"
    ]


def test_an_app_without_an_index_of_its_chart_cannot_be_validated(workspace: Workspace) -> None:
    folder = workspace.root / "apps" / "sample"
    folder.mkdir()
    (folder / "app.yaml").write_text(MINIMAL)
    (folder / "values.yaml").write_text("a: 1\n")
    fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo") + "  sample: {}\n")
    found = fleet.read(workspace)
    assert render_cluster(found, "demo", "write").problems == []
    problems = "\n".join(map(str, validate_cluster(found, "demo").problems))
    told = "chart.version: the values of sample 1.2.3 cannot be checked: there is no index"
    assert re.search(rf"apps/sample/app\.yaml:\d+:\d+: {re.escape(told)}", problems)
    assert "hint: run `fleet charts index sample 1.2.3`" in problems


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{ a: 1 }", "returns dict, not a list"),
        ("null", "returns NoneType, not a list"),
        ("[1]", "object [0] has no kind that could name a file: `None`"),
        ("[{ kind: 'A' }]", "object [0] has no metadata.name that could name a file: `None`"),
        (
            "[{ kind: 'A', metadata: { name: '../../../evil' } }]",
            "metadata.name that could name a file: `../../../evil`",
        ),
        (
            "[{ kind: 'A', metadata: { name: 'x' } } for n in [1, 2]]",
            "makes two objects for manifests/gpu-inference/a-x.yaml",
        ),
        ("error 'boom'", "main.jsonnet:1:19: runtime error: boom"),
        ("import 'gone.libsonnet'", "apps/gpu-inference/gone.libsonnet is not there"),
        ("local f(x) = f(x + 1); f(1)", "stack overflow"),
        ("", "syntax error"),
    ],
)
def test_jsonnet_that_makes_no_objects_is_refused(workspace: Workspace, body: str, message: str) -> None:
    (workspace.root / "apps" / "gpu-inference" / "main.jsonnet").write_text(f"function(cluster) {body}")
    fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))
    outcome = render_cluster(fleet.read(workspace), "demo", "write")
    assert message in "\n".join(map(str, outcome.problems))
    assert [path.name for path in (workspace.clusters / "demo").iterdir()] == ["cluster.yaml"]
    assert not list(workspace.root.rglob("evil*"))
