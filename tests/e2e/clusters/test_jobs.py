"""A batch Job from git that is done stays done: Argo CD must not start it again."""

from __future__ import annotations

from generators.lab.lab import Lab
from tests.e2e.applications import resync, sync

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
