"""The three stages and the summary, on real movies, a real model and a bucket of moto's server."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from inference_worker import stages, summary, tasks
from inference_worker.errors import BadInput
from inference_worker.model import load
from inference_worker.stages import Report
from inference_worker.store import Movie, Store, connect, shards
from PIL import Image as Pillow

from tests.aws.server import serving
from tests.movies import BLUE, GREEN, RED, make_model, make_movie

BUCKET = "demo-bucket"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with serving("123456789012") as url:
        yield url


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty bucket."""
    for key, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "2",
    }.items():
        monkeypatch.setenv(key, value)
    found = connect(BUCKET)
    found.client.create_bucket(Bucket=BUCKET)
    for each in found.client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        found.client.delete_object(Bucket=BUCKET, Key=each["Key"])
    return found


def fill(store: Store, objects: dict[str, bytes]) -> None:
    for key, body in objects.items():
        store.client.put_object(Bucket=store.bucket, Key=key, Body=body)


def body(store: Store, url: str) -> bytes:
    return store.client.get_object(Bucket=store.bucket, Key=url.removeprefix(store.url("")))["Body"].read()


def test_only_movies_are_listed_in_order_over_pages(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["movies/b.mp4", "movies/a.MOV", "movies/day/c.mkv", "movies/readme.txt", "movies/", "other/d.mp4"]
    fill(store, dict.fromkeys(names, b"xx"))
    paginator = store.client.get_paginator("list_objects_v2")
    small = paginator.paginate
    monkeypatch.setattr(paginator, "paginate", lambda **more: small(PaginationConfig={"PageSize": 2}, **more))
    monkeypatch.setattr(store.client, "get_paginator", lambda _: paginator)
    assert store.movies("movies/") == [Movie(key, 2) for key in ("movies/a.MOV", "movies/b.mp4", "movies/day/c.mkv")]


def test_an_empty_prefix_a_wrong_bucket_and_a_missing_object_say_so(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="s3://demo-bucket/movies/: there is nothing below this prefix"):
        store.movies("movies/")
    fill(store, {"movies/notes.txt": b""})
    with pytest.raises(BadInput, match="1 objects, none of them a movie"):
        store.movies("movies/")
    with pytest.raises(BadInput, match="there is no such bucket"):
        Store("another-bucket", store.client).movies("movies/")
    with pytest.raises(BadInput, match=r"s3://demo-bucket/m\.onnx: there is no such object"):
        store.download("m.onnx", tmp_path / "m")
    with pytest.raises(BadInput, match="there is no such object"):
        store.read("m.onnx")


def test_shards_hold_every_movie_once_and_about_the_same() -> None:
    movies = [Movie(f"{number:03d}.mp4", size=(number * 37) % 101 + 1) for number in range(100)]
    found = shards(movies, 7)
    assert sorted((movie for shard in found for movie in shard), key=lambda movie: movie.key) == movies
    sizes = [sum(movie.size for movie in shard) for shard in found]
    assert len(found) == 7
    assert max(sizes) - min(sizes) <= 2
    assert shards(reversed(movies), 7) == found
    assert [len(shard) for shard in shards(movies[:3], 7)] == [1, 1, 1]
    assert len(shards([Movie(f"{number}", 0) for number in range(4)], 2)[0]) == 2, "empty files are spread too"
    with pytest.raises(BadInput, match="less than 1"):
        shards(movies, 0)


def run(store: Store, folder: Path, movies: list[Movie]) -> list[Report]:
    """All three stages, as three pods would."""
    stages.preprocess(store, movies, folder / "sampled", per_second=1, width=0)
    model = load(make_model(folder / "m.onnx"), "m")
    stages.predict(folder / "sampled", model, folder / "predicted")
    return stages.write(store, folder / "sampled", folder / "predicted", "movies/", "results/run/")


def test_what_is_written_is_what_the_movies_hold(store: Store, tmp_path: Path) -> None:
    made = make_movie(tmp_path / "a.mp4", [RED, GREEN, BLUE, GREEN])
    fill(store, {"movies/day/a.mp4": made.read_bytes()})
    (report,) = run(store, tmp_path, store.movies("movies/"))
    assert report == Report(
        movie="movies/day/a.mp4",
        frames=4,
        seconds=3.0,
        labels={"blue": 1, "green": 2, "red": 1},
        results="s3://demo-bucket/results/run/day/a.mp4.jsonl",
        sheet="s3://demo-bucket/results/run/day/a.mp4.jpg",
    )
    lines = [json.loads(line) for line in body(store, report.results).splitlines()]
    assert [(line["frame"], line["seconds"], line["label"]) for line in lines] == [
        (0, 0.0, "red"),
        (1, 1.0, "green"),
        (2, 2.0, "blue"),
        (3, 3.0, "green"),
    ]
    assert {line["movie"] for line in lines} == {"s3://demo-bucket/movies/day/a.mp4"}
    for line, colour in zip(lines, (RED, GREEN, BLUE, GREEN), strict=True):  # the codec changes colours by a few steps
        assert list(line["scores"].values()) == pytest.approx([part / 255 for part in colour], abs=0.03)


def test_the_contact_sheet_shows_the_frames_in_order(store: Store, tmp_path: Path) -> None:
    fill(store, {"movies/a.mp4": make_movie(tmp_path / "a.mp4", [RED, GREEN, BLUE]).read_bytes()})
    (report,) = run(store, tmp_path, store.movies("movies/"))
    sheet = np.asarray(Pillow.open(io.BytesIO(body(store, report.sheet))))
    assert sheet.shape == (22 + 160 + 22, 3 * 240, 3)
    for column, colour in enumerate((RED, GREEN, BLUE)):
        middle = sheet[22 + 80, column * 240 + 120]
        assert middle.tolist() == pytest.approx(list(colour), abs=12)
        caption = sheet[22 + 160 :, column * 240 : (column + 1) * 240]
        assert caption.max() > 180, "light text on a dark ground"


def test_movies_at_fault_leave_the_others_whole(store: Store, tmp_path: Path) -> None:
    good = make_movie(tmp_path / "a.mp4", [GREEN, GREEN]).read_bytes()
    late = make_movie(tmp_path / "b.mp4", [RED] * 20, movflags="faststart").read_bytes()
    fill(
        store,
        {
            "movies/1.mp4": good,
            "movies/2-broken.mp4": b"junk" * 100,
            "movies/3-cut.mp4": late[: len(late) // 2],
            "movies/4.mp4": good,
        },
    )
    movies = [*store.movies("movies/"), Movie("movies/5-gone.mp4", 1)]
    reports = run(store, tmp_path, movies)
    assert [bool(report.problem) for report in reports] == [False, True, True, False, True]
    assert reports[0].labels == reports[3].labels == {"green": 2}
    assert "2-broken.mp4: cannot be decoded" in reports[1].problem
    assert "3-cut.mp4: " in reports[2].problem
    assert "5-gone.mp4: there is no such object" in reports[4].problem
    written = [each["Key"] for each in store.client.list_objects_v2(Bucket=BUCKET, Prefix="results/")["Contents"]]
    assert written == [f"results/run/{number}.mp4.{kind}" for number in (1, 4) for kind in ("jpg", "jsonl")]


def test_a_shard_that_died_is_told_and_the_others_are_whole(store: Store, tmp_path: Path) -> None:
    store.put("models/m.onnx", make_model(tmp_path / "m.onnx").read_bytes(), "application/octet-stream")
    fill(store, {f"movies/{name}.mp4": make_movie(tmp_path / f"{name}.mp4", [RED]).read_bytes() for name in "ab"})
    plan, frames, said, page = (str(tmp_path / name) for name in ("plan", "frames", "said", "page"))
    assert tasks.plan(plan, BUCKET, "movies/", "models/m.onnx", "results/", "a-run", 2) == [0, 1]
    tasks.preprocess(plan, 1, 1.0, 0, frames)
    tasks.predict(plan, frames, "cpu", said)
    tasks.write(plan, 1, frames, said)  # and shard 0 never comes to this
    assert tasks.summarize(BUCKET, "results/", "a-run", page)["movies_failed"] == 1
    assert "1 of 2 movies done" in Path(page).read_text()
    with pytest.raises(BadInput, match=r"1 of 2 movies failed: s3://demo-bucket/movies/\w.mp4: no report: its shard"):
        tasks.verdict(BUCKET, "results", "a-run")
    tasks.preprocess(plan, 0, 1.0, 0, f"{frames}-0")
    tasks.predict(plan, f"{frames}-0", "cpu", f"{said}-0")
    tasks.write(plan, 0, f"{frames}-0", f"{said}-0")
    tasks.verdict(BUCKET, "results/", "a-run")
    assert tasks.summarize(BUCKET, "results/", "a-run", page)["share_red"] == 1


def test_a_run_that_planned_nothing_says_where_to_look(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nothing was planned .*see what the task `plan` said"):
        tasks.summarize(store.bucket, "results/", "another-run", str(tmp_path / "page"))


def test_the_summary_counts_and_shows_failures_first() -> None:
    reports = [
        Report("movies/<a>.mp4", frames=3, seconds=2.0, labels={"green": 1, "red": 2}, results="s3://b/a.jsonl"),
        Report("movies/b.mp4", problem="s3://b/movies/b.mp4: cannot be decoded"),
        Report("movies/c.mp4", frames=1, seconds=0.0, labels={"red": 1}),
    ]
    assert summary.metrics(reports) == {
        "movies": 3,
        "movies_failed": 1,
        "frames": 4,
        "movie_seconds": 2.0,
        "share_green": 0.25,
        "share_red": 0.75,
    }
    page = summary.page("a run", reports)
    assert "2 of 3 movies done" in page
    assert "1 failed" in page
    assert page.index("cannot be decoded") < page.index("a.jsonl")
    assert "movies/&lt;a&gt;.mp4" in page
    assert "http" not in page.replace("s3://", ""), "it needs nothing from elsewhere"
