"""The worker's way through movies by what decoding them takes alone, PyAV and nothing else."""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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

RUNS, MOVIES, SIZE, PER_SECOND = 5, 3, (1280, 720), 25
SECONDS, REPEATS = 10, 6
CODECS = {"libx264": {"preset": "veryfast"}, "mpeg4": {}}
"""What movies are, by now, and a codec that costs a third of that to decode."""
LEAST = {"libx264": 0.85}
"""Part of decoding's own pace that the worker must reach. Beside a decoder of MPEG-4 the few milliseconds that each
picture takes weigh three times as much: that row is only told."""


def rows(folder: Path) -> list[Row]:
    """A whole shard by decoding its movies, in turn, the median of pairs: wall time, and CPU time of this process.

    Moto's server, which is S3 here, takes its share of the same cores.
    """
    model = make_model(folder / "m.onnx", ("batch", 3, 64, 64))
    with serving("123456789012") as url, _environment(url):
        return [row for codec in CODECS for row in _rows(codec, _movie(folder / f"{codec}.mp4", codec), model)]


def _rows(codec: str, movie: Path, model: Path) -> list[Row]:
    place = connect(BUCKET)
    fill(place, {f"{INPUT}{number}.mp4": movie.read_bytes() for number in range(MOVIES)})
    _work(place, model, 0)
    pairs = [(_took(_work, place, model, run), _took(_decode, movie)) for run in range(1, RUNS + 1)]
    what = f"a shard from S3 to S3 / decoding its movies alone, {codec}"
    return [_row(pairs, 0, what, LEAST.get(codec, 0)), _row(pairs, 1, f"{what}, CPU time", 0)]


Took = tuple[float, float]


def _took(run: Callable[..., None], *arguments: object) -> Took:
    """Seconds on the wall, and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(*arguments)
    return time.perf_counter() - wall, time.process_time() - cpu


def _row(pairs: list[tuple[Took, Took]], clock: int, what: str, least: float) -> Row:
    sides = [(ours[clock], peer[clock]) for ours, peer in pairs]
    mine, theirs = (statistics.median(side) * 1000 for side in zip(*sides, strict=True))
    detail = f"{mine:.0f} ms by {theirs:.0f} ms, {len(pairs)} pairs" + (f"; 1 / {least} at most" if least else "")
    return Row(what, statistics.median(a / b for a, b in sides), 1 / least if least else 0, detail)


def _work(place: Store, model: Path, run: int) -> None:
    told = Settings(BUCKET, INPUT, f"{OUTPUT}{run}/", "m")
    shard = Shard(Progress(place, told), load(model, "m"), Metrics(Run="bench"), lambda: False)
    with contextlib.redirect_stdout(io.StringIO()):
        reports = shard.run()
    assert [report.frames for report in reports] == [SECONDS * REPEATS] * MOVIES


def _decode(movie: Path) -> None:
    for _ in range(MOVIES):
        with av.open(str(movie)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            assert sum(1 for _ in container.decode(stream)) == SECONDS * REPEATS * PER_SECOND


def _movie(file: Path, codec: str) -> Path:
    """Noise that moves, over and over: a plain colour would decode faster than any real movie."""
    noise = np.random.default_rng(1).integers(0, 255, (SIZE[1] // 4, SIZE[0] // 4, 3), dtype=np.uint8)
    picture = noise.repeat(4, axis=0).repeat(4, axis=1)
    with av.open(str(file), "w") as container:
        stream = container.add_stream(codec, rate=PER_SECOND, options=CODECS[codec])
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        packets = [
            packet
            for number in range(SECONDS * PER_SECOND)
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.roll(picture, number * 3, 1), format="rgb24"))
        ]
        packets += stream.encode()
        for times in range(REPEATS):
            for packet in packets:
                container.mux(_again(packet, stream, times))
    return file


def _again(packet: av.Packet[Any], stream: av.VideoStream, times: int) -> av.Packet[Any]:
    """The same packet, so many movies later."""
    assert packet.pts is not None
    assert packet.dts is not None
    found, later = av.Packet(bytes(packet)), round(times * SECONDS / packet.time_base)
    found.stream, found.time_base, found.is_keyframe = stream, packet.time_base, packet.is_keyframe
    found.pts, found.dts = packet.pts + later, packet.dts + later
    return found


@contextlib.contextmanager
def _environment(url: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update({**KEYS, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1"})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
