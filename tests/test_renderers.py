"""What the rendered tree promises, on the committed clusters and on ones made for the purpose."""

from __future__ import annotations

import json
import re
from typing import Any

import _jsonnet
import pytest
import yaml

from generators.model.catalog import Inputs
from generators.output import yaml_text
from generators.pipeline import fleet
from generators.renderers import argocd, manifests, render
from generators.source.workspace import Workspace
from tests import fleets

CLUSTERS = ["dev-tokyo", "prod-tokyo"]


@pytest.fixture(params=CLUSTERS)
def inputs(request: pytest.FixtureRequest) -> Inputs:
    return fleets.committed().load(request.param)


def applications(inputs: Inputs) -> dict[str, Any]:
    tree = argocd.render(inputs)
    return {path: document for path, document in tree.items() if "project" not in path}


def test_every_application_heals_prunes_and_is_guarded_against_mass_deletion(inputs: Inputs) -> None:
    for application in applications(inputs).values():
        policy = application["spec"]["syncPolicy"]
        assert policy["automated"] == {"prune": True, "selfHeal": True, "allowEmpty": False}
        assert {"ServerSideApply=true", "FailOnSharedResource=true"} <= set(policy["syncOptions"])
        assert policy["retry"]["limit"] == -1
        assert "Delete=confirm" in application["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]


def test_root_prunes_no_application_and_leaves_itself_out(inputs: Inputs) -> None:
    found = applications(inputs)
    assert found.pop("argocd/root.yaml")["spec"]["source"]["directory"] == {"exclude": "root.yaml"}
    for application in found.values():
        assert "Prune=false" in application["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]


def test_finalizers_are_where_removal_is_harmless(inputs: Inputs) -> None:
    found = {path: bool(each["metadata"].get("finalizers")) for path, each in applications(inputs).items()}
    assert found["argocd/root.yaml"] is False
    assert found["argocd/coredns.yaml"] is False
    assert found["argocd/cluster-autoscaler.yaml"] is True


def projects(inputs: Inputs) -> dict[str, Any]:
    tree: Any = argocd.render(inputs)
    found = [each for path, each in tree.items() if path.startswith("argocd/project-")]
    return {each["metadata"]["name"]: each["spec"] for each in found}


def test_each_application_is_allowed_by_its_project_and_nothing_by_a_wildcard(inputs: Inputs) -> None:
    found = projects(inputs)
    assert "*" not in str(found)
    for path, application in applications(inputs).items():
        body = application["spec"]
        project = found[body["project"]]
        own = "argo-cd" if body["destination"]["namespace"] == "argocd" else "fleet"
        assert body["project"] == ("bootstrap" if path == "argocd/root.yaml" else own)
        assert body["destination"] in project["destinations"]
        for source in body.get("sources", [body.get("source")]):
            assert source["repoURL"] in project["sourceRepos"]


def test_apps_cannot_make_applications_and_root_can_make_nothing_else(inputs: Inputs) -> None:
    found = projects(inputs)
    assert "argocd" not in {each["namespace"] for each in found["fleet"]["destinations"]}
    assert [each["namespace"] for each in found["argo-cd"]["destinations"]] == ["argocd"]
    assert {each["kind"] for each in found["argo-cd"]["namespaceResourceBlacklist"]} >= {"Application", "AppProject"}
    assert found["bootstrap"]["clusterResourceWhitelist"] == []
    assert {each["kind"] for each in found["bootstrap"]["namespaceResourceWhitelist"]} == {"Application", "AppProject"}


def test_an_app_that_is_turned_off_may_still_be_removed(workspace: Workspace) -> None:
    """What Argo CD may no longer touch, it leaves behind."""
    text = fleets.text().replace("prod-tokyo", "demo")
    fleets.add(workspace, "demo", text)
    before = projects(fleet.read(workspace).load("demo"))
    (workspace.clusters / "demo" / "cluster.yaml").write_text(text[: text.index("  gpu-inference:")])
    assert projects(fleet.read(workspace).load("demo")) == before


def test_system_apps_sync_before_workloads(inputs: Inputs) -> None:
    waves = {
        path: int(each["metadata"]["annotations"].get("argocd.argoproj.io/sync-wave", 0))
        for path, each in applications(inputs).items()
    }
    assert waves["argocd/coredns.yaml"] < waves["argocd/cluster-autoscaler.yaml"] < waves["argocd/gpu-inference.yaml"]


def test_values_files_are_listed_by_name_and_each_exists(inputs: Inputs) -> None:
    for application in applications(inputs).values():
        for source in application["spec"].get("sources", []):
            for path in source.get("helm", {}).get("valueFiles", []):
                assert path.startswith("$values/")
                assert (fleets.ROOT / path.removeprefix("$values/")).is_file(), path


def test_an_override_by_hand_comes_last(workspace: Workspace) -> None:
    folder = fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))
    (folder / "values").mkdir()
    (folder / "values" / "cluster-autoscaler.yaml").write_text("replicaCount: 1\n")
    found = argocd.value_files(fleet.read(workspace).load("demo"), "cluster-autoscaler")
    assert found == [
        "apps/cluster-autoscaler/values.yaml",
        "clusters/demo/generated/values/cluster-autoscaler.yaml",
        "clusters/demo/values/cluster-autoscaler.yaml",
    ]


def test_one_identity_reaches_terraform_and_the_service_account(inputs: Inputs) -> None:
    tree: Any = render(inputs)
    declared = tree["terraform/cluster.tfvars.json"]["identities"]
    values = tree["values/cluster-autoscaler.yaml"]["rbac"]["serviceAccount"]
    arn = values["annotations"]["eks.amazonaws.com/role-arn"]
    facts = declared[arn.rpartition("/")[2]]
    assert (facts["namespace"], facts["service_account"]) == ("kube-system", values["name"])
    rendered = str(
        [document for path, document in tree.items() if path.startswith(("manifests/", "overlays/", "values/"))]
    )
    annotated = re.findall(r"'eks\.amazonaws\.com/role-arn': 'arn:aws:iam::\d+:role/([^']+)'", rendered)
    assert sorted(annotated) == sorted(declared)


def test_the_autoscaler_prefers_spot_and_runs_its_clusters_minor(inputs: Inputs) -> None:
    values: Any = render(inputs)["values/cluster-autoscaler.yaml"]
    spot = [name for name, group in inputs.cluster.node_groups.items() if group.capacity == "spot"]
    assert len(values["expanderPriorities"]["50"]) == len(spot)
    assert values["image"]["tag"].startswith(f"v{inputs.cluster.kubernetes}.")


def test_every_yaml_document_is_read_back_as_it_was_meant(inputs: Inputs) -> None:
    for path, document in render(inputs).items():
        if path.endswith(".yaml"):
            assert yaml.safe_load(yaml_text.dump(document)) == document, path


def test_terraform_gets_all_labels_and_taints_that_pods_select(inputs: Inputs) -> None:
    tree: Any = render(inputs)
    groups = tree["terraform/cluster.tfvars.json"]["node_groups"].values()
    selector = tree["overlays/coredns/deployment.yaml"]["spec"]["template"]["spec"]["nodeSelector"]
    matching = [group for group in groups if selector.items() <= group["labels"].items()]
    assert {group["role"] for group in matching} == {"system"}
    assert any(group["capacity_type"] == "ON_DEMAND" and group["min_size"] >= 1 for group in matching)


def test_the_reference_jsonnet_makes_the_same_of_a_cluster(inputs: Inputs) -> None:
    folder = fleets.ROOT / "apps"
    rendered = render(inputs)
    for name, app in inputs.apps().items():
        if app.kind == "jsonnet":
            facts = json.dumps(manifests.argument(inputs, name, app))
            path = str(folder / name / "main.jsonnet")
            objects = json.loads(_jsonnet.evaluate_file(path, tla_codes={"cluster": facts}))
            ours = [document for path, document in rendered.items() if path.startswith(f"manifests/{name}/")]
            assert sorted(map(str, ours)) == sorted(map(str, objects))
