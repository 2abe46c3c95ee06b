"""Contract: an IAM role and its ServiceAccount come from one declaration, and what is rendered agrees, both ways."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from generators.errors import FleetError
from generators.pipeline import fleet
from generators.pipeline.render import render_cluster
from generators.pipeline.validate import Report, shared_roles, validate_cluster
from generators.source.workspace import Workspace
from tests import fleets
from tests.tool_needed import needed


@pytest.fixture
def demo(workspace: Workspace) -> Path:
    return fleets.add(workspace, "demo", fleets.text().replace("prod-tokyo", "demo"))


def told(workspace: Workspace) -> str:
    found = fleet.read(workspace)
    assert render_cluster(found, "demo", "write").problems == []
    return "\n".join(map(str, validate_cluster(found, "demo").problems))


@pytest.mark.usefixtures("demo")
def test_an_annotation_that_nobody_declared_is_found(workspace: Workspace) -> None:
    main = workspace.root / "apps" / "gpu-inference" / "main.jsonnet"
    main.write_text(main.read_text().replace("+ (if groups == []", "+ [extra] + (if groups == []", 1))
    main.write_text(
        "local extra = {apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name: 'sly', namespace: 'gpu-inference', "
        "annotations: {'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/Admin'}}};\n" + main.read_text()
    )
    message = told(workspace)
    assert "serviceaccount-sly.yaml" in message
    assert (
        "names the role `arn:aws:iam::123456789012:role/Admin`, which no app.yaml declares for gpu-inference/sly"
        in message
    )


@pytest.mark.usefixtures("demo")
def test_a_declaration_without_its_service_account_is_found(workspace: Workspace) -> None:
    needed("kustomize")
    app = workspace.root / "apps" / "coredns" / "app.yaml"
    app.write_text(
        app.read_text() + "identities:\n  coredns:\n    statements: [{actions: [s3:ListBucket], resources: [x]}]\n"
    )
    message = told(workspace)
    assert "apps/coredns/base/service-account.yaml" in message or "generated/overlays/coredns" in message
    assert "is missing: nothing gives the pods of kube-system/coredns the role `demo-kube-system-coredns`" in message


def test_an_override_that_renames_the_service_account_is_found(workspace: Workspace, demo: Path) -> None:
    (demo / "values").mkdir()
    (demo / "values" / "cluster-autoscaler.yaml").write_text("rbac:\n  serviceAccount:\n    name: other\n")
    message = told(workspace)
    assert (
        "clusters/demo/values/cluster-autoscaler.yaml:3:11: rbac.serviceAccount.name: `other` is not the name that its "
        "role trusts, `cluster-autoscaler`"
    ) in message


@pytest.mark.usefixtures("demo")
def test_two_apps_cannot_share_a_service_account(workspace: Workspace) -> None:
    shutil.copytree(workspace.root / "apps" / "gpu-inference", workspace.root / "apps" / "gpu-two")
    with pytest.raises(
        FleetError, match=r"apps/gpu-inference/app.yaml declares ServiceAccount gpu-inference/gpu-inference"
    ):
        fleet.read(workspace)


def test_variables_of_iam_are_not_ours(workspace: Workspace, demo: Path) -> None:
    app = workspace.root / "apps" / "gpu-inference" / "app.yaml"
    app.write_text(app.read_text().replace("{bucket}/{model_repositories}*", "{bucket}/${aws:PrincipalTag/team}/*"))
    tfvars = str(render_cluster(fleet.read(workspace), "demo", "write").problems)
    assert tfvars == "[]"
    assert "/${aws:PrincipalTag/team}/*" in (demo / "generated" / "terraform" / "cluster.tfvars.json").read_text()


def test_stale_files_are_not_told_as_missing_service_accounts(workspace: Workspace, demo: Path) -> None:
    found = fleet.read(workspace)
    assert render_cluster(found, "demo", "write").problems == []
    app = workspace.root / "apps" / "coredns" / "app.yaml"
    app.write_text(
        app.read_text() + "identities:\n  coredns:\n    statements: [{actions: [s3:ListBucket], resources: [x]}]\n"
    )
    problems = "\n".join(map(str, validate_cluster(fleet.read(workspace), "demo").problems))
    assert "is not what the sources say" in problems
    assert "nothing gives the pods" not in problems
    assert demo.is_dir()


@pytest.mark.usefixtures("demo")
def test_two_identities_whose_role_would_be_one_are_found(workspace: Workspace) -> None:
    """`external` and `secrets-external-secrets` come out as `external-secrets` and `external-secrets` do."""
    app = workspace.root / "apps" / "cluster-autoscaler" / "app.yaml"
    text = app.read_text().replace("namespace: kube-system", "namespace: external\npod_security: restricted")
    app.write_text(text.replace("\n  cluster-autoscaler:\n", "\n  secrets-external-secrets:\n"))
    message = told(workspace)
    assert "identities.external-secrets: its role would be `demo-external-secrets-external-secrets`" in message


def test_two_clusters_of_one_account_whose_role_would_be_one_are_found() -> None:
    reports = [
        Report("demo", account="1", roles=[("demo-a-node", "a/node")]),
        Report("demo-a", account="1", roles=[("demo-a-node", "the nodes")]),
    ]
    ((cluster, problem),) = shared_roles(reports)
    assert cluster == "demo-a"
    assert str(problem).startswith(
        "error: clusters/demo-a/cluster.yaml: name: the role `demo-a-node` of the nodes would"
    )
    assert shared_roles([reports[0], replace(reports[1], account="2")]) == []
