"""Argo CD onto a new cluster: real kube-apiserver, etcd, kubectl and helm; see bootstrap_scene.py for the stand-ins."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from typer.testing import Result

from generators.source.workspace import Workspace
from tests.aws.server import serving
from tests.bootstrap_scene import ACCOUNT, LIMIT, PASSWORD, Scene, controller, coredns, eks_at, node, scene
from tests.control_plane import ControlPlane
from tests.tool_needed import needed


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with serving(ACCOUNT) as url:
        yield url


@pytest.fixture
def new(api_server: ControlPlane, workspace: Workspace, aws: str, fleet: Callable[..., Result]) -> Iterator[Scene]:
    needed("helm")
    with scene(api_server, workspace, aws) as found:
        rendered = fleet("render")
        assert rendered.exit_code == 0, rendered.output
        yield found


def until(look: Callable[[], object]) -> None:
    """As long as it takes, which is not measured; without end only where the test would fail anyway."""
    end = time.monotonic() + LIMIT
    while not look():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)


def read_until(process: subprocess.Popen[str], words: str) -> str:
    said = ""
    for line in process.stdout or ():
        said += line
        if words in line:
            return said
    raise AssertionError(f"it ended without `{words}`:\n{said}")


def finished(new: Scene) -> str:
    """A run on a cluster that is ready, to its end, with Argo CD doing its part."""
    with new.start() as process:
        said = read_until(process, "git: waiting")
        new.argo_cd_reads_git()
        said += process.communicate(timeout=LIMIT)[0]
    assert process.returncode == 0, said
    return said


def test_it_waits_for_nodes_then_for_dns_and_then_installs(new: Scene) -> None:
    new.put(node("one"), node("two", ready=False), coredns(0))
    with new.start() as process:
        said = read_until(process, "system nodes: waiting")
        assert "1 of 2 are ready: container runtime network not ready" in said
        new.put(node("two"))
        said = read_until(process, "CoreDNS: waiting")
        assert "system nodes: ready" in said
        assert "0 of 2 pods are available" in said
        assert not new.get("namespace", "argocd")
        new.put(coredns(1))
        said = read_until(process, "git: waiting")
        assert "argo-cd 10.1.1: installed" in said
        assert "Argo CD has not yet read https://github.com/example/inference-fleet.git" in said
        new.argo_cd_reads_git()
        said = process.communicate(timeout=LIMIT)[0]
        assert "Argo CD syncs demo now: https://argocd.demo.inference.example.com" in said
    assert process.returncode == 0


def test_what_is_there_afterwards(new: Scene, fleet: Callable[..., Result]) -> None:
    own = new.workspace.clusters / "demo" / "values" / "argo-cd.yaml"
    own.parent.mkdir()
    own.write_text("global: {domain: by-hand.example.com}\nserver: {replicas: 7}\n")
    assert fleet("render").exit_code == 0
    new.ready()
    said = finished(new)
    labels = new.get("namespace", "argocd")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    secret = new.get("secret", "git-repository", "-n", "argocd")
    assert secret["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": "repository"}
    read = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    url = "https://github.com/example/inference-fleet.git"
    assert read == {"type": "git", "url": url, "username": "fleet", "password": PASSWORD}
    assert PASSWORD not in said
    found = new.api.kubectl("get", "applications,appprojects", "-n", "argocd", "-o", "name").split()
    assert {each.split("/")[1] for each in found} == {"root", "bootstrap", "argo-cd", "fleet"}
    as_its_own_application_will_have_it(new)


def as_its_own_application_will_have_it(new: Scene) -> None:
    """Same release name, and the values files in the Application's order: the cluster's own has the last word."""
    text = (new.workspace.clusters / "demo" / "generated" / "argocd" / "argo-cd.yaml").read_text()
    files = ("apps/argo-cd/values.yaml", "demo/generated/values/argo-cd.yaml", "demo/values/argo-cd.yaml")
    assert sorted(files, key=text.index) == list(files)
    assert "releaseName: argo-cd\n" in text
    seen = new.get("configmap", "seen", "-n", "argocd")
    assert seen["metadata"]["labels"]["release"] == "argo-cd"
    values = json.loads(seen["data"]["values.json"])
    assert values["global"]["domain"] == "by-hand.example.com"
    assert values["server"]["replicas"] == 7
    assert values["server"]["service"] == {"nodePortHttp": 30080, "type": "NodePort"}
    assert "Progressing" in values["configs"]["cm"]["resource.customizations.health.argoproj.io_Application"]


def test_a_second_run_changes_nothing(new: Scene) -> None:
    new.ready()
    finished(new)
    new.argo_cd_keeps_itself()
    before = new.versions()
    done = new()
    assert done.returncode == 0, done.stdout
    assert new.versions() == before
    assert "argo-cd 10.1.1: Argo CD keeps itself, left alone" in done.stdout
    assert "application/root: as in git, left alone" in done.stdout


def test_where_its_controller_does_not_run_helm_mends_it(new: Scene) -> None:
    new.ready()
    finished(new)
    new.argo_cd_keeps_itself()
    new.put(controller(ready=0))
    new.api.kubectl("delete", "configmap", "seen", "-n", "argocd")
    assert "argo-cd 10.1.1: installed" in new().stdout
    assert new.get("configmap", "seen", "-n", "argocd")


def test_a_root_that_moved_to_another_branch_is_applied(new: Scene, fleet: Callable[..., Result]) -> None:
    new.ready()
    finished(new)
    new.argo_cd_keeps_itself()
    assert fleet("set", "demo", "git.revision", "next").exit_code == 0
    assert fleet("render").exit_code == 0
    done = new()
    assert done.returncode == 0, done.stdout
    root = new.get("application", "root", "-n", "argocd")
    assert root["spec"]["source"]["targetRevision"] == "next"


def test_a_dry_run_says_all_and_writes_nothing(new: Scene) -> None:
    new.put(node("one"))
    before = new.versions()
    done = new("--dry-run")
    assert done.returncode == 0, done.stdout
    assert new.versions() == before
    for words in (
        "system nodes: 1 of 2 are ready",
        "CoreDNS: there is no Deployment kube-system/coredns",
        "namespace/argocd serverside-applied (server dry run)",
        "secret/git-repository: would be applied",
        "argo-cd 10.1.1: would be installed with Helm",
        "clusters/demo/generated/argocd/root.yaml: would be applied",
        "nothing was changed",
    ):
        assert words in done.stdout
    assert PASSWORD not in done.stdout


def test_a_dry_run_on_a_bootstrapped_cluster(new: Scene) -> None:
    new.ready()
    finished(new)
    before = new.versions()
    done = new("--dry-run")
    assert done.returncode == 0, done.stdout
    assert new.versions() == before
    assert "secret/git-repository serverside-applied (server dry run)" in done.stdout


def test_a_run_that_was_killed_in_the_middle_of_helm_is_completed(new: Scene) -> None:
    new.ready()
    (new.chart / "values.yaml").write_text(json.dumps({"configs": {"cm": {}}, "hook": True}))
    job = ("job", "before-all", "-n", "argocd")
    with new.start():
        # Without a Job controller Helm waits for its hook for ever: until both are killed here.
        until(lambda: new.get(*job))
    (record,) = json.loads(new.api.kubectl("get", "secrets", "-n", "argocd", "-l", "owner=helm", "-o", "json"))["items"]
    assert record["metadata"]["labels"]["status"] == "pending-install"
    killed = new.get(*job)["metadata"]["uid"]
    with new.start() as process:
        said = read_until(process, "installing with Helm")
        assert "an install was cut off and is taken up again" in said
        until(lambda: new.get(*job).get("metadata", {}).get("uid", killed) != killed)
        complete(new)
        read_until(process, "git: waiting")
        new.argo_cd_reads_git()
        process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    assert new.get("configmap", "seen", "-n", "argocd")


def complete(new: Scene) -> None:
    """As the Job controller does when the pod has ended."""
    now = "2026-01-01T00:00:00Z"
    conditions = [{"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")]
    status = {"conditions": conditions, "startTime": now, "completionTime": now, "succeeded": 1}
    how = ("--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    new.api.kubectl("patch", "job", "before-all", "-n", "argocd", *how)


def test_a_time_limit_ends_with_the_reason(new: Scene) -> None:
    new.put(node("one"), node("two"), coredns(0), pod_that_cannot_start(), warning("dns-1", "0/2 nodes are available"))
    done = new("--timeout=0")
    assert done.returncode == 2
    assert "error: CoreDNS: not within 0 seconds: 0 of 2 pods are available" in done.stdout
    assert "pod dns-1: ImagePullBackOff" in done.stdout
    assert "pod dns-1: 0/2 nodes are available" in done.stdout
    assert "hint: run it again: it goes on from here" in done.stdout
    assert not new.get("namespace", "argocd")


def pod_that_cannot_start() -> dict[str, object]:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": ""}}
    container = {"name": "one", "image": "x", "imageID": "", "ready": False, "restartCount": 0, "state": waiting}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "dns-1", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
        "spec": {"containers": [{"name": "one", "image": "example.com/one"}]},
        "status": {"phase": "Pending", "containerStatuses": [container]},
    }


def warning(pod: str, message: str) -> dict[str, object]:
    about = {"apiVersion": "v1", "kind": "Pod", "name": pod, "namespace": "kube-system"}
    metadata = {"name": f"{pod}.1", "namespace": "kube-system"}
    facts = {"type": "Warning", "reason": "FailedScheduling", "message": message, "involvedObject": about}
    return {"apiVersion": "v1", "kind": "Event", "metadata": metadata, **facts}


def test_git_that_refuses_argo_cd_is_told(new: Scene) -> None:
    new.ready()
    finished(new)
    new.argo_cd_keeps_itself()
    refused = {"type": "ComparisonError", "message": "authentication required"}
    metadata = {"name": "root", "namespace": "argocd"}
    facts = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata}
    new.put({**facts, "status": {"sync": {"status": "Unknown"}, "conditions": [refused]}})
    done = new("--timeout=0")
    assert done.returncode == 2
    assert "error: git: not within 0 seconds: authentication required" in done.stdout


CREDENTIALS = [
    ({"user": "x", "password": PASSWORD}, "has the keys password, user"),
    ({"username": "x", "password": PASSWORD, "sshPrivateKey": "y"}, "has the keys password, sshPrivateKey, username"),
    ({"username": "x", "password": ""}, "is no JSON object of texts"),
    ([PASSWORD], "is no JSON object of texts"),
    (None, "is not there"),
]


def test_a_credential_that_cannot_work_is_told_before_anything_is_written(new: Scene) -> None:
    for credential, said in CREDENTIALS:
        new.keep(credential)
        done = new()
        assert done.returncode == 2
        assert f"error: Secrets Manager secret fleet/git: git.credential: {said}" in done.stdout
        assert "password and username; or sshPrivateKey; or githubAppID" in done.stdout
        assert PASSWORD not in done.stdout
        assert not new.get("namespace", "argocd")


def test_a_secret_that_external_secrets_keeps_is_left_alone(new: Scene) -> None:
    new.ready()
    finished(new)
    owner = {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "git", "uid": "0"}
    how = ("--type=merge", "-p", json.dumps({"metadata": {"ownerReferences": [owner]}, "data": {"password": "bmV3"}}))
    new.api.kubectl("patch", "secret", "git-repository", "-n", "argocd", *how)
    before = new.get("secret", "git-repository", "-n", "argocd")
    assert "secret/git-repository: kept by external-secrets, left alone" in new().stdout
    assert new.get("secret", "git-repository", "-n", "argocd") == before


def test_a_public_repository_needs_no_credential(
    api_server: ControlPlane, workspace: Workspace, aws: str, fleet: Callable[..., Result]
) -> None:
    with scene(api_server, workspace, aws, credential="") as new:
        assert fleet("render").exit_code == 0
        new.ready()
        finished(new)
        assert not new.get("secret", "git-repository", "-n", "argocd")


def test_a_private_endpoint_is_said_first(new: Scene) -> None:
    """EKS's own endpoint, and nothing answers there."""
    with eks_at("https://127.0.0.1:1", new.api.ca) as eks:
        done = new(FLEET_KUBECONFIG="", AWS_ENDPOINT_URL_EKS=eks)
    assert done.returncode == 2
    first, hint = done.stdout.splitlines()
    assert first.startswith("error: kubectl: the API server of demo, https://127.0.0.1:1, cannot be reached: ")
    for words in ("its endpoint is private", "inside the cluster's VPC", "--kubeconfig=FILE", "access.api_cidrs"):
        assert words in hint


def test_a_role_without_access_is_told_so(new: Scene) -> None:
    """The kubeconfig made from EKS, and the token that STS would know, which no API server of ours does."""
    done = new(FLEET_KUBECONFIG="")
    assert done.returncode == 2
    assert f"the API server of demo, {new.api.url}, refuses these credentials" in done.stdout
    assert "must be in access.admins" in done.stdout


def test_a_kubeconfig_of_another_cluster_is_refused(new: Scene) -> None:
    other = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "kube-root-ca.crt", "namespace": "kube-system"},
    }
    new.put({**other, "data": {"ca.crt": "another"}})
    done = new()
    assert done.returncode == 2
    assert "its API server has another CA than EKS's cluster demo" in done.stdout
    assert not new.get("namespace", "argocd")


def test_a_missing_kubeconfig(new: Scene) -> None:
    done = new("--kubeconfig=gone")
    assert done.returncode == 2
    assert "error: gone: --kubeconfig: is no file" in done.stdout
