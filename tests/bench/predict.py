"""The worker's way to ask a model by onnxruntime alone, in a bare loop over tensors that lie ready."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from av import VideoFrame
from av.video.reformatter import VideoReformatter
from inference_worker.ahead import Ahead
from inference_worker.batch import BATCHES_AHEAD, Decoded, Shard, Work
from inference_worker.frames import Frame, Image
from inference_worker.model import BATCH, PROVIDERS, Device, Model, load
from inference_worker.progress import Progress
from inference_worker.settings import Settings
from inference_worker.store import Store
from inference_worker.telemetry import Metrics

from tests.bench import resnet
from tests.bench.measure import Row

LEAST = 0.9
"""Part of the bare loop's images a second that the worker must reach."""
BATCHES: dict[Device, int] = {"cpu": 3, "cuda": 60}
RUNS = 5


def rows(folder: Path) -> list[Row]:
    """Time of the worker by the bare loop's, in turn, the median of pairs: on the CPU, and on a GPU if there is one."""
    model = resnet.make(folder / "resnet.onnx")
    return [_row(model, device) for device in BATCHES]


def _row(file: Path, device: Device) -> Row:
    what = f"ResNet-50's size on {device}, decoded frames to answers / onnxruntime in a bare loop"
    if PROVIDERS[device] not in ort.get_available_providers():
        return Row(what, math.nan, detail=f"not run: onnxruntime offers no {PROVIDERS[device]} here")
    images = _images(BATCH * BATCHES[device])
    ours, bare = load(file, "resnet", device), ort.InferenceSession(str(file), providers=[PROVIDERS[device]])
    batches = [ours.prepared(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
    _loop(bare, batches[:1]), _work(ours, images[:BATCH])
    pairs = [(_work(ours, images), _loop(bare, batches)) for _ in range(RUNS)]
    mine, theirs = (len(images) / statistics.median(side) for side in zip(*pairs, strict=True))
    detail = f"{mine:.1f} by {theirs:.1f} images a second, {RUNS} pairs; 1 / {LEAST} at most"
    return Row(what, statistics.median(a / b for a, b in pairs), 1 / LEAST, detail)


def _images(count: int) -> list[Image]:
    shape = (count, resnet.SIDE, resnet.SIDE, 3)
    return list(np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8))


def _work(model: Model, images: Sequence[Image]) -> float:
    """As a shard does it once frames are decoded: one thread makes images and tensors, another asks the model."""
    # No bucket is asked for anything.
    nothing: Any = None
    shard = Shard(Progress(Store("b", nothing), Settings("b", "i/", "o/", "m")), model, Metrics(), lambda: False)
    work, reformatter, size = Work("a.mp4"), VideoReformatter(), (resnet.SIDE, resnet.SIDE)
    frames = [
        Frame(number, float(number), VideoFrame.from_ndarray(image, format="rgb24"), size, reformatter)
        for number, image in enumerate(images)
    ]
    decoded = [*(Decoded(work, frame) for frame in frames), Decoded(work, None)]
    start = time.perf_counter()
    for chunk in Ahead(shard.fitted(decoded), BATCHES_AHEAD):
        shard.answer(chunk)
    assert len(work.answers) == len(images)
    return time.perf_counter() - start


def _loop(session: ort.InferenceSession, batches: Sequence[Any]) -> float:
    start = time.perf_counter()
    for batch in batches:
        session.run(None, {"images": batch})
    return time.perf_counter() - start
