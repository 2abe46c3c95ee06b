"""Decoding and sampling, on real movies made here."""

from __future__ import annotations

from pathlib import Path

import pytest
from inference_worker.errors import BadInput
from inference_worker.frames import Image, sample

from tests.movies import BLUE, GREEN, NAMES, RED, make_movie

COLOURS = [RED, GREEN, BLUE, GREEN]


def colour(image: Image) -> str:
    """Name of the nearest colour; the codec changes each a little."""
    mean = image.reshape(-1, 3).mean(axis=0)
    return min(NAMES.items(), key=lambda item: sum((a - b) ** 2 for a, b in zip(item[0], mean, strict=True)))[1]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.mov"])
def test_one_frame_a_second_shows_each_colour_once(tmp_path: Path, name: str) -> None:
    frames = list(sample(make_movie(tmp_path / name, COLOURS), name, 1))
    assert [colour(frame.image) for frame in frames] == ["red", "green", "blue", "green"]
    assert [frame.number for frame in frames] == [0, 1, 2, 3]
    assert [round(frame.seconds, 3) for frame in frames] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("per_second", "times"),
    [
        (0.5, [0, 2]),
        (2, [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]),
        (3, [0, 0.4, 0.7, 1, 1.4, 1.7, 2, 2.4, 2.7, 3, 3.4, 3.7]),  # the first frame at or after each third
        (1000, [number / 10 for number in range(40)]),  # no frame twice
    ],
)
def test_the_rate_decides_which_frames(tmp_path: Path, per_second: float, times: list[float]) -> None:
    movie = make_movie(tmp_path / "a.mp4", COLOURS)
    assert [round(frame.seconds, 3) for frame in sample(movie, "a", per_second)] == times


def test_frames_are_scaled_down_and_never_up(tmp_path: Path) -> None:
    movie = make_movie(tmp_path / "a.mp4", [RED])
    shapes = [next(iter(sample(movie, "a", 1, width))).image.shape for width in (0, 48, 96, 4000)]
    assert shapes == [(64, 96, 3), (32, 48, 3), (64, 96, 3), (64, 96, 3)]


@pytest.mark.parametrize("per_second", [0, -1, float("nan"), 1001, float("inf")])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, per_second: float) -> None:
    with pytest.raises(BadInput, match="frame rate"):
        next(sample(tmp_path / "a.mp4", "a", per_second))


def test_what_is_no_movie_says_so(tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    file.write_bytes(b"not a movie at all" * 100)
    with pytest.raises(BadInput, match=r"s3://b/a.mp4: cannot be decoded: .*whole movie"):
        list(sample(file, "s3://b/a.mp4", 1))
    file.write_bytes(b"")
    with pytest.raises(BadInput, match="cannot be decoded"):
        list(sample(file, "s3://b/a.mp4", 1))


def test_a_movie_that_breaks_off_says_where(tmp_path: Path) -> None:
    # The index lies in front, so that what is left plays well, and only its length tells that the rest is missing.
    whole = make_movie(tmp_path / "a.mp4", COLOURS * 5, movflags="faststart").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    got: list[int] = []
    with pytest.raises(BadInput, match=r"s3://b/cut.mp4: (breaks off at \d+\.\d of 20.0 s|cannot be decoded after)"):
        got.extend(frame.number for frame in sample(cut, "s3://b/cut.mp4", 1))
    assert 0 < len(got) < 20


def test_sound_alone_is_no_movie(tmp_path: Path) -> None:
    import av
    import numpy as np

    file = tmp_path / "a.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(BadInput, match="holds no video"):
        list(sample(file, "a", 1))
