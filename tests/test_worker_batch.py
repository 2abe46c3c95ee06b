"""A shard of a batch as the process that a pod runs: what it writes, what it exits with, what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from inference_worker.store import Store, connect

from tests.aws.server import serving
from tests.movies import BLUE, GREEN, RED, make_model, make_movie
from tests.worker_batch import BUCKET, INPUT, KEYS, MODEL, environment, fill, finish, frames, start, versions


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with serving("123456789012") as url:
        yield url


@pytest.fixture
def env(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = environment(endpoint, **KEYS)
    for key, value in found.items():
        monkeypatch.setenv(key, value)
    return found


@pytest.fixture
def store(env: dict[str, str], tmp_path: Path) -> Store:
    """Three movies, of three, two and one second, and a model."""
    place = connect(env["INFERENCE_BUCKET"])
    names = {"a.mp4": [RED, GREEN, BLUE], "day/b.mp4": [GREEN, GREEN], "c.mkv": [BLUE]}
    movies = {INPUT + name: make_movie(tmp_path / name, colours).read_bytes() for name, colours in names.items()}
    fill(place, movies | {MODEL: make_model(tmp_path / "m.onnx").read_bytes()})
    return place


def test_a_shard_from_movies_to_results(store: Store, env: dict[str, str]) -> None:
    code, said = finish(env)
    assert code == 0, said
    assert frames(store) == {"a.mp4": [0, 1, 2], "c.mkv": [0], "day/b.mp4": [0, 1]}
    lines = [json.loads(line) for line in store.read("results/a.mp4.jsonl").splitlines()]
    assert [line["label"] for line in lines] == ["red", "green", "blue"]
    before = versions(store)
    code, said = finish(env)
    assert code == 0
    assert "this shard was done before" in {line.get("message") for line in said}
    assert versions(store) == before, "nothing is written again"


def test_metrics_are_told_in_cloudwatchs_embedded_format(store: Store, env: dict[str, str]) -> None:
    assert store
    _, said = finish(env)
    (told,) = [line for line in said if "_aws" in line]
    (about,) = told["_aws"]["CloudWatchMetrics"]
    assert about["Namespace"] == "InferenceFleet/Worker"
    assert (told["Frames"], told["Movies"]) == (6, 3)
    assert {each["Name"] for each in about["Metrics"]} <= set(told), "each metric has its value beside it"
    assert set(about["Dimensions"][0]) <= set(told)
    assert all(line["level"] and line["time"] for line in said if line is not told)


def test_shards_part_the_input_as_it_was_when_the_first_one_listed_it(store: Store, env: dict[str, str]) -> None:
    assert finish(env | {"INFERENCE_SHARDS": "2", "JOB_COMPLETION_INDEX": "1"})[0] == 0
    first = frames(store)
    assert 0 < len(first) < 3
    store.client.put_object(Bucket=BUCKET, Key=f"{INPUT}0.mp4", Body=store.read(f"{INPUT}a.mp4"))
    assert finish(env | {"INFERENCE_SHARDS": "2", "JOB_COMPLETION_INDEX": "0"})[0] == 0
    assert set(frames(store)) == {"a.mp4", "c.mkv", "day/b.mp4"}
    before = versions(store)
    assert finish(env | {"INFERENCE_RUN": "next-day"})[0] == 0
    written = {key for key, _ in versions(store)} - {key for key, _ in before}
    assert {key for key in written if ".inference" not in key} == {"results/0.mp4.jsonl"}, "only what is new"


def test_more_shards_than_movies(store: Store, env: dict[str, str]) -> None:
    for index in range(5):
        assert finish(env | {"INFERENCE_SHARDS": "5", "JOB_COMPLETION_INDEX": str(index)})[0] == 0
    assert set(frames(store)) == {"a.mp4", "c.mkv", "day/b.mp4"}


def test_a_movie_at_fault_ends_with_65_and_the_others_are_done(store: Store, env: dict[str, str]) -> None:
    store.client.put_object(Bucket=BUCKET, Key=f"{INPUT}broken.mp4", Body=b"junk" * 100)
    for _ in range(2):  # another attempt says the same
        code, said = finish(env)
        assert code == 65
        assert frames(store) == {"a.mp4": [0, 1, 2], "c.mkv": [0], "day/b.mp4": [0, 1]}
    (end,) = [line for line in said if line.get("message") == "ends"]
    assert end["at_fault"] == 1


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"INFERENCE_MODEL": ""}, "INFERENCE_MODEL: is not set"),
        ({"INFERENCE_MODEL": "models/none.onnx"}, "models/none.onnx: there is no such object"),
        ({"INFERENCE_MODEL": "movies/a.mp4"}, "is no model that can be loaded"),
        ({"INFERENCE_INPUT": "nothing/"}, "there is nothing below this prefix"),
        ({"INFERENCE_BUCKET": "another-bucket"}, "there is no such"),
        ({"INFERENCE_SHARDS": "0"}, "INFERENCE_SHARDS: `0` is no whole number of 1 or more"),
        ({"JOB_COMPLETION_INDEX": "1"}, "`1` is none of 1 shards"),
        ({"INFERENCE_OUTPUT": "movies/results/"}, "lies below the input"),
        ({"INFERENCE_FRAMES_PER_SECOND": "many"}, "`many` is no number"),
        ({"INFERENCE_GPU_MEMORY_MIB": "4000"}, "no CUDAExecutionProvider"),
    ],
)
def test_what_cannot_end_well_ends_at_once_with_65(
    store: Store, env: dict[str, str], told: dict[str, str], words: str
) -> None:
    code, said = finish(env | told)
    assert code == 65, said
    assert words in next(line["message"] for line in said if line.get("level") == "error")
    assert frames(store) == {}


def test_other_settings_do_not_mix_into_results(store: Store, env: dict[str, str]) -> None:
    assert finish(env)[0] == 0
    before = versions(store)
    for more in ({}, {"INFERENCE_RUN": "other"}):
        code, said = finish(env | {"INFERENCE_FRAMES_PER_SECOND": "2"} | more)
        assert code == 65, said
    assert frames(store)["a.mp4"] == [0, 1, 2]
    results = [each for each in versions(store) if ".inference" not in each[0]]
    assert results == [each for each in before if ".inference" not in each[0]]


def test_a_server_that_does_not_answer_is_worth_another_attempt(store: Store, env: dict[str, str]) -> None:
    assert store
    code, said = finish(env | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert code == 1, said


def test_a_stop_before_anything_is_done(store: Store, env: dict[str, str]) -> None:
    assert store
    with start(env) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["message"] == "starts"
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode in {75, 0}
