"""What rendered Jobs tell the worker is what it reads, and what it exits with is what they act upon."""

from __future__ import annotations

import pytest
from inference_worker import errors, settings
from inference_worker.__main__ import STOPPED

from tests.gpu_inference import EVERYTHING, environment, render, the


@pytest.mark.parametrize("name", ["beside-server", "nightly", "thumbnails"])
def test_the_worker_understands_a_job(name: str) -> None:
    spec = the(render(EVERYTHING), "Job", name)["spec"]
    container = spec["template"]["spec"]["containers"][0]
    told = settings.read({**environment(container), "JOB_COMPLETION_INDEX": "3", "INFERENCE_RUN": "a-job"})
    assert (told.bucket, told.input, told.output) == (EVERYTHING["bucket"], "movies/", "results/")
    assert (told.shards, told.index) == (spec["completions"], 3)
    assert told.model
    assert bool(told.server) is (name == "beside-server")
    assert bool(told.gpu_memory_mib) is (name != "beside-server")
    rules = {
        (rule["action"], value)
        for rule in spec["podFailurePolicy"]["rules"]
        for value in rule.get("onExitCodes", {}).get("values", [])
    }
    assert rules == {("Ignore", STOPPED), ("FailIndex", errors.EXIT_CODE)}
