"""The worker's way through movies by what decoding them takes alone, PyAV and nothing else."""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from inference_worker.batch import Shard
from inference_worker.model import load
from inference_worker.progress import Progress
from inference_worker.settings import Settings
from inference_worker.store import Store, connect
from inference_worker.telemetry import Metrics

from tests.aws.server import serving
from tests.bench.measure import Row
from tests.movies import make_model
from tests.worker_batch import BUCKET, INPUT, KEYS, OUTPUT, fill

RUNS, MOVIES, SIZE, PER_SECOND = 3, 3, (1280, 720), 25
SECONDS, REPEATS = 10, 12
LEAST = 0.85
"""Part of decoding's own pace that the worker must reach."""


def rows(folder: Path) -> list[Row]:
    """Time of a whole shard by time to decode its movies, in turn, the median of pairs."""
    movie, model = _movie(folder / "a.mp4"), make_model(folder / "m.onnx", ("batch", 3, 64, 64))
    with serving("123456789012") as url, _environment(url):
        place = connect(BUCKET)
        fill(place, {f"{INPUT}{number}.mp4": movie.read_bytes() for number in range(MOVIES)})
        _work(place, model, 0)
        pairs = [(_work(place, model, run), _decode(movie)) for run in range(1, RUNS + 1)]
    mine, theirs = (statistics.median(side) * 1000 for side in zip(*pairs, strict=True))
    detail = f"{mine:.0f} ms by {theirs:.0f} ms, {RUNS} pairs; 1 / {LEAST} at most"
    return [
        Row(
            "a shard from S3 to S3 / decoding its movies alone",
            statistics.median(a / b for a, b in pairs),
            1 / LEAST,
            detail,
        )
    ]


def _work(place: Store, model: Path, run: int) -> float:
    told = Settings(BUCKET, INPUT, f"{OUTPUT}{run}/", "m")
    shard = Shard(Progress(place, told), load(model, "m"), Metrics(Run="bench"), lambda: False)
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        reports = shard.run()
    assert [report.frames for report in reports] == [SECONDS * REPEATS] * MOVIES
    return time.perf_counter() - start


def _decode(movie: Path) -> float:
    start = time.perf_counter()
    for _ in range(MOVIES):
        with av.open(str(movie)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            assert sum(1 for _ in container.decode(stream)) == SECONDS * REPEATS * PER_SECOND
    return time.perf_counter() - start


def _movie(file: Path) -> Path:
    """Noise that moves, over and over: a plain colour would decode faster than any real movie."""
    noise = np.random.default_rng(1).integers(0, 255, (SIZE[1] // 4, SIZE[0] // 4, 3), dtype=np.uint8)
    picture = noise.repeat(4, axis=0).repeat(4, axis=1)
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=PER_SECOND)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        packets = [
            packet
            for number in range(SECONDS * PER_SECOND)
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.roll(picture, number * 3, 1), format="rgb24"))
        ]
        packets += stream.encode()
        for number, packet in enumerate(packets * REPEATS):
            again = av.Packet(bytes(packet))
            again.stream, again.time_base, again.is_keyframe = stream, packet.time_base, packet.is_keyframe
            again.pts = again.dts = number
            container.mux(again)
    return file


@contextlib.contextmanager
def _environment(url: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update({**KEYS, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1"})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
