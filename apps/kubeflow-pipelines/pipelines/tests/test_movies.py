"""The movie pipeline, run by kfp's own local runner: each task a process of its own, on real movies and a real model.

S3 is moto's server. What a cluster adds (drivers, Argo, nodes, a GPU) is not here.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from inference_worker.store import Store, connect
from kfp import local
from moto.server import ThreadedMotoServer
from movie_pipelines.movies import movies

from tests.movies import BLUE, GREEN, RED, make_model, make_movie

BUCKET = "demo-bucket"
GOOD = {"movies/a.mp4": [RED, GREEN], "movies/day/b.mkv": [BLUE] * 3, "movies/day/c.mp4": [GREEN, BLUE, RED]}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@dataclass(frozen=True)
class Scene:
    store: Store
    folder: Path

    def run(self, **parameters: object) -> str:
        """Runs the pipeline; says why it failed, or nothing."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it tells of every setting that only a cluster knows
            local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(self.folder / "out"))
            try:
                movies(bucket=BUCKET, **parameters)
            except RuntimeError as error:
                return str(error)
        return ""

    def task(self, name: str) -> dict[str, Any]:
        """What a task handed over when it was done."""
        (found,) = self.folder.glob(f"out/*/{name}/executor_output.json")
        return json.loads(found.read_text())

    def ran(self, name: str) -> int:
        return len(list(self.folder.glob(f"out/**/{name}/executor_output.json")))

    def metrics(self) -> dict[str, float]:
        return self.task("summarize")["artifacts"]["metrics"]["artifacts"][0]["metadata"]

    def page(self) -> str:
        (found,) = self.folder.glob("out/*/summarize/summary")
        return found.read_text()

    def written(self) -> dict[str, bytes]:
        """What the run wrote, by key below its own folder."""
        keys = self.store.keys("results/pipelines/")
        assert len({key.split("/")[2] for key in keys}) == 1, "one run, one folder"
        return {key.split("/", 3)[3]: self.store.read(key) for key in keys}


@pytest.fixture
def scene(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A bucket with three movies and a model."""
    for key, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(key, value)
    store = connect(BUCKET)
    store.client.create_bucket(Bucket=BUCKET)
    for key in store.keys(""):
        store.client.delete_object(Bucket=BUCKET, Key=key)
    for key, colours in GOOD.items():
        store.put(key, make_movie(tmp_path / "made" / key, colours).read_bytes(), "video/mp4")
    store.put("models/movies.onnx", make_model(tmp_path / "m.onnx").read_bytes(), "application/octet-stream")
    return Scene(store, tmp_path)


def labels(body: bytes) -> list[tuple[float, str]]:
    return [(line["seconds"], line["label"]) for line in map(json.loads, body.splitlines())]


def test_results_are_what_the_movies_hold_and_movies_at_fault_leave_them_whole(
    scene: Scene, capfd: pytest.CaptureFixture[str]
) -> None:
    scene.store.put("movies/broken.mp4", b"junk" * 100, "video/mp4")
    failure = scene.run(parallelism=2)
    assert "verdict" in failure
    said = capfd.readouterr().out
    assert "1 of 4 movies failed: s3://demo-bucket/movies/broken.mp4: cannot be decoded" in said
    assert scene.ran("preprocess") == 2, "as many shards as asked for"
    found = scene.written()
    assert labels(found["a.mp4.jsonl"]) == [(0, "red"), (1, "green")]
    assert labels(found["day/b.mkv.jsonl"]) == [(0, "blue"), (1, "blue"), (2, "blue")]
    assert labels(found["day/c.mp4.jsonl"]) == [(0, "green"), (1, "blue"), (2, "red")]
    sheets = sorted(key for key in found if key.endswith(".jpg"))
    assert sheets == ["a.mp4.jpg", "day/b.mkv.jpg", "day/c.mp4.jpg"]
    assert all(found[sheet].startswith(b"\xff\xd8") for sheet in sheets)
    assert scene.metrics() == {
        "movies": 4,
        "movies_failed": 1,
        "frames": 8,
        "movie_seconds": 5,
        "share_blue": 0.5,
        "share_green": 0.25,
        "share_red": 0.25,
    }
    page = scene.page()
    assert page.index("cannot be decoded") < page.index("day/b.mkv")


def test_the_screen_chooses_rate_shards_and_places(scene: Scene) -> None:
    assert not scene.run(
        parallelism=100, frames_per_second=2.0, prefix="movies/day/", output="results/pipelines", frame_width=32
    )
    assert scene.ran("preprocess") == 2, "no more shards than movies"
    found = scene.written()
    assert labels(found["c.mp4.jsonl"]) == [
        (0, "green"),
        (0.5, "green"),
        (1, "blue"),
        (1.5, "blue"),
        (2, "red"),
        (2.5, "red"),
    ]
    assert scene.metrics()["movies_failed"] == 0


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"prefix": "none/"}, "s3://demo-bucket/none/: there is nothing below this prefix"),
        ({"model": "models/none.onnx"}, "s3://demo-bucket/models/none.onnx: there is no such object"),
        ({"model": "movies/a.mp4"}, "s3://demo-bucket/movies/a.mp4: is no model that can be loaded"),
        ({"parallelism": 0}, "parallelism: `0` is less than 1"),
    ],
)
def test_what_cannot_work_fails_before_any_movie_is_touched(
    scene: Scene, capfd: pytest.CaptureFixture[str], parameters: dict[str, object], words: str
) -> None:
    assert "plan" in scene.run(**parameters)
    assert words in capfd.readouterr().out
    assert scene.ran("preprocess") == 0
    assert scene.store.keys("results/") == []


def test_a_gpu_that_is_not_there_fails_its_shards_and_the_page_tells(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime
    from kfp.local.orchestrator import task_executor

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine's onnxruntime has CUDA")
    waits: list[float] = []
    monkeypatch.setattr(task_executor.time, "sleep", waits.append)  # before each further attempt
    assert scene.run(gpu=True, parallelism=1, prefix="movies/day/")
    assert waits == [30, 60, 120]
    assert scene.metrics()["movies_failed"] == 2
    assert "its shard failed" in scene.page()
