"""What would stop the bootstrap at the end of an apply is told with the plan."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from generators.source.workspace import Workspace
from scripts import ahead
from scripts.target import Target
from tests.aws.server import serving
from tests.tiny_root import ACCOUNT, REGION, tiny_root

BOOTSTRAP = 'resource "terraform_data" "bootstrap" { count = var.argocd.bootstrap ? 1 : 0 }\n'
NEW = {
    "resource_changes": [{"address": each, "change": {"actions": ["create"]}} for each in (ahead.HOOK, ahead.CLUSTER)]
}
LATER = {"resource_changes": NEW["resource_changes"][:1]}
ROLE = "PlatformAdmin"


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """AWS's stand-in, asked by the role that administers the cluster, on a machine with all tools."""
    for name in ("kubectl", "helm"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    with serving(ACCOUNT) as found:
        session: Any = boto3.Session("test", "test", region_name=REGION)
        sts = session.client("sts", endpoint_url=found)
        keys = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/team/{ROLE}", RoleSessionName="ada")["Credentials"]
        settings = {"AWS_ENDPOINT_URL": found, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
        settings |= {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"]}
        settings |= {"AWS_SESSION_TOKEN": keys["SessionToken"], "FLEET_TOOLS": str(tmp_path)}
        for key, value in settings.items():
            monkeypatch.setenv(key, value)
        monkeypatch.delenv("FLEET_KUBECONFIG", raising=False)
        yield found


def target(workspace: Workspace, *, role: str = ROLE, public: bool = True) -> Target:
    access = {
        "admin_role_arns": [f"arn:aws:iam::{ACCOUNT}:role/other/{role}"],
        "public_endpoint": {"enabled": public, "cidrs": ["203.0.113.0/24"] * public},
    }
    return Target(workspace, "demo", {"account_id": ACCOUNT, "region": REGION, "access": access})


@pytest.mark.usefixtures("url")
def test_nothing_is_said_where_nothing_is_amiss(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    ahead.warn(target(workspace), NEW)
    ahead.warn(target(workspace, role="Other", public=False), {"resource_changes": []})
    # A machine that reached it once may reach it again.
    ahead.warn(target(workspace, public=False), LATER)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("url")
def test_a_role_that_may_not_enter_and_an_endpoint_that_nobody_reaches(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead.warn(target(workspace, role="Other", public=False), NEW)
    said = capsys.readouterr().err
    assert f"assumed-role/{ROLE}/ada is none of access.admins" in said
    assert "within the new VPC only" in said
    assert ahead.HOW_TO in said
    monkeypatch.setenv("FLEET_KUBECONFIG", "tunnel")
    ahead.warn(target(workspace, role="Other", public=False), NEW)
    assert capsys.readouterr().err == "", "a kubeconfig that was given has its own way in"


@pytest.mark.usefixtures("url")
def test_missing_tools(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "helm").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("generators.tools.binaries.MODULES", ())
    ahead.warn(target(workspace), NEW)
    said = capsys.readouterr().err
    assert "helm is not installed on this machine" in said
    assert "kubectl" not in said


def test_make_plan_tells_it(workspace: Workspace) -> None:
    with tiny_root(workspace) as root:
        root.write("main.tf", BOOTSTRAP)
        root.add("demo")
        planned = root("infrastructure", "plan", "demo")
        assert planned.returncode == 0, planned.stderr
        assert "is none of access.admins" in planned.stderr
        root.set("demo", **{"apps__argo-cd__bootstrap": "false"})
        assert "access.admins" not in root("infrastructure", "plan", "demo").stderr
