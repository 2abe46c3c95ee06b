"""Small real movies and models for tests: what a movie holds is known, so what is said of it can be checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

RED, GREEN, BLUE = (220, 20, 20), (20, 200, 20), (20, 20, 220)
NAMES = {RED: "red", GREEN: "green", BLUE: "blue"}
LABELS = ("red", "green", "blue")
Colour = tuple[int, int, int]


def make_movie(
    file: Path,
    colours: Sequence[Colour],
    per_second: int = 10,
    size: tuple[int, int] = (96, 64),
    codec: str = "mpeg4",
    **options: str,
) -> Path:
    """A movie of one plain colour a second, in their order; `size` is width and height, `options` the container's."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(file), "w", options=options) as container:
        stream = container.add_stream(codec, rate=per_second)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for colour in colours:
            image = np.full((size[1], size[0], 3), colour, dtype=np.uint8)
            for _ in range(per_second):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return file


def make_model(
    file: Path,
    shape: Sequence[int | str] = ("batch", 3, "height", "width"),
    metadata: dict[str, object] | None = None,
) -> Path:
    """A model whose scores are the mean of red, green and blue: a real ONNX graph, of one node that reduces."""
    from onnx import TensorProto, checker, helper, save

    sides = (2, 3) if shape[1] == 3 else (1, 2)
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], sides)
    node = helper.make_node("ReduceMean", ["images", "axes"], ["scores"], keepdims=0)
    graph = helper.make_graph(
        [node],
        "colours",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [shape[0], 3])],
        [axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(
        model, {key: json.dumps(value) for key, value in ({"labels": LABELS} | (metadata or {})).items()}
    )
    checker.check_model(model)
    file.parent.mkdir(parents=True, exist_ok=True)
    save(model, str(file))
    return file
