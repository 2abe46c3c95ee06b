"""What is said of a movie, as files: JSON lines for machines, an annotated contact sheet for people."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from inference_worker.frames import Image
from inference_worker.model import Prediction

COLUMNS = 6
MOST_TILES = 60
TILE_WIDTH, CAPTION_HEIGHT = 240, 22
"""In pixels; a tile's height follows from the movie's shape."""
BACKGROUND, INK = (24, 24, 24), (235, 235, 235)


@dataclass(frozen=True)
class Answer:
    """What the model says of one sampled frame."""

    number: int
    seconds: float
    prediction: Prediction


def json_lines(movie: str, answers: Iterable[Answer]) -> bytes:
    """One line a frame: movie, frame, seconds, label, score, scores. The same input gives the same bytes."""
    return "".join(f"{json.dumps(_line(movie, answer), ensure_ascii=False)}\n" for answer in answers).encode()


def answers(lines: bytes) -> list[Answer]:
    """What `json_lines` wrote."""
    read = (json.loads(line) for line in lines.splitlines())
    return [
        Answer(each["frame"], each["seconds"], Prediction(each["label"], each["score"], each["scores"]))
        for each in read
    ]


def _line(movie: str, answer: Answer) -> dict[str, object]:
    said = answer.prediction
    place = {"movie": movie, "frame": answer.number, "seconds": round(answer.seconds, 6)}
    return {**place, "label": said.label, "score": said.score, "scores": said.scores}


def contact_sheet(title: str, answers: Sequence[Answer], image_of: Callable[[int], Image]) -> bytes:
    """A JPEG: the title, and under it frames, evenly chosen where there are too many, each with time, label and score.

    `image_of` gives the image of a frame by its number.
    """
    chosen = _evenly(answers, MOST_TILES)
    columns = min(COLUMNS, len(chosen))
    tile_height = _tile_height(image_of(chosen[0].number))
    step = tile_height + CAPTION_HEIGHT
    sheet = Pillow.new("RGB", (columns * TILE_WIDTH, CAPTION_HEIGHT + -(-len(chosen) // columns) * step), BACKGROUND)
    _write(sheet, title, 0, 0, sheet.width)
    for place, answer in enumerate(chosen):
        left, top = place % columns * TILE_WIDTH, CAPTION_HEIGHT + place // columns * step
        tile = Pillow.fromarray(image_of(answer.number)).resize((TILE_WIDTH, tile_height))
        sheet.paste(tile, (left, top))
        caption = f"{answer.seconds:.1f} s  {answer.prediction.label}  {answer.prediction.score:.2f}"
        _write(sheet, caption, left, top + tile_height, TILE_WIDTH)
    written = io.BytesIO()
    sheet.save(written, "JPEG", quality=88)
    return written.getvalue()


def _evenly(items: Sequence[Answer], most: int) -> Sequence[Answer]:
    if len(items) <= most:
        return items
    return [items[place * (len(items) - 1) // (most - 1)] for place in range(most)]


def _tile_height(image: Image) -> int:
    return max(1, round(TILE_WIDTH * int(image.shape[0]) / int(image.shape[1])))


def _write(sheet: Pillow.Image, text: str, left: int, top: int, width: int) -> None:
    """One line of text, cut off where it does not fit."""
    font = ImageFont.load_default(size=CAPTION_HEIGHT - 8)
    line = text
    while len(line) > 1 and font.getlength(line) > width - 8:
        line = line.removesuffix("…")[:-1] + "…"
    ImageDraw.Draw(sheet).text((left + 4, top + 2), line, INK, font)
