"""The way of movies in three stages that may run in different pods. What a stage leaves for the next is a folder.

A movie at fault stops nobody else's: its fault goes along as data, down to its report. Whatever else goes wrong (S3
does not answer, memory is short) is raised, and the whole stage may be tried again: it begins with an empty folder, and
writes the same bytes to the same keys.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from inference_worker import frames, results
from inference_worker.errors import BadInput
from inference_worker.frames import Image
from inference_worker.model import BATCH, Model, Prediction
from inference_worker.results import Answer
from inference_worker.store import Movie, Store

FACTS = "movie.json"


@dataclass(frozen=True)
class Report:
    """What became of one movie: its key; either a problem, or frames by label and the URLs of what was written."""

    movie: str
    problem: str = ""
    frames: int = 0
    seconds: float = 0.0
    """Time of the last sampled frame."""
    labels: dict[str, int] | None = None
    results: str = ""
    sheet: str = ""


def preprocess(store: Store, movies: Iterable[Movie], folder: Path, per_second: float, width: int) -> None:
    """Downloads, decodes and samples: a folder a movie, with a PNG a frame. Needs room for one movie at a time."""
    for number, movie in enumerate(movies):
        place = folder / f"{number:06d}"
        place.mkdir(parents=True)
        facts: dict[str, object] = {"movie": movie.key}
        try:
            facts["seconds"] = _sampled(store, movie, place, per_second, width)
        except BadInput as fault:
            shutil.rmtree(place)
            place.mkdir()
            facts["problem"] = str(fault)
        (place / FACTS).write_text(json.dumps(facts))


def _sampled(store: Store, movie: Movie, place: Path, per_second: float, width: int) -> list[float]:
    """Times of the sampled frames; their images are in `place`."""
    with tempfile.TemporaryDirectory(prefix="movie-") as scratch:
        file = Path(scratch, "movie")
        store.download(movie.key, file)
        seconds = []
        for frame in frames.sample(file, store.url(movie.key), per_second, width):
            # Without loss: what the model sees here is what it sees in a batch Job.
            Pillow.fromarray(frame.image).save(_image_file(place, frame.number), compress_level=1)
            seconds.append(frame.seconds)
        return seconds


def predict(sampled: Path, model: Model, folder: Path) -> None:
    """Asks the model about every frame: a file a movie. Raises BadInput for a model at fault, which is no movie's."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, facts in _places(sampled):
        if "problem" not in facts:
            said = list(_said(place, len(facts["seconds"]), model))
            (folder / f"{place.name}.json").write_text(json.dumps([asdict(each) for each in said]))


def _said(place: Path, count: int, model: Model) -> Iterator[Prediction]:
    for start in range(0, count, BATCH):
        yield from model.predict([_image(place, number) for number in range(start, min(start + BATCH, count))])


def write(store: Store, sampled: Path, predicted: Path, prefix: str, output: str) -> list[Report]:
    """Writes JSON lines and a contact sheet a movie, `<output><key below prefix>.jsonl` and `.jpg`."""
    reports = []
    for place, facts in _places(sampled):
        key = facts["movie"]
        if "problem" in facts:
            reports.append(Report(key, facts["problem"]))
            continue
        said = [Prediction(**each) for each in json.loads((predicted / f"{place.name}.json").read_bytes())]
        moments = zip(facts["seconds"], said, strict=True)
        answers = [Answer(number, seconds, prediction) for number, (seconds, prediction) in enumerate(moments)]
        target = output + key.removeprefix(prefix).lstrip("/")
        reports.append(_written(store, key, answers, place, target))
    return reports


def _written(store: Store, key: str, answers: list[Answer], place: Path, target: str) -> Report:
    url = store.url(key)
    lines = results.json_lines(url, answers)
    sheet = results.contact_sheet(url, answers, lambda number: _image(place, number))
    return Report(
        movie=key,
        frames=len(answers),
        seconds=answers[-1].seconds,
        labels=dict(sorted(Counter(answer.prediction.label for answer in answers).items())),
        results=store.put(f"{target}.jsonl", lines, "application/x-ndjson"),
        sheet=store.put(f"{target}.jpg", sheet, "image/jpeg"),
    )


def _places(sampled: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folder of each movie with its facts, in the movies' order."""
    for place in sorted(path for path in sampled.iterdir() if path.is_dir()):
        yield place, json.loads((place / FACTS).read_bytes())


def _image_file(place: Path, number: int) -> Path:
    return place / f"{number:08d}.png"


def _image(place: Path, number: int) -> Image:
    with Pillow.open(_image_file(place, number)) as image:
        return np.asarray(image)
