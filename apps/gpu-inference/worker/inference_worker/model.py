"""An ONNX model that says something about an image.

Its one input holds images as floats, [batch, 3, height, width] or [batch, height, width, 3]; its first output one score
a class, [batch, classes]. What else there is to know stands in the model's own metadata, each value as JSON:
`labels` (the classes' names), `mean` and `std` (of each channel, for values from 0 to 1), `softmax` (true: the scores
are logits).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from inference_worker.errors import BadInput
from inference_worker.frames import Image

if TYPE_CHECKING:
    import onnxruntime as ort

Device = Literal["cpu", "cuda"]
PROVIDERS: dict[str, str] = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
BATCH = 16
"""Images at a time, where the model leaves it open."""
Floats = NDArray[np.float32]


class Session(Protocol):
    """What runs a model: onnxruntime's InferenceSession, or a server that is asked in its words."""

    def get_inputs(self) -> Sequence[Any]:
        """Name, type and shape of each input."""

    def get_modelmeta(self) -> Any:
        """`custom_metadata_map`: text by key."""

    def run(self, output_names: None, input_feed: dict[str, Floats]) -> Sequence[Any]:
        """The outputs, in their order."""


@dataclass(frozen=True)
class Prediction:
    """What a model says of one image: the class with the highest score, that score, and all scores by class."""

    label: str
    score: float
    scores: dict[str, float]


@dataclass(frozen=True)
class Model:
    """A loaded model. `name` is what messages call it."""

    session: Session
    name: str

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """One prediction an image, in their order. The images are of one shape. Raises BadInput for a model unfit."""
        return self.asked(self.prepared(images))

    def prepared(self, images: Sequence[Image]) -> Floats:
        """The images as the model's input wants them, one or more. A thread can do this while the model is asked."""
        height, width = self._size
        fitted = [_fitted(image, height, width) for image in images]
        order, about = ((2, 0, 1), (-1, 1, 1)) if self._channels_first else ((0, 1, 2), (-1,))
        mean, std = (self._channels(key, default).reshape(about) for key, default in (("mean", 0.0), ("std", 1.0)))
        values = np.empty((len(fitted), *(fitted[0].shape[axis] for axis in order)), np.float32)
        for place, image in zip(values, fitted, strict=True):
            np.divide(image.transpose(order), np.float32(255), out=place)
            place -= mean
            place /= std
        return values

    def asked(self, values: Floats) -> list[Prediction]:
        """What the model says of images that are prepared."""
        size = self._batch or BATCH
        batches = (values[start : start + size] for start in range(0, len(values), size))
        return [self._told(row) for batch in batches for row in self._scores(batch)]

    def fitted(self, image: Image) -> Image:
        """The image at the size that the model insists on, or as it is."""
        return _fitted(image, *self._size)

    def _scores(self, values: Floats) -> Floats:
        count = len(values)
        if self._batch and count < self._batch:  # a fixed batch is filled up, and what that gives is dropped
            fill = np.zeros((self._batch - count, *values.shape[1:]), values.dtype)
            values = np.concatenate([values, fill])
        found = np.asarray(self.session.run(None, {self._input.name: values})[0], dtype=np.float32)
        if found.ndim != 2 or len(found) < count:
            raise BadInput(self.name, f"its output has the shape {list(found.shape)}", "it must be [batch, classes]")
        found = found[:count]
        return _softmax(found) if self._metadata.get("softmax") else found

    def _told(self, row: Floats) -> Prediction:
        labels = self._labels or [str(number) for number in range(len(row))]
        if len(labels) != len(row):
            raise BadInput(self.name, f"its metadata names {len(labels)} labels, its output has {len(row)} classes")
        best = int(row.argmax())
        scores = np.round(row.astype(np.float64), 6).tolist()
        return Prediction(labels[best], scores[best], dict(zip(labels, scores, strict=True)))

    @cached_property
    def _labels(self) -> list[str]:
        return [str(label) for label in self._metadata.get("labels") or []]

    def _channels(self, key: str, default: float) -> Floats:
        value = np.asarray(self._metadata.get(key, default), dtype=np.float32)
        if value.shape not in {(), (3,)}:
            raise BadInput(self.name, f"its metadata gives `{key}` as {value.tolist()}", "one number a channel, three")
        return value

    @property
    def _input(self) -> Any:
        return self.session.get_inputs()[0]

    @property
    def _batch(self) -> int | None:
        """The batch size that the model insists on."""
        first = self._input.shape[0]
        return first if isinstance(first, int) else None

    @property
    def _channels_first(self) -> bool:
        return bool(self._input.shape[1] == 3)

    @property
    def _size(self) -> tuple[int | None, int | None]:
        """Height and width of the input; None where the model takes any."""
        sides = self._input.shape[2:4] if self._channels_first else self._input.shape[1:3]
        height, width = (side if isinstance(side, int) else None for side in sides)
        return height, width

    @cached_property
    def _metadata(self) -> dict[str, Any]:
        found = {}
        for key, text in self.session.get_modelmeta().custom_metadata_map.items():
            if key in {"labels", "mean", "std", "softmax"}:
                try:
                    found[key] = json.loads(text)
                except ValueError:
                    raise BadInput(self.name, f"its metadata gives `{key}` as `{text}`, which is no JSON") from None
        return found


def load(path: Path, name: str, device: Device = "cpu", gpu_memory_mib: int = 0) -> Model:
    """The model in a file. On a GPU it keeps to so much of the memory; 0: it takes what it needs.

    Raises BadInput where it is none, or takes no images. And where CUDA was asked for and is not there: a GPU that is
    paid for and not used must not go unseen.
    """
    import onnxruntime as ort

    provider = PROVIDERS[device]
    if provider not in ort.get_available_providers():
        raise BadInput(device, f"this image has no {provider}", "use the worker's CUDA image on a GPU node")
    ort.set_default_logger_severity(3)
    if device == "cuda":
        ort.preload_dlls()  # CUDA and cuDNN of the extra `cuda` lie among the packages, where no loader looks
    options = {"gpu_mem_limit": str(gpu_memory_mib * 2**20)} if device == "cuda" and gpu_memory_mib else {}
    try:
        session = ort.InferenceSession(str(path), _quiet(ort.SessionOptions()), providers=[(provider, options)])
    except Exception as error:  # noqa: BLE001 (onnxruntime's own errors have no other common class)
        raise BadInput(name, f"is no model that can be loaded: {str(error).splitlines()[0]}") from None
    if provider not in session.get_providers():
        raise BadInput(device, f"{provider} did not start", "is there a GPU, and do the drivers fit?")
    check_input(session, name)
    return Model(session, name)


def _quiet(options: ort.SessionOptions) -> ort.SessionOptions:
    """After each batch onnxruntime's threads would spin for more work, on the cores that decode the next one."""
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def check_input(session: Session, name: str) -> None:
    """Raises BadInput where a model takes anything but images."""
    inputs = session.get_inputs()
    shapes = [f"{each.type} {each.shape}" for each in inputs]
    fits = len(inputs) == 1 and inputs[0].type == "tensor(float)" and len(inputs[0].shape) == 4
    if not fits or 3 not in (inputs[0].shape[1], inputs[0].shape[3]):
        wanted = "one input of floats, [batch, 3, height, width] or [batch, height, width, 3]"
        raise BadInput(name, f"takes {' and '.join(shapes) or 'nothing'}, which is no image", f"it must take {wanted}")


def _fitted(image: Image, height: int | None, width: int | None) -> Image:
    size = (width or image.shape[1], height or image.shape[0])
    if size == (image.shape[1], image.shape[0]):
        return image
    return np.asarray(Pillow.fromarray(image).resize(size, Pillow.Resampling.BILINEAR))


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
