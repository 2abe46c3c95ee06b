"""What of a batch is done, in the bucket: so that each result is written once, whoever is killed and when.

Every object is written whole or not at all, and never over another (If-None-Match): who comes second finds what the
first wrote, and takes it as his own, since the same settings give the same bytes. So nothing has to be undone:

- `<output>/.inference/<run>/plan.json`: which movies each shard holds. The first pod's list counts, however the input
  changes meanwhile.
- `…/parts/<hash of the movie's key>/<first frame>.jsonl`: answers saved while a movie is under way. A part begins where
  those before it ended; where two pods' parts overlap, a frame's first answer counts.
- `<output>/<movie>.jsonl`: all answers about a movie, the one result that others read.
- `…/shards/<index>.json`: the reports of a shard all of whose movies are done or at fault. Written last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from inference_worker import results, store
from inference_worker.errors import BadInput
from inference_worker.results import Answer
from inference_worker.settings import Settings
from inference_worker.stages import Report
from inference_worker.store import Store

JSON, LINES = "application/json", "application/x-ndjson"


@dataclass(frozen=True)
class Progress:
    """A shard's place in its run."""

    store: Store
    settings: Settings

    def keys(self) -> list[str]:
        """The movies of this shard; the run is planned where it is not yet. Raises BadInput for other settings."""
        key = f"{self.settings.folder}plan.json"
        plan = self.store.find(key) or self._planned(key)
        made = json.loads(plan)
        if (made["digest"], made["count"]) != (self.settings.digest, self.settings.shards):
            hint = "choose another output, or another INFERENCE_RUN"
            raise BadInput(self.store.url(key), "this run was planned with other settings", hint)
        index = self.settings.index
        return list(made["shards"][index]) if index < len(made["shards"]) else []  # fewer movies than shards

    def _planned(self, key: str) -> bytes:
        movies = self.store.movies(self.settings.input)
        shards = [[movie.key for movie in shard] for shard in store.shards(movies, self.settings.shards)]
        made = {"digest": self.settings.digest, "count": self.settings.shards, "shards": shards}
        self.store.put_once(key, json.dumps(made).encode(), JSON)
        return self.store.read(key)  # perhaps another pod's, which was first

    def reports(self) -> list[Report] | None:
        """Of a shard that is done; None: it is not."""
        found = self.store.find(self._shard)
        return None if found is None else [Report(**each) for each in json.loads(found)]

    def finish(self, reports: Sequence[Report]) -> None:
        """The shard is done."""
        self.store.put_once(self._shard, json.dumps([asdict(report) for report in reports]).encode(), JSON)

    def whole(self, movie: str) -> list[Answer] | None:
        """All answers about a movie that is done; None: it is not. Raises BadInput for another model's results."""
        target = self.settings.target(movie)
        found = self.store.find(target, self.settings.digest)
        return None if found is None else results.answers(found)

    def saved(self, movie: str) -> list[Answer]:
        """The answers so far: frame 0 and those that follow it without a gap."""
        answers: list[Answer] = []
        for key in self.store.keys(self._parts(movie)):
            for answer in results.answers(self.store.read(key)):
                if answer.number == len(answers):
                    answers.append(answer)
        return answers

    def save(self, movie: str, answers: Sequence[Answer]) -> None:
        """Saves answers that follow those saved before."""
        if answers:
            key = f"{self._parts(movie)}{answers[0].number:010d}.jsonl"
            self.store.put_once(key, results.json_lines(self.store.url(movie), answers), LINES)

    def write(self, movie: str, answers: Sequence[Answer]) -> str:
        """Writes the result of a movie, and says its URL."""
        body = results.json_lines(self.store.url(movie), answers)
        return self.store.put_once(self.settings.target(movie), body, LINES, self.settings.digest)

    def _parts(self, movie: str) -> str:
        # A hash, because the key of one movie may be a folder of another's.
        return f"{self.settings.folder}parts/{hashlib.sha256(movie.encode()).hexdigest()[:32]}/"

    @property
    def _shard(self) -> str:
        return f"{self.settings.folder}shards/{self.settings.index:06d}.json"
