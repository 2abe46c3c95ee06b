"""`fleet jobs` on a real API server with the real Job controller: see tests/batch_cluster.py for what stands in."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import Result

from generators.batches import logs, submit
from generators.cli import jobs
from tests.batch_cluster import Cluster, batch_cluster, committed, until
from tests.fleets import ROOT

Fleet = Callable[..., Result]
ARGUMENTS = ("--input", "movies/new/", "--output", "results/backlog/new/", "--node-group", "gpu-a10g",
             "--model", "models/resnet50/1/model.onnx", "--shards", "3")  # fmt: skip


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """One for all tests of this file: each works on a Job of its own."""
    with batch_cluster("prod-tokyo") as found:
        yield found


@pytest.fixture(autouse=True)
def here(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_ROOT", str(ROOT))
    monkeypatch.setenv("FLEET_KUBECONFIG", str(cluster.server.kubeconfig))
    monkeypatch.setattr(submit, "POLL_SECONDS", 0.2)
    monkeypatch.setattr(logs, "POLL_SECONDS", 0.2)


def submitted(fleet: Fleet, *more: str) -> str:
    done = fleet("jobs", "submit", "prod-tokyo", *ARGUMENTS, *more)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_from_submit_to_the_end(fleet: Fleet, cluster: Cluster) -> None:
    name = submitted(fleet, "--name", "first")
    assert name.startswith("first-")
    for shard in (0, 2):
        cluster.run(name, shard)
    pod = cluster.start(name, 1)
    row = until(lambda: (found := state(fleet, name))["done"] == 2 and found["state"] == "running" and found)
    assert (row["source"], row["batch"], row["active"], row["total"]) == ("submitted", "first", 1, 3)
    cluster.end(pod, 0)
    assert until(lambda: state(fleet, name)["state"] == "done")


def state(fleet: Fleet, name: str) -> dict[str, Any]:
    [row] = json.loads(fleet("jobs", "status", "prod-tokyo", name, "-o", "json").stdout)
    return dict(row)


def test_a_submitted_job_has_a_ttl_and_nothing_that_argo_cd_tracks(fleet: Fleet, cluster: Cluster) -> None:
    name = submitted(fleet, "--ttl-hours", "2")
    [job] = [each for each in cluster.get("jobs") if each["metadata"]["name"] == name]
    assert job["spec"]["ttlSecondsAfterFinished"] == 7200
    metadata = job["metadata"]
    assert metadata["labels"]["app.kubernetes.io/managed-by"] == "fleet"
    assert "app.kubernetes.io/instance" not in metadata["labels"]
    assert list(metadata["annotations"]) == ["inference-fleet/submitted-by"]
    [in_git] = [each for each in cluster.get("jobs") if each["metadata"]["name"].startswith("backlog-")]
    assert "ttlSecondsAfterFinished" not in in_git["spec"]


def test_its_ttl_removes_it(fleet: Fleet, cluster: Cluster) -> None:
    name = submitted(fleet, "--shards", "1")
    cluster.run(name, 0)
    # An hour is the least that the option takes; the API server lets it be changed.
    patch = json.dumps({"spec": {"ttlSecondsAfterFinished": 1}})
    cluster.server.kubectl("patch", "job", name, "-n", "gpu-inference", "--type=merge", "-p", patch)
    assert until(lambda: name not in [each["metadata"]["name"] for each in cluster.get("jobs")])


def test_a_dry_run_makes_nothing_and_is_still_asked(fleet: Fleet, cluster: Cluster) -> None:
    before = cluster.get("jobs")
    done = fleet("jobs", "submit", "prod-tokyo", *ARGUMENTS, "--name", "dry", "--dry-run")
    assert done.exit_code == 0
    assert "prod-tokyo would take `dry-" in done.stderr
    assert len(cluster.get("jobs")) == len(before)


def test_a_dry_run_asks_the_api_server(fleet: Fleet, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.choice", lambda _: "x")
    assert submitted(fleet, "--name", "twice") == "twice-xxxxx"
    again = fleet("jobs", "submit", "prod-tokyo", *ARGUMENTS, "--name", "twice", "--dry-run")
    assert again.exit_code == 2
    assert 'jobs.batch "twice-xxxxx" already exists' in again.stderr
    assert len(cluster.get("jobs", "-l", "inference-fleet/job=twice")) == 1


def test_another_cluster_is_refused(fleet: Fleet, cluster: Cluster) -> None:
    before = len(cluster.get("jobs"))
    for command in (("submit", "dev-tokyo", "--from", "smoke"), ("status", "dev-tokyo"), ("cancel", "dev-tokyo", "x")):
        done = fleet("jobs", *command)
        assert done.exit_code == 2
        assert (
            "leads to another cluster: workers have the role arn:aws:iam::123456789012:role/prod-tokyo-" in done.stderr
        )
        assert "hint: name the context of dev-tokyo" in done.stderr
    assert len(cluster.get("jobs")) == before


def test_a_failed_batch_tells_which_shards_and_why(fleet: Fleet, cluster: Cluster) -> None:
    name = submitted(fleet, "--shards", "8", "--parallelism", "8", "--failed-percentage", "100", "--name", "bad")
    for shard in range(8):
        cluster.run(name, shard, 65 if shard in (1, 2, 3, 6) else 0)
    found = until(lambda: (row := state(fleet, name))["state"] == "failed" and row)
    assert (found["done"], found["failed"], found["failed_shards"]) == (4, 4, "1-3,6")
    assert found["reason"] == "some shards failed for good"
    text = fleet("jobs", "status", "prod-tokyo", name).stdout
    assert "some shards failed for good; failed: 1-3,6" in text
    assert "shards 1-3,6: exit code 65, bad input: no other attempt is made" in text


def test_status_tells_of_all_batches(fleet: Fleet, cluster: Cluster) -> None:
    name = submitted(fleet, "--name", "seen")
    cluster.server.kubectl("create", "job", "nightly-1", "--from=cronjob/nightly", "-n", "gpu-inference")
    rows = {row["name"]: row for row in json.loads(fleet("jobs", "status", "prod-tokyo", "-o", "json").stdout)}
    assert rows[name]["source"] == "submitted"
    assert rows["nightly"]["state"] == "scheduled"
    assert rows["nightly"]["reason"] == "at 30 1 * * * Asia/Tokyo"
    assert (rows["nightly-1"]["source"], rows["nightly-1"]["batch"]) == ("schedule", "nightly")
    [backlog] = [row for row in rows.values() if row["batch"] == "backlog"]
    assert (backlog["source"], backlog["total"]) == ("git", 400)
    cluster.server.kubectl("delete", "job", backlog["name"], "-n", "gpu-inference")
    assert state(fleet, "backlog")["state"] == "missing"
    head, *lines = fleet("jobs", "status", "prod-tokyo").stdout.splitlines()
    assert head.split() == ["name", "from", "state", "done", "failed", "active", "total", "age", "why"]
    assert any(line.split()[:3] == [name, "submitted", "by"] for line in lines)


def test_logs_are_readable_and_hold_earlier_attempts(fleet: Fleet, cluster: Cluster) -> None:
    name = submitted(fleet, "--name", "read")
    line = {"time": "2026-11-24T10:00:00.123+00:00", "level": "error", "message": "S3 does not answer", "movie": "a b"}
    cluster.run(name, 1, 1, json.dumps(line))
    cluster.start(name, 1, json.dumps({**line, "level": "info", "message": "starts", "shard": 1}), "not JSON")
    done = fleet("jobs", "logs", "prod-tokyo", name, "--shard", "1")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        '11-24 10:00:00 error   S3 does not answer  movie="a b"',
        '11-24 10:00:00 info    starts  movie="a b" shard=1',
        "not JSON",
    ]
    assert done.stderr.splitlines() == ["shard 1, attempt 1 of 2: exit code 1", "shard 1, attempt 2 of 2: running"]
    everything = fleet("jobs", "logs", "prod-tokyo", "read", "--raw", "--tail", "1")
    assert [json.loads(each)["message"] for each in everything.stdout.splitlines()[:1]] == ["S3 does not answer"]
    assert "shard 0: waits for a node" in everything.stderr or "shard 0: pending" in everything.stderr


def test_logs_are_followed_to_the_end(fleet: Fleet, cluster: Cluster) -> None:
    name = submitted(fleet, "--shards", "2", "--name", "follow")
    pod = cluster.start(name, 0, "one")
    found: list[Result] = []
    reader = Thread(target=lambda: found.append(fleet("jobs", "logs", "prod-tokyo", name, "--follow")))
    reader.start()
    cluster.logs[pod].append("two")
    cluster.end(pod, 0)
    cluster.run(name, 1, 0, "three")
    reader.join(90)
    assert sorted(found[0].stdout.splitlines()) == ["0: one", "0: two", "1: three"]
    assert found[0].exit_code == 0


def test_cancel_takes_submitted_ones_alone(fleet: Fleet, cluster: Cluster) -> None:
    name = submitted(fleet, "--name", "gone")
    assert until(lambda: cluster.pods(name))
    asked = fleet("jobs", "cancel", "prod-tokyo", name)
    assert asked.exit_code == 2
    assert "say --yes" in asked.output
    assert [each for each in cluster.get("jobs") if each["metadata"]["name"] == name]
    done = fleet("jobs", "cancel", "prod-tokyo", name, "--yes")
    assert done.exit_code == 0, done.output
    assert f"cancelled `{name}`" in done.stderr
    assert until(lambda: not [each for each in cluster.get("jobs") if each["metadata"]["name"] == name])


def test_cancel_refuses_what_is_in_git(fleet: Fleet, cluster: Cluster) -> None:
    in_git = next(each for each in committed("prod-tokyo") if each["kind"] == "Job")
    cluster.server.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(in_git))
    name = in_git["metadata"]["name"]
    done = fleet("jobs", "cancel", "prod-tokyo", name, "--yes")
    assert done.exit_code == 2
    assert f"`{name}` is in git, as apps.gpu-inference.jobs.backlog" in done.stderr
    assert "fleet set prod-tokyo apps.gpu-inference.jobs.backlog.suspend true" in done.stderr
    assert name in [each["metadata"]["name"] for each in cluster.get("jobs")]


def test_waiting_ends_as_the_batch_does(fleet: Fleet, cluster: Cluster) -> None:
    found: dict[str, Result] = {}

    def waited(name: str) -> Thread:
        words = (*ARGUMENTS, "--shards", "1", "--name", name, "--wait")
        thread = Thread(target=lambda: found.update({name: fleet("jobs", "submit", "prod-tokyo", *words)}))
        thread.start()
        return thread

    def job_of(batch: str) -> str:
        [job] = until(lambda: cluster.get("jobs", "-l", f"inference-fleet/job={batch}"))
        return str(job["metadata"]["name"])

    for batch, code, expected in (("good", 0, 0), ("poor", 65, 1)):
        thread = waited(batch)
        cluster.run(job_of(batch), 0, code)
        thread.join(90)
        assert found[batch].exit_code == expected, found[batch].output
    assert "done: 1 of 1 shards done" in found["good"].stderr
    assert "shard 0: exit code 65, bad input" in found["poor"].stderr
    thread = waited("removed")
    assert fleet("jobs", "cancel", "prod-tokyo", job_of("removed"), "--yes").exit_code == 0
    thread.join(90)
    assert found["removed"].exit_code == 1
    assert "is gone from prod-tokyo" in found["removed"].stderr


def test_ctrl_c_leaves_the_job_running(fleet: Fleet, cluster: Cluster) -> None:
    command = [str(Path(sys.executable).with_name("fleet")), "jobs", "submit", "prod-tokyo", *ARGUMENTS]
    with subprocess.Popen(
        [*command, "--name", "left", "--wait"],
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in the background inherit that it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        [job] = until(lambda: cluster.get("jobs", "-l", "inference-fleet/job=left"))
        name, said = job["metadata"]["name"], ""
        while "0 of 3 shards done" not in said:
            said += process.stderr.readline() if process.stderr else ""
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert f"stopped waiting; `{name}` runs on: fleet jobs status prod-tokyo {name}" in said
    assert state(fleet, name)["state"] == "waiting"


def test_a_watch_shows_changes_until_ctrl_c(fleet: Fleet, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    name = submitted(fleet, "--name", "watched", "--shards", "1")
    looks, chosen = list[float](), "inference-fleet/job=watched"

    def between(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 1:
            cluster.run(name, 0)
            until(lambda: [each for each in cluster.get("jobs", "-l", chosen) if "completionTime" in each["status"]])
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "pause", between)
    done = fleet("jobs", "status", "prod-tokyo", name, "--watch")
    assert done.exit_code == 130
    states = [line.split()[4] for line in done.stdout.splitlines() if line.startswith(name)]
    assert states == ["waiting", "done"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("status", "prod-tokyo", "backlo"), "NAME: no batch `backlo`\nhint: did you mean `backlog`?"),
        (("logs", "prod-tokyo", "nothing-like-it"), "hint: `fleet jobs status prod-tokyo` lists what is there"),
        (("status", "prod-tokyo", "--context", "elsewhere"), "--context: the kubeconfig has no context `elsewhere`"),
        (("status", "prod-tokyo", "--kubeconfig", "/nowhere"), "/nowhere: --kubeconfig: is no file"),
        (("status", "prod-tokio"), "did you mean `prod-tokyo`?"),
    ],
)
def test_a_wrong_call_is_told(fleet: Fleet, arguments: tuple[str, ...], words: str) -> None:
    done = fleet("jobs", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
