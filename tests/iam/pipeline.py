"""The tasks of the pipeline `movies`, one after another in this process: `python -m tests.iam.pipeline`.

Its tasks call these functions and nothing else; kfp, which would run each in a process of its own, lives in another
environment.
"""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from inference_worker import tasks
from inference_worker.errors import BadInput

from tests.fleets import ROOT

COMPILED = ROOT / "apps" / "kubeflow-pipelines" / "pipelines" / "compiled" / "movies.yaml"


@cache
def defaults() -> dict[str, Any]:
    """What each parameter is where nobody says otherwise."""
    compiled = next(yaml.safe_load_all(COMPILED.read_text()))
    parameters = compiled["root"]["inputDefinitions"]["parameters"].items()
    # YAML has them as protobuf does, which knows no whole numbers.
    whole = {name for name, each in parameters if each["parameterType"] == "NUMBER_INTEGER"}
    found = {name: each.get("defaultValue") for name, each in parameters}
    return found | {name: int(found[name]) for name in whole}


def main() -> None:
    """Runs them on the bucket that BUCKET names; a movie at fault fails the verdict, as it should."""
    told, bucket = defaults(), os.environ["BUCKET"]
    output, run = told["output"], "a-run"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        plan = str(folder / "plan")
        shards = tasks.plan(plan, bucket, told["prefix"], told["model"], output, run, told["parallelism"])
        for shard in shards:
            frames, said = str(folder / f"frames-{shard}"), str(folder / f"said-{shard}")
            tasks.preprocess(plan, shard, told["frames_per_second"], told["frame_width"], frames)
            tasks.predict(plan, frames, "cpu", said)
            tasks.write(plan, shard, frames, said)
        tasks.summarize(bucket, output, run, str(folder / "page"))
        try:
            tasks.verdict(bucket, output, run)
        except BadInput:
            return
    raise AssertionError("the movie at fault was not told")


if __name__ == "__main__":
    main()
