"""One shard of a batch: download, decode, fit and predict, each ahead of the next; results are written once."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from inference_worker import frames
from inference_worker.ahead import Ahead
from inference_worker.errors import BadInput
from inference_worker.frames import Frame, Image
from inference_worker.model import BATCH, Floats, Model
from inference_worker.progress import Progress
from inference_worker.results import Answer
from inference_worker.stages import Report
from inference_worker.telemetry import Metrics, say

BATCHES_AHEAD = 2
FRAMES_AHEAD = 8
"""Decoded, and not fitted yet. Of 4K they take 12 MB each."""
MOVIES_AHEAD = 1
"""Waiting, beside the one that is decoded and the one that is fetched: the disk holds three at most."""


class Stopped(Exception):
    """Asked to stop; the place is saved."""


@dataclass
class Work:
    """A movie on its way. Only the last step, prediction, adds answers."""

    movie: str
    file: Path | None = None
    """None: there is nothing to decode."""
    answers: list[Answer] = field(default_factory=list)
    saved: int = 0
    """How many of the answers are in the bucket."""
    skipped: bool = False
    """Its result was there before."""
    problem: str = ""


@dataclass(frozen=True)
class Decoded:
    """A frame of a movie; none: no other follows."""

    work: Work
    frame: Frame | None


@dataclass(frozen=True)
class Chunk:
    """A batch of a movie's frames; `ends`: no other follows."""

    work: Work
    moments: list[tuple[int, float]]
    values: Floats | None
    """None: there are no frames in it."""
    ends: bool = False


@dataclass(frozen=True)
class Shard:
    """Everything that a shard's steps share. `stopping` says whether a stop was asked for."""

    progress: Progress
    model: Model
    metrics: Metrics
    stopping: Callable[[], bool]

    def run(self) -> list[Report]:
        """Reports of the shard's movies, once all are done or at fault. Raises Stopped."""
        keys = self.progress.keys()
        if (known := self.progress.reports()) is not None:
            say("this shard was done before", movies=len(known))
            return known
        # A download that goes on after a stop may still write there.
        with tempfile.TemporaryDirectory(prefix="shard-", ignore_cleanup_errors=True) as scratch:
            reports = list(self._reports(keys, Path(scratch)))
        self.progress.finish(reports)
        return reports

    def _reports(self, keys: Sequence[str], scratch: Path) -> Iterator[Report]:
        fetched = Ahead(self._fetched(keys, scratch), MOVIES_AHEAD)
        decoded = Ahead(self._decoded(fetched), FRAMES_AHEAD)
        fitted = Ahead(self.fitted(decoded), BATCHES_AHEAD, self._go_on)
        try:
            yield from self._predicted(fitted)
        finally:
            fitted.close()
            decoded.close()
            fetched.close()

    def _fetched(self, keys: Iterable[str], scratch: Path) -> Iterator[Work]:
        numbers = count()
        for key in keys:
            if (answers := self.progress.whole(key)) is not None:
                yield Work(key, answers=answers, skipped=True)
                continue
            file = scratch / str(next(numbers))
            try:
                self.progress.store.download(key, file)
            except BadInput as fault:
                yield Work(key, problem=str(fault))
                continue
            saved = self.progress.saved(key)
            yield Work(key, file, saved, len(saved))

    def _decoded(self, works: Iterable[Work]) -> Iterator[Decoded]:
        """The frames that are not answered yet, and each movie's end. A fault is noted, and ends a movie too."""
        settings = self.progress.settings
        for work in works:
            if work.file:
                name = self.progress.store.url(work.movie)
                try:
                    for frame in frames.sample(work.file, name, settings.per_second, settings.width, work.saved):
                        yield Decoded(work, frame)
                except BadInput as fault:
                    work.problem = str(fault)
                work.file.unlink()
            yield Decoded(work, None)

    def fitted(self, decoded: Iterable[Decoded]) -> Iterator[Chunk]:
        """Batches of a movie's frames as the model's input wants them."""
        moments: list[tuple[int, float]] = []
        images: list[Image] = []
        for each in decoded:
            if each.frame:
                moments.append((each.frame.number, each.frame.seconds))
                images.append(self.model.fitted(each.frame.image))
            if images and (each.frame is None or len(images) == BATCH):
                yield Chunk(each.work, moments, self.model.prepared(images))
                moments, images = [], []
            if each.frame is None:
                yield Chunk(each.work, [], None, ends=True)

    def _predicted(self, chunks: Iterable[Chunk]) -> Iterator[Report]:
        last, saved, waited = None, time.monotonic(), time.monotonic()
        try:
            for chunk in chunks:
                self.metrics.count(WaitSeconds=time.monotonic() - waited)
                self.answer(chunk)
                last = chunk
                if chunk.ends:
                    yield self._told(chunk.work)
                self._go_on()
                if time.monotonic() - saved >= self.progress.settings.save_seconds:
                    self._save(chunk)
                    self.metrics.tell()
                    saved = time.monotonic()
                waited = time.monotonic()
        except Exception:
            if last:
                self._save(last)
            raise

    def _go_on(self) -> None:
        if self.stopping():
            raise Stopped

    def answer(self, chunk: Chunk) -> None:
        """Asks the model."""
        started = time.monotonic()
        said = [] if chunk.values is None else self.model.asked(chunk.values)
        chunk.work.answers += [Answer(*moment, each) for moment, each in zip(chunk.moments, said, strict=True)]
        self.metrics.count(Frames=len(said), PredictSeconds=time.monotonic() - started)

    def _save(self, chunk: Chunk) -> None:
        work = chunk.work
        if not chunk.ends:
            self.progress.save(work.movie, work.answers[work.saved :])
            work.saved = len(work.answers)

    def _told(self, work: Work) -> Report:
        """The movie is through: its result is written, unless it was there, and a line is logged."""
        if work.problem:
            self.metrics.count(MoviesAtFault=1)
            say(work.problem, "error", movie=work.movie)
            return Report(work.movie, work.problem)
        url = self.progress.write(work.movie, work.answers)
        self.metrics.count(**{"MoviesSkipped" if work.skipped else "Movies": 1})
        report = Report(
            movie=work.movie,
            frames=len(work.answers),
            seconds=work.answers[-1].seconds,
            labels=dict(sorted(Counter(answer.prediction.label for answer in work.answers).items())),
            results=url,
        )
        say("was done before" if work.skipped else "done", movie=work.movie, frames=report.frames, results=url)
        return report
