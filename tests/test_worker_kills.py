"""A batch that is stopped and killed again and again, and is whole in the end: every frame once, every object once."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from inference_worker.store import Store, connect

from tests.aws.server import serving
from tests.movies import BLUE, GREEN, RED, make_model, make_movie
from tests.worker_batch import INPUT, KEYS, MODEL, environment, fill, finish, frames, start, versions

SHARDS, SECONDS, KILLS = 3, 24, 20
RATE = 10
"""Frames looked at a second, all of them."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with serving("123456789012") as url:
        yield url


@pytest.fixture
def env(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    more = {"INFERENCE_SHARDS": str(SHARDS), "INFERENCE_FRAMES_PER_SECOND": str(RATE), "INFERENCE_SAVE_SECONDS": "0.3"}
    found = environment(endpoint, **KEYS, **more)
    for key, value in found.items():
        monkeypatch.setenv(key, value)
    return found


@pytest.fixture
def store(env: dict[str, str], tmp_path: Path) -> Store:
    """Movies of thousands of frames, and a model that takes large images, so that there is time to be killed in."""
    place = connect(env["INFERENCE_BUCKET"])
    movies = {
        f"{INPUT}{number}.mp4": make_movie(
            tmp_path / "a.mp4", [RED, GREEN, BLUE] * (SECONDS // 3 + number)
        ).read_bytes()
        for number in range(SHARDS * 2)
    }
    fill(place, movies | {MODEL: make_model(tmp_path / "m.onnx", ("batch", 3, 512, 512)).read_bytes()})
    return place


def interrupted(env: dict[str, str], number: signal.Signals, delay: float) -> tuple[int, str]:
    """Starts a pod, and sends it the signal so many seconds after it began to work, or as soon as it was started."""
    with start(env) as process:
        assert process.stdout
        first = "" if delay < 0 else process.stdout.readline()
        time.sleep(max(delay, 0))
        process.send_signal(number)
        rest, _ = process.communicate(timeout=60)
    return process.returncode, first + rest


def test_twenty_kills_at_random_moments_lose_and_double_nothing(store: Store, env: dict[str, str]) -> None:
    chance, index, ends = random.Random(7), 0, Counter[str]()  # noqa: S311 (the same every time)
    while ends.total() < KILLS:
        number = chance.choice([signal.SIGTERM, signal.SIGKILL])
        code, said = interrupted(env | {"JOB_COMPLETION_INDEX": str(index % SHARDS)}, number, chance.uniform(-0.1, 1.5))
        index += 1
        ends[f"{number.name} {code}"] += 1
        if code == 75:
            assert '"message": "stopped; the place is saved"' in said
    in_the_middle = ends["SIGTERM 75"], ends["SIGKILL -9"]
    assert min(in_the_middle) >= 3, ends
    assert [key for key in store.keys("results/") if "/parts/" in key], "places were saved, and gone on from"
    for shard in range(SHARDS):
        assert finish(env | {"JOB_COMPLETION_INDEX": str(shard)})[0] == 0
    lengths = {f"{number}.mp4": (SECONDS // 3 + number) * 3 * RATE for number in range(SHARDS * 2)}
    assert frames(store) == {name: list(range(length)) for name, length in lengths.items()}
    written = Counter(key for key, _ in versions(store) if key.startswith("results/"))
    assert set(written.values()) == {1}, "no object was written twice"
    assert_as_undisturbed(store, env)


def assert_as_undisturbed(store: Store, env: dict[str, str]) -> None:
    """The results are those of a batch that nobody killed, byte for byte."""
    calm = env | {"INFERENCE_OUTPUT": "calm/", "INFERENCE_SHARDS": "1"}
    assert finish(calm)[0] == 0
    keys = [key for key in store.keys("calm/") if ".inference" not in key]
    assert len(keys) == SHARDS * 2
    for key in keys:
        assert store.read(key) == store.read(key.replace("calm/", "results/", 1)), key


def test_a_stop_is_gone_on_from_and_not_begun_again(store: Store, env: dict[str, str]) -> None:
    one = env | {"INFERENCE_SHARDS": "1", "INFERENCE_SAVE_SECONDS": "1000"}
    code, said = interrupted(one, signal.SIGTERM, 2.0)
    assert code == 75, said
    (before,) = [json.loads(line)["Frames"] for line in said.splitlines() if "_aws" in line]
    code, lines = finish(one)
    assert code == 0
    (after,) = [line["Frames"] for line in lines if "_aws" in line]
    assert len(frames(store)) == SHARDS * 2
    assert before + after == sum((SECONDS // 3 + number) * 3 * RATE for number in range(SHARDS * 2))
