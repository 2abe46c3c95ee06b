"""Many workers at once on a bucket that says "slow down": nothing is lost, nothing is written twice."""

from __future__ import annotations

import io
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from inference_worker.batch import Shard
from inference_worker.model import load
from inference_worker.progress import Progress
from inference_worker.settings import Settings
from inference_worker.store import Store, connect
from inference_worker.telemetry import Metrics

from tests.aws.server import serving
from tests.aws.throttling import COUNT
from tests.movies import GREEN, RED, make_model, make_movie
from tests.worker_batch import BUCKET, INPUT, KEYS, OUTPUT, environment, fill, frames, versions

SHARDS, WORKERS, REFUSED = 1000, 16, 0.02


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with serving("123456789012", throttled=REFUSED) as url:
        yield url


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """A thousand movies, of one second each."""
    for key, value in environment(endpoint, **KEYS, AWS_MAX_ATTEMPTS="10").items():
        monkeypatch.setenv(key, value)
    place = connect(BUCKET)
    made = [make_movie(tmp_path / f"{colour[0]}.mp4", [colour]).read_bytes() for colour in (RED, GREEN)]
    fill(place, {f"{INPUT}{number:04d}.mp4": made[number % 2] for number in range(SHARDS)})
    return place


def test_a_thousand_shards_by_sixteen_workers_under_throttling(store: Store, endpoint: str, tmp_path: Path) -> None:
    """Workers are threads here, each with a client of its own: a process a shard would measure Python's start."""
    model = load(make_model(tmp_path / "m.onnx"), "m")

    def worker(number: int) -> int:
        place, done = connect(BUCKET), 0
        # Every shard but the last few is begun by its own worker; those are begun by all at once, as a pod that was
        # thought dead and its successor would.
        for index in [*range(number, SHARDS - 4, WORKERS), *range(SHARDS - 4, SHARDS)]:
            told = Settings(BUCKET, INPUT, OUTPUT, "m", SHARDS, index)
            done += len(Shard(Progress(place, told), model, Metrics(Run="throng"), lambda: False).run())
        return done

    with redirect_stdout(io.StringIO()), ThreadPoolExecutor(WORKERS) as pool:
        assert sum(pool.map(worker, range(WORKERS))) == SHARDS - 4 + 4 * WORKERS
    assert frames(store) == {f"{number:04d}.mp4": [0] for number in range(SHARDS)}
    written = Counter(key for key, _ in versions(store) if key.startswith(OUTPUT))
    assert set(written.values()) == {1}, [key for key, count in written.items() if count > 1]
    assert refused(endpoint) > SHARDS * REFUSED


def refused(endpoint: str) -> int:
    with urllib.request.urlopen(endpoint + COUNT) as answer:  # noqa: S310 (moto's own address)
        return int(answer.read())
