"""The stages as tasks of a pipeline: what goes between pods are files and keys of S3, nothing else.

What each task did for its shard goes to S3 as a report, and the summary reads reports: it does not matter to it how
many shards there were, or that one died.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from inference_worker import stages, store, summary
from inference_worker.errors import BadInput
from inference_worker.model import Device, Model, load
from inference_worker.stages import Report

PLAN, REPORTS = "plan.json", "reports/"
LOST = "no report: its shard failed, see the failed task's log"


@dataclass(frozen=True)
class Plan:
    """What a run is to do: keys of the movies by shard, and where everything lies in the bucket."""

    bucket: str
    prefix: str
    model: str
    output: str
    shards: list[list[str]]


def plan(file: str, bucket: str, prefix: str, model: str, output: str, run: str, parallelism: int) -> list[int]:
    """Writes the run's plan to `file` and to S3; says the numbers of its shards.

    Raises BadInput where there is no movie under the prefix, or no model that can be loaded.
    """
    place = store.connect(bucket)
    movies = place.movies(prefix)
    with _model(place, model):
        pass  # one that is not there, or is none, is found here and not by every shard
    shards = [[movie.key for movie in shard] for shard in store.shards(movies, parallelism)]
    made = Plan(bucket, prefix, model, results_of(output, run), shards)
    text = json.dumps(asdict(made))
    Path(file).write_text(text, encoding="utf-8")
    place.put(made.output + PLAN, text.encode(), "application/json")
    _say(f"{len(movies)} movies in {len(shards)} shards; results go to {place.url(made.output)}")
    return list(range(len(shards)))


def preprocess(plan_file: str, shard: int, per_second: float, width: int, folder: str) -> None:
    """Samples the movies of a shard into `folder`."""
    made = _read(plan_file)
    movies = [store.Movie(key, 0) for key in made.shards[shard]]
    stages.preprocess(store.connect(made.bucket), movies, Path(folder), per_second, width)


def predict(plan_file: str, frames: str, device: Device, folder: str) -> None:
    """Asks the plan's model about all frames of a shard."""
    made = _read(plan_file)
    place = store.connect(made.bucket)
    with _model(place, made.model, device) as model:
        stages.predict(Path(frames), model, Path(folder))


def write(plan_file: str, shard: int, frames: str, predictions: str) -> None:
    """Writes the results of a shard's movies to S3, and a report of them."""
    made = _read(plan_file)
    place = store.connect(made.bucket)
    reports = stages.write(place, Path(frames), Path(predictions), made.prefix, made.output)
    for report in reports:
        _say(report.problem or f"{report.movie}: {report.frames} frames, {report.labels}")
    body = json.dumps([asdict(report) for report in reports]).encode()
    place.put(f"{made.output}{REPORTS}{shard:06d}.json", body, "application/json")


def summarize(bucket: str, output: str, run: str, file: str) -> dict[str, float]:
    """Metrics of a run's movies; a page of them goes to `file`. A movie that nothing was reported of has failed."""
    place = store.connect(bucket)
    made, reports = _reports(place, results_of(output, run))
    Path(file).write_text(summary.page(f"{place.url(made.prefix)} by {made.model}", reports), encoding="utf-8")
    return summary.metrics(reports)


def verdict(bucket: str, output: str, run: str) -> None:
    """Raises BadInput where a movie failed; the other movies' results are written by then."""
    _, reports = _reports(store.connect(bucket), results_of(output, run))
    if problems := [report.problem for report in reports if report.problem]:
        what = f"{len(problems)} of {len(reports)} movies failed"
        raise BadInput(what, "; ".join(problems), "the results of the others are whole")


def _reports(place: store.Store, folder: str) -> tuple[Plan, list[Report]]:
    """What was planned, and a report of every movie in it."""
    try:
        made = Plan(**json.loads(place.read(folder + PLAN)))
    except BadInput:
        raise BadInput(place.url(folder), "nothing was planned", "see what the task `plan` said") from None
    found = [Report(**each) for key in place.keys(folder + REPORTS) for each in json.loads(place.read(key))]
    known = {report.movie for report in found}
    lost = [Report(key, f"{place.url(key)}: {LOST}") for shard in made.shards for key in shard if key not in known]
    return made, sorted(found + lost, key=lambda report: report.movie)


def results_of(output: str, run: str) -> str:
    """A run's own folder of results: runs of several people at once do not write over each other."""
    return f"{output.rstrip('/')}/{run}/"


@contextmanager
def _model(place: store.Store, key: str, device: Device = "cpu") -> Iterator[Model]:
    """The model under a key, loaded."""
    with tempfile.TemporaryDirectory(prefix="model-") as scratch:
        file = Path(scratch, "model.onnx")
        place.download(key, file)
        yield load(file, place.url(key), device)


def _read(plan_file: str) -> Plan:
    return Plan(**json.loads(Path(plan_file).read_bytes()))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
