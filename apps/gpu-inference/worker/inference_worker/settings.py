"""What a batch is told: by the environment in a cluster, by the same names as options on a laptop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from inference_worker.errors import BadInput

WORK = ".inference/"
"""Folder below the output for what is not a result: the plan, the shards that are done, the places saved."""


@dataclass(frozen=True)
class Settings:
    """One shard of a batch. All pods of a Job share everything but `index`."""

    bucket: str
    input: str
    """Prefix of the movies."""
    output: str
    """Prefix of the results, which end in the movie's key below `input`, and `.jsonl`."""
    model: str
    """Name of a model at the server; without one, the key of an ONNX file."""
    shards: int = 1
    index: int = 0
    server: str = ""
    """`host:port` of a model server's HTTP; none: onnxruntime in this process."""
    gpu_memory_mib: int = 0
    """Of the GPU, for onnxruntime; 0: it runs on the CPU."""
    run: str = "default"
    """What was planned under this name is done once. Another name lists the input again, and does what is new."""
    cluster: str = ""
    batch: str = ""
    """Name of the batch in the cluster's file, the same for all of its runs. With the cluster's, metrics are by it."""
    per_second: float = 1.0
    width: int = 0
    save_seconds: float = 60.0
    """How much work a kill without notice may cost. At a notice, as spot gives it, the place is saved."""
    models_folder: str = ""
    """A folder of the node where models may lie already."""

    @property
    def results(self) -> str:
        """`output`, as a folder."""
        return f"{self.output.rstrip('/')}/"

    @property
    def folder(self) -> str:
        """Key below which this run keeps its plan and its place."""
        return f"{self.results}{WORK}{self.run}/"

    @property
    def digest(self) -> str:
        """Stands for all that decides what is said of a movie; two runs of one digest say the same."""
        decides = [self.bucket, self.input, self.model, self.per_second, self.width]
        return hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]

    def target(self, key: str) -> str:
        """Key of a movie's results."""
        return f"{self.results}{key.removeprefix(self.input).lstrip('/')}.jsonl"


def read(environment: Mapping[str, str]) -> Settings:
    """Settings from INFERENCE_… and Kubernetes's JOB_COMPLETION_INDEX. Raises BadInput for what is missing or wrong."""

    def text(name: str, default: str | None = None) -> str:
        found = environment.get(name) or default
        if found is None:
            raise BadInput(name, "is not set", "see `python -m inference_worker run --help`")
        return found

    def number(name: str, default: str, least: int = 0) -> int:
        given = text(name, default)
        if not given.isdecimal() or int(given) < least:
            raise BadInput(name, f"`{given}` is no whole number of {least} or more")
        return int(given)

    return _checked(
        Settings(
            bucket=text("INFERENCE_BUCKET"),
            input=text("INFERENCE_INPUT"),
            output=text("INFERENCE_OUTPUT"),
            model=text("INFERENCE_MODEL"),
            shards=number("INFERENCE_SHARDS", "1", 1),
            index=number("JOB_COMPLETION_INDEX", "0"),
            server=text("INFERENCE_SERVER", ""),
            gpu_memory_mib=number("INFERENCE_GPU_MEMORY_MIB", "0"),
            run=text("INFERENCE_RUN", "default"),
            cluster=text("INFERENCE_CLUSTER", ""),
            batch=text("INFERENCE_BATCH", ""),
            per_second=_number("INFERENCE_FRAMES_PER_SECOND", text("INFERENCE_FRAMES_PER_SECOND", "1")),
            width=number("INFERENCE_WIDTH", "0"),
            save_seconds=_number("INFERENCE_SAVE_SECONDS", text("INFERENCE_SAVE_SECONDS", "60")),
            models_folder=text("INFERENCE_MODELS_FOLDER", ""),
        )
    )


def _number(name: str, given: str) -> float:
    try:
        return float(given)
    except ValueError:
        raise BadInput(name, f"`{given}` is no number") from None


def _checked(settings: Settings) -> Settings:
    if settings.index >= settings.shards:
        raise BadInput("JOB_COMPLETION_INDEX", f"`{settings.index}` is none of {settings.shards} shards, from 0")
    if settings.results.startswith(settings.input):
        raise BadInput("INFERENCE_OUTPUT", f"`{settings.output}` lies below the input", "results would mix with movies")
    if "/" in settings.run:
        raise BadInput("INFERENCE_RUN", f"`{settings.run}` holds a slash")
    return settings
