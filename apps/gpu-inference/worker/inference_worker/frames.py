"""A movie file into frames at a steady rate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from inference_worker.errors import BadInput

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Image = NDArray[np.uint8]
"""Height × width × RGB, 0 to 255."""
MOST_PER_SECOND = 1000
MISSING_SECONDS = Fraction(1)
"""How much of the end may be missing before a movie counts as cut off: containers round."""


@dataclass(frozen=True)
class Frame:
    """One sampled frame: its number among the sampled, from 0, and its time since the movie's first frame.

    It is kept as it was decoded: whoever needs the image makes it, in a thread of his own while decoding goes on.
    """

    number: int
    seconds: float
    decoded: VideoFrame
    size: tuple[int, int]
    """Width and height of the image. All images of a movie are of one, whatever its frames are."""
    reformatter: VideoReformatter
    """Of all frames of a movie: to set one up for each frame costs more than the work itself."""

    @property
    def image(self) -> Image:
        """RGB."""
        width, height = self.size
        return self.reformatter.reformat(self.decoded, width, height, "rgb24").to_ndarray().astype(np.uint8, copy=False)


def sample(path: Path, name: str, per_second: float, width: int = 0, first: int = 0) -> Iterator[Frame]:
    """The first frame at or after each multiple of 1/`per_second` seconds, scaled down to `width` pixels (0: never).

    Those before number `first` are decoded, and left out. Images of one movie are made in one thread at a time.

    Raises BadInput, with `name`, where the file is no movie, cannot be decoded, or ends before its end. By then the
    frames before the fault have been given.
    """
    if not 0 < per_second <= MOST_PER_SECOND:
        raise BadInput("frame rate", f"`{per_second:g}` frames a second", f"more than 0, at most {MOST_PER_SECOND}")
    at = Fraction(0)
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise BadInput(name, "holds no video")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            reformatter = VideoReformatter()
            timed = _whole(_timed(container, stream), stream, name)
            for number, (at, frame) in enumerate(_thinned(timed, Fraction(per_second).limit_denominator(10_000))):
                if number >= first:
                    yield Frame(number, float(at), frame, _size(stream, width), reformatter)
    except av.error.FFmpegError as error:
        where = f" after {float(at):.1f} s" if at else ""
        raise BadInput(name, f"cannot be decoded{where}: {error.strerror}", "is it a whole movie?") from None


Timed = Iterator[tuple[Fraction, "VideoFrame"]]


def _timed(container: InputContainer, stream: VideoStream) -> Timed:
    """Every frame with its time since the first one, in seconds. A frame without a time is left out."""
    start: Fraction | None = None
    for frame in container.decode(stream):
        if frame.pts is not None and frame.time_base is not None:
            time = frame.pts * frame.time_base
            start = time if start is None else start
            yield time - start, frame


def _whole(timed: Timed, stream: VideoStream, name: str) -> Timed:
    """The same; raises BadInput at the end where there was nothing, or less than the container promised."""
    at: Fraction | None = None
    for at, frame in timed:
        yield at, frame
    if at is None:
        raise BadInput(name, "holds no frame that has a time")
    if stream.duration is None or stream.time_base is None:
        return  # Matroska, for one, does not say how long a stream is
    promised = stream.duration * stream.time_base
    if promised - at > MISSING_SECONDS + 1 / (stream.average_rate or 1):
        raise BadInput(name, f"breaks off at {float(at):.1f} of {float(promised):.1f} s", "upload it again")


def _thinned(timed: Timed, per_second: Fraction) -> Timed:
    due = 0
    for at, frame in timed:
        if at * per_second >= due:
            yield at, frame
            due = math.floor(at * per_second) + 1


def _size(stream: VideoStream, width: int) -> tuple[int, int]:
    """The size that the movie began with, or smaller."""
    whole_width, whole_height = stream.codec_context.width, stream.codec_context.height
    if 0 < width < whole_width:
        return width, max(1, round(whole_height * width / whole_width))
    return whole_width, whole_height
