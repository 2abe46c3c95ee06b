"""The way to an installation. kubectl is a stand-in, a process of its own: a port-forward needs a kubelet."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from generators.errors import FleetError
from generators.kubeflow import person, submit, way
from generators.kubeflow.submit import Door
from generators.model import names
from generators.model.catalog import Inputs
from generators.pipeline import fleet
from generators.source.workspace import Workspace
from generators.tools.kubectl import of_person
from tests.fleets import ROOT
from tests.kfp_api import Installation, serving

KUBECTL = """
import json, os, pathlib, sys, time
place = pathlib.Path(__file__).parent
with (place / "calls").open("a") as calls:
    print(json.dumps(sys.argv[1:]), file=calls)
plan = json.loads((place / "plan").read_text())
if "port-forward" in sys.argv:
    (place / "pid").write_text(str(os.getpid()))
    print(plan["forward"], flush=True)
    print(plan.get("error", ""), file=sys.stderr)
    time.sleep(plan.get("seconds", 60))
    sys.exit(1)
print(plan.get("bucket", ""))
print(plan.get("denied", ""), file=sys.stderr)
sys.exit(1 if "denied" in plan else 0)
"""


@dataclass
class Kubectl:
    folder: Path

    def plan(self, **plan: object) -> None:
        (self.folder / "plan").write_text(json.dumps(plan))

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def running(self) -> bool:
        try:
            os.kill(int((self.folder / "pid").read_text()), 0)
        except ProcessLookupError:
            return False
        return True


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    program = tmp_path / "kubectl"
    program.write_text(f"#!{sys.executable}\n{KUBECTL}")
    program.chmod(0o755)
    monkeypatch.setenv("FLEET_TOOLS", str(tmp_path))
    return Kubectl(tmp_path)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return fleet.read(Workspace(ROOT)).load("prod-tokyo")


def test_a_port_forward_lives_as_long_as_it_is_used(kubectl: Kubectl, inputs: Inputs) -> None:
    (kubectl.folder / "config").touch()
    door = Door(kubeconfig=kubectl.folder / "config", context="prod")
    with serving(Installation()) as url:
        port = url.rpartition(":")[2]
        root = f"s3://{names.bucket(inputs.cluster)}/pipelines/artifacts"
        kubectl.plan(bucket=root, forward=f"Forwarding from 127.0.0.1:{port} -> 8888")
        with submit.reached(inputs, door, pytest.fail) as api:
            assert api.call("GET", "/experiments") == {}
            assert kubectl.running()
    assert not kubectl.running()
    config = [f"--kubeconfig={kubectl.folder / 'config'}", "--context=prod"]
    assert [call[:2] for call in kubectl.calls()] == [config, config]
    assert "service/ml-pipeline" in kubectl.calls()[1]
    assert kubectl.calls()[1][-1] == ":8888"


def test_a_kubeconfig_that_leads_to_another_cluster_is_refused(kubectl: Kubectl, inputs: Inputs) -> None:
    kubectl.plan(bucket="s3://dev-bucket/pipelines/artifacts", forward="")
    with (
        pytest.raises(FleetError, match=r"leads to an installation with the bucket dev-bucket, not prod-tokyo"),
        submit.reached(inputs, Door(), pytest.fail),
    ):
        pass
    assert len(kubectl.calls()) == 1


def test_who_may_not_read_the_bucket_is_warned_and_goes_on(kubectl: Kubectl, inputs: Inputs) -> None:
    kubectl.plan(denied="Error from server (Forbidden): configmaps", forward="Forwarding from 127.0.0.1:1 -> 8888")
    said: list[str] = []
    with submit.reached(inputs, Door(), said.append) as api:
        assert api.url == "http://127.0.0.1:1"
    assert said == [
        "warning: cannot read which bucket is behind kubectl; make sure that it leads to prod-tokyo",
    ]


def test_a_port_forward_that_ends_is_told_in_kubectls_words(kubectl: Kubectl, inputs: Inputs) -> None:
    said = 'error: services "ml-pipeline" not found'
    kubectl.plan(denied="Forbidden", forward="", error=said, seconds=0)
    with (
        pytest.raises(FleetError, match=r'kubectl port-forward: services "ml-pipeline" not found\nhint: `aws eks'),
        submit.reached(inputs, Door(), lambda _: None),
    ):
        pass


def test_an_api_server_that_cannot_be_reached_is_told(kubectl: Kubectl, inputs: Inputs) -> None:
    kubectl.plan(denied="The connection to the server localhost:8080 was refused", forward="")
    with (
        pytest.raises(FleetError, match="The connection to the server localhost:8080 was refused"),
        submit.reached(inputs, Door(), pytest.fail),
    ):
        pass


def test_a_port_forward_that_says_nothing_is_given_up(
    kubectl: Kubectl, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(way, "START_SECONDS", 1)
    kubectl.plan(denied="Forbidden", forward="")
    with pytest.raises(FleetError, match="did not forward a port within"), submit.reached(inputs, Door(), print):
        pass
    for _ in range(50):
        if not kubectl.running():
            break
        time.sleep(0.1)
    assert not kubectl.running()


def test_without_kubectl_or_with_a_kubeconfig_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FleetError, match="--kubeconfig: is no file"):
        of_person(tmp_path / "none", "")
    monkeypatch.setattr("generators.tools.binaries.find", lambda _: None)
    with pytest.raises(FleetError, match="kubectl: is not installed"):
        of_person(None, "")


COOKIE = "AWSELBAuthSessionCookie-0=abc; AWSELBAuthSessionCookie-1=def"


def test_with_a_cookie_the_way_is_the_load_balancer(inputs: Inputs) -> None:
    with submit.reached(inputs, Door(cookie=f"Cookie: {COOKIE}\n"), pytest.fail) as api:
        assert (api.url, api.cookie) == ("https://pipelines.inference.example.com", COOKIE)


@pytest.mark.parametrize(
    ("url", "cookie", "words"),
    [
        ("pipelines.example.com", "", "is no URL"),
        ("https://pipelines.example.com/#/runs", "", "is no URL"),
        ("http://pipelines.example.com", COOKIE, "would show the session's cookie"),
        ("https://pipelines.example.com", "session=s3cr3t", "holds no `AWSELBAuthSessionCookie-0=…`"),
        ("https://pipelines.example.com", f"{COOKIE}\r\nHost: s3cr3t", "has odd characters"),
    ],
)
def test_urls_and_cookies_that_cannot_work(url: str, cookie: str, words: str) -> None:
    with pytest.raises(FleetError, match=words) as caught:
        way.given(url, cookie)
    assert "s3cr3t" not in str(caught.value)


def test_a_cookie_file_is_the_persons_own(tmp_path: Path) -> None:
    file = tmp_path / "cookie"
    with pytest.raises(FleetError, match="is no file"):
        way.read_cookie(file, "")
    file.write_text(COOKIE)
    file.chmod(0o644)
    with pytest.raises(FleetError, match="may be read by others\nhint: chmod 600"):
        way.read_cookie(file, "")
    file.chmod(0o600)
    assert way.read_cookie(file, "other") == COOKIE
    assert way.read_cookie(None, "other") == "other"


def test_experiments_are_by_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("LOGNAME", "ada.l")
    assert person.name(tmp_path) == "ada.l"
    (tmp_path / "gitconfig").write_text("[user]\n\temail = Grace.Hopper+ml@example.com\n")
    assert person.name(tmp_path) == "grace.hopper-ml"
