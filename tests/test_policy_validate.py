"""`fleet validate` names file, line and cure of what breaks policy in a checkout; exceptions, needed and stale."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from generators.errors import Place
from generators.pipeline.origins import Origins, Template
from generators.source.workspace import Workspace
from tests import fleets
from tests.tool_needed import needed

Fleet = Callable[..., Result]
DEPLOYMENT = "apps/coredns/base/deployment.yaml"
BUDGET = "apps/coredns/base/pod-disruption-budget.yaml"
ROLE = "apps/coredns/base/cluster-role.yaml"
SERVER = "clusters/demo/generated/manifests/gpu-inference/daemonset-server-gpu-t4.yaml"


@pytest.fixture(autouse=True)
def demo(workspace: Workspace) -> Path:
    needed("kustomize")
    return fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))


def change(workspace: Workspace, file: str, old: str, new: str) -> None:
    path = workspace.root / file
    text = path.read_text()
    assert text.count(old) == 1, f"{file} holds `{old}` {text.count(old)} times"
    path.write_text(text.replace(old, new))


def told(fleet: Fleet, *names: str) -> str:
    assert fleet("render").exit_code == 0
    result = fleet("validate", *names)
    assert result.exit_code in (0, 1)
    return result.output


def position(workspace: Workspace, file: str, text: str) -> str:
    """file:line:column of a text that stands once in a file."""
    lines = (workspace.root / file).read_text().splitlines()
    ((line, column),) = [(number, each.index(text)) for number, each in enumerate(lines) if text in each]
    return f"{file}:{line + 1}:{column + 1}"


@pytest.mark.parametrize(
    ("file", "old", "new", "rule", "cure"),
    [
        (DEPLOYMENT, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "restricted", "set allow"),
        (DEPLOYMENT, "runAsUser: 65532", "runAsUser: 0", "restricted", "take it away"),
        (BUDGET, "maxUnavailable: 1", "maxUnavailable: 0%", "budget", "allow 1 at least"),
        (ROLE, "resources: [endpointslices]", 'resources: ["*"]', "rbac-wildcard", "name the resources"),
        (ROLE, "resources: [namespaces, services]", "resources: [secrets]", "rbac-escalation", "leave it out"),
    ],
)
def test_a_built_object_is_told_at_the_line_of_its_base(
    workspace: Workspace, fleet: Fleet, file: str, old: str, new: str, rule: str, cure: str
) -> None:
    change(workspace, file, old, new)
    message = told(fleet)
    (line,) = [each for each in message.splitlines() if f"[{rule}]" in each]
    at = position(workspace, file, new.strip())
    assert line.startswith(f"error: {at.rpartition(':')[0]}:"), at
    assert f"hint: {cure}" in message


def test_what_jsonnet_made_is_told_at_its_line_and_all_at_once(workspace: Workspace, fleet: Fleet) -> None:
    change(workspace, "apps/lib/pod.libsonnet", "requests: fixed { cpu: '%dm' % r.cpu }", "requests: fixed")
    change(
        workspace,
        "clusters/demo/cluster.yaml",
        "  gpu-inference:\n",
        "  gpu-inference:\n    server_image: example/triton:latest\n",
    )
    message = told(fleet)
    image = position(workspace, SERVER, "image: example/triton:latest")
    line = int(image.split(":")[1])
    for rule in ("image-tag", "image-registry"):
        (found,) = [each for each in message.splitlines() if f"[{rule}]" in each]
        assert found.startswith(f"error: {SERVER}:{line}:")
    unasked = [each for each in message.splitlines() if "[requests]" in each]
    manifests = (workspace.clusters / "demo" / "generated" / "manifests").glob("gpu-inference/*.yaml")
    asking = sum(path.read_text(encoding="utf-8").count("memory: ") for path in manifests) // 2  # a request and a limit
    assert len(unasked) == asking > 3
    assert "requests no cpu" in unasked[0]


def test_a_node_group_that_is_gone_is_told_with_the_labels_that_are_left(workspace: Workspace, fleet: Fleet) -> None:
    change(workspace, "apps/lib/pod.libsonnet", "nodeSelector: nodes[0]", "nodeSelector: { pool: 'nvme' }")
    message = told(fleet)
    at = position(workspace, SERVER, "pool: nvme")
    assert f"{at.rpartition(':')[0]}:" in message
    assert "no node group has the label `pool=nvme`: its pods wait for ever [node-selector]" in message
    assert "hint: labels here: eks.amazonaws.com/capacityType, " in message


def test_an_exception_that_goes_is_missed_and_one_for_nothing_is_stale(workspace: Workspace, fleet: Fleet) -> None:
    assert "1 cluster valid" in told(fleet)
    change(workspace, "apps/coredns/app.yaml", "Service/kube-dns:", "Service/dns:")
    message = told(fleet)
    assert "base/service.yaml:16:3: Service/kube-dns: spec.selector: leads to Deployment/coredns" in message
    assert "or say why in apps/coredns/app.yaml: `exceptions: {network-policy: {Service/kube-dns: …}}`" in message
    place = position(workspace, "apps/coredns/app.yaml", "every pod of the cluster asks it")
    stale = f"error: {place}: exceptions.network-policy.Service/dns: no object needs this exception on any cluster"
    assert stale in message
    assert "no object needs" not in told(fleet, "demo"), "another cluster may need it"


def test_an_exception_that_one_cluster_needs_is_not_stale(workspace: Workspace, fleet: Fleet) -> None:
    """Only clusters with model servers have their Service."""
    fleets.add(workspace, "other", fleets.text("dev-tokyo").replace("dev-tokyo", "other"))
    change(workspace, "apps/lib/kube.libsonnet", "policyTypes: ['Ingress', 'Egress']", "policyTypes: ['Egress']")
    assert "Service/server: spec.selector: leads to DaemonSet/server-gpu-t4" in told(fleet)
    path = workspace.root / "apps/gpu-inference/app.yaml"
    path.write_text(path.read_text() + "exceptions: {network-policy: {Service/server: A reason.}}\n")
    assert "2 clusters valid" in told(fleet)
    assert "1 cluster valid" in told(fleet, "other")


def test_an_exception_from_a_rule_that_takes_none_is_refused(workspace: Workspace, fleet: Fleet) -> None:
    change(workspace, "apps/coredns/app.yaml", "  network-policy:", "  network-polici:")
    result = fleet("validate")
    assert result.exit_code == 2
    assert "apps/coredns/app.yaml:" in result.output
    assert "did you mean `network-policy`?" in result.output


def test_without_kustomize_no_exception_is_called_stale(
    workspace: Workspace, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fleet("render").exit_code == 0
    monkeypatch.setattr("generators.tools.binaries.find", lambda _: None)
    result = fleet("validate")
    assert "not built" in result.output
    assert "no object needs" not in result.output
    assert workspace.root.is_dir()


def test_a_mistake_in_what_clusters_share_is_told_once(workspace: Workspace, fleet: Fleet) -> None:
    other = fleets.text("dev-tokyo").replace("dev-tokyo", "other")
    fleets.add(workspace, "other", other)
    change(workspace, BUDGET, "maxUnavailable: 1", "maxUnavailable: 0")
    message = told(fleet)
    assert message.count("[budget]") == 1
    assert "1 problem in 2 clusters" in message
    rows = json.loads(fleet("validate", "--output", "json").stdout)
    assert [len(row["problems"]) for row in rows] == [1, 1]


def test_a_part_is_found_by_its_name_in_base_or_patch(tmp_path: Path) -> None:
    base, overlay = tmp_path / "base", tmp_path / "overlay"
    for folder, text in (
        (base, "kind: A\nmetadata: {name: a}\nspec:\n  items:\n    - {name: one, x: 1}\n    - {name: two, x: 1}\n"),
        (base, "# two objects\nkind: B\nmetadata: {name: b}\n---\nkind: B\nmetadata: {name: c}\nspec: {x: 1}\n"),
        (overlay, "kind: A\nmetadata: {name: a}\nspec:\n  items:\n    - {name: two, x: 2}\n"),
    ):
        folder.mkdir(exist_ok=True)
        (folder / f"{len(list(folder.iterdir()))}.yaml").write_text(text)
    origins = Origins(((base, "base"), (overlay, "overlay")))
    built: dict[str, object] = {
        "kind": "A",
        "metadata": {"name": "a"},
        "spec": {"items": [{"name": "two", "x": 2}, {"name": "one", "x": 1}]},
    }
    assert str(origins.place(built, ("spec", "items", 0, "x"))) == "overlay/0.yaml:5:22"
    assert str(origins.place(built, ("spec", "items", 1, "x"))) == "base/0.yaml:5:22"
    assert str(origins.place(built, ("spec", "items", 1, "y"))) == "base/0.yaml:5:7"
    other: dict[str, object] = {"kind": "B", "metadata": {"name": "c"}, "spec": {"x": 1}}
    assert str(origins.place(other, ("spec", "x"))) == "base/1.yaml:7:11"
    assert origins.place({"kind": "C"}, ("spec",)) is None


def test_a_template_is_told_with_the_line_of_a_key_that_stands_once(tmp_path: Path) -> None:
    file = tmp_path / "deployment.yaml"
    file.write_text(
        "kind: Deployment\nspec:\n  {{- if .Values.x }}\n  - name: a\n    image: b\n  - name: c\n  {{- end }}\n"
    )
    template = Template(file, "charts/a/templates/deployment.yaml")

    def line(*path: str | int) -> Place:
        return template.place({}, path)

    assert line("spec", "containers", 0, "image") == Place(template.shown, 5, 5)
    assert line("spec", "containers", 1, "name") == Place(template.shown, 2, 1)
    assert line("metadata", "labels") == Place(template.shown)
    file.unlink()
    assert line("spec") == Place(template.shown)
