"""What a role that submits batches may do on a cluster: the whole of `fleet jobs`, and nothing beside it.

On a real API server: see tests/batch_cluster.py. Kubernetes' impersonation stands in for EKS's access entry, which
gives the role's sessions the same group.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import Result

from generators.errors import FleetError
from generators.model import names
from generators.tools.kubectl import Kubectl
from tests.batch_cluster import NAMESPACE, Cluster, batch_cluster, committed, until
from tests.fleets import ROOT

Fleet = Callable[..., Result]
Object = dict[str, Any]
ARGUMENTS = ("--input", "movies/new/", "--output", "results/submitted/new/", "--node-group", "gpu-a10g",
             "--model", "models/resnet50/1/model.onnx", "--shards", "3")  # fmt: skip


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with batch_cluster("prod-tokyo") as found:
        # A policy takes a moment to be in force: until then it refuses nothing.
        scientist = Path(found.server.kubeconfig.parent, "scientist")
        config = json.loads(found.server.kubeconfig.read_text())
        config["users"][0]["user"] |= {"as": "ada", "as-groups": [names.SUBMITTERS, "system:authenticated"]}
        scientist.write_text(json.dumps(config))
        until(lambda: refusal(found, lambda job: job["metadata"]["labels"].clear()))
        yield found


@pytest.fixture(autouse=True)
def here(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_ROOT", str(ROOT))
    monkeypatch.setenv("FLEET_KUBECONFIG", str(cluster.server.kubeconfig.parent / "scientist"))


def scientist(cluster: Cluster) -> Kubectl:
    """kubectl as a member of the group."""
    return Kubectl(cluster.server.kubectl.program, cluster.server.kubeconfig.parent / "scientist")


def the_job(fleet: Fleet) -> Object:
    done = fleet("jobs", "submit", "prod-tokyo", *ARGUMENTS, "--yaml")
    found: Object = yaml.safe_load(done.stdout)
    return found


def refusal(cluster: Cluster, change: Callable[[Object], object]) -> str:
    """What the API server says to a member of the group who creates a submitted Job with a change; a dry run."""
    from typer.testing import CliRunner

    from generators.cli.main import app

    job = copy.deepcopy(the_job(lambda *words: CliRunner().invoke(app, list(words), env={"FLEET_ROOT": str(ROOT)})))
    change(job)
    try:
        scientist(cluster)("create", "--dry-run=server", "-f", "-", stdin=json.dumps(job))
    except FleetError as error:
        return str(error)
    return ""


def test_a_member_submits_looks_reads_and_cancels(fleet: Fleet, cluster: Cluster) -> None:
    done = fleet("jobs", "submit", "prod-tokyo", *ARGUMENTS)
    assert done.exit_code == 0, done.output
    name = done.stdout.strip()
    cluster.start(name, 0, "hello")
    assert name in fleet("jobs", "status", "prod-tokyo").stdout
    assert fleet("jobs", "logs", "prod-tokyo", name, "--shard", "0").stdout == "hello\n"
    cancelled = fleet("jobs", "cancel", "prod-tokyo", name, "--yes")
    assert cancelled.exit_code == 0, cancelled.output
    assert until(lambda: name not in [each["metadata"]["name"] for each in cluster.get("jobs")])


def test_what_is_in_git_is_not_theirs_to_remove(cluster: Cluster) -> None:
    [job] = [each for each in committed("prod-tokyo") if each["kind"] == "Job"]
    with pytest.raises(FleetError, match="only batches that were submitted may be cancelled; those in git end there"):
        scientist(cluster)("delete", "job", job["metadata"]["name"], "-n", NAMESPACE)
    # Administrators, and Argo CD, are not held to it.
    cluster.server.kubectl("delete", "job", job["metadata"]["name"], "-n", NAMESPACE, "--dry-run=server")


def container(job: Object) -> Object:
    found: Object = job["spec"]["template"]["spec"]["containers"][0]
    return found


SECRET = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "any", "key": "any"}}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda job: job["metadata"]["labels"].clear(), "submitted by `fleet jobs submit`"),
        (lambda job: job["spec"].pop("ttlSecondsAfterFinished"), "gives it a TTL"),
        (
            lambda job: job["metadata"]["annotations"].update({"argocd.argoproj.io/tracking-id": "x"}),
            "is not tracked by Argo CD",
        ),
        (lambda job: container(job).update(image="example.com/other:1"), "runs the worker of this cluster"),
        (lambda job: container(job).update(command=["sh", "-c", "env"]), "runs the worker of this cluster"),
        (lambda job: container(job).update(args=["--help"]), "runs the worker of this cluster"),
        (lambda job: job["spec"]["template"]["spec"]["containers"].append({**container(job), "name": "two"}), "worker"),
        (
            lambda job: job["spec"]["template"]["spec"].update(initContainers=[{**container(job), "name": "two"}]),
            "runs the worker of this cluster",
        ),
        (lambda job: job["spec"]["template"]["spec"].update(serviceAccountName="other"), "the workers' ServiceAccount"),
        (lambda job: job["spec"]["template"]["spec"].pop("priorityClassName"), "in their priority class"),
        (lambda job: container(job)["env"].append(SECRET), "mounts and reads no Secret"),
        (lambda job: container(job).update(envFrom=[{"secretRef": {"name": "any"}}]), "mounts and reads no Secret"),
        (
            lambda job: job["spec"]["template"]["spec"]["volumes"].append(
                {"name": "s", "secret": {"secretName": "any"}}
            ),
            "mounts and reads no Secret",
        ),
    ],
)
def test_a_job_that_fleet_did_not_make_is_refused(
    cluster: Cluster, change: Callable[[Object], object], words: str
) -> None:
    assert words in refusal(cluster, change)


def test_as_fleet_makes_it_the_job_is_taken(cluster: Cluster) -> None:
    assert refusal(cluster, lambda _: None) == ""


@pytest.mark.parametrize(
    ("verb", "resource", "namespace"),
    [
        ("create", "pods", NAMESPACE),
        ("create", "pods/exec", NAMESPACE),
        ("get", "secrets", NAMESPACE),
        ("create", "cronjobs.batch", NAMESPACE),
        ("patch", "jobs.batch", NAMESPACE),
        ("create", "serviceaccounts/token", NAMESPACE),
        ("list", "serviceaccounts", NAMESPACE),
        ("create", "jobs.batch", "default"),
        ("list", "pods", "kube-system"),
        ("list", "nodes", ""),
    ],
)
def test_nothing_else_is_given(cluster: Cluster, verb: str, resource: str, namespace: str) -> None:
    resource, _, sub = resource.partition("/")
    words = ["auth", "can-i", verb, resource, f"--subresource={sub}", *(["-n", namespace] if namespace else [])]
    assert scientist(cluster).tried(*words).stdout.strip() == "no"


def test_who_is_in_no_group_is_told(fleet: Fleet, cluster: Cluster, tmp_path: Path) -> None:
    config = json.loads(cluster.server.kubeconfig.read_text())
    config["users"][0]["user"] |= {"as": "eve", "as-groups": ["system:authenticated"]}
    (tmp_path / "config").write_text(json.dumps(config))
    done = fleet("jobs", "submit", "prod-tokyo", *ARGUMENTS, "--kubeconfig", str(tmp_path / "config"))
    assert done.exit_code == 2
    assert "prod-tokyo: kubectl: `eve` may not get serviceaccounts here" in done.stderr
    assert "access.admins and apps.gpu-inference.submit.roles of clusters/prod-tokyo/cluster.yaml" in done.stderr
