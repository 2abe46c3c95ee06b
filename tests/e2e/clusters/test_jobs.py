"""A batch Job from git that is done stays done: Argo CD must not start it again."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from generators.cli.main import app
from generators.lab.lab import Lab
from tests.e2e.applications import resources, resync, sync
from tests.fleets import ROOT

RESYNCS = 3


def jobs(lab: Lab) -> dict[str, tuple[str, str, int]]:
    """Each Job's identity, when it was done, and how many of its shards were."""
    return {
        each["metadata"]["name"]: (
            each["metadata"]["uid"],
            each["status"].get("completionTime", ""),
            each["status"].get("succeeded", 0),
        )
        for each in lab.get("jobs", "-n", "gpu-inference")
    }


def test_a_finished_job_stays_finished(synced: Lab) -> None:
    before = jobs(synced)
    assert before
    assert all(done for _, done, _ in before.values())
    for _ in range(RESYNCS):
        resync(synced, "gpu-inference")
        sync(synced, "gpu-inference")
    assert jobs(synced) == before


def test_a_submitted_batch_is_neither_adopted_nor_removed(synced: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = synced.inputs.cluster
    assert cluster.apps.gpu_inference
    monkeypatch.setenv("FLEET_ROOT", str(ROOT))
    monkeypatch.setenv("FLEET_KUBECONFIG", str(synced.home.kubeconfig))
    batch = next(iter(cluster.apps.gpu_inference.jobs))
    done = CliRunner().invoke(app, ["jobs", "submit", cluster.name, "--from", batch, "--shards", "1"])
    assert done.exit_code == 0, done.output
    name = done.stdout.strip()
    try:
        before = jobs(synced)[name][0]
        resync(synced, "gpu-inference")
        sync(synced, "gpu-inference")
        assert jobs(synced)[name][0] == before
        assert name not in {each[2] for each in resources(synced, "gpu-inference")}
    finally:
        synced.kubectl("delete", "job", name, "-n", "gpu-inference", "--ignore-not-found")
