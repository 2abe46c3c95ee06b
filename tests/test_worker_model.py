"""Prediction, with real ONNX models made here and run by onnxruntime on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from inference_worker.errors import BadInput
from inference_worker.frames import Image
from inference_worker.model import load

from tests.movies import BLUE, GREEN, RED, Colour, make_model


def plain(colour: Colour, height: int = 8, width: int = 12) -> Image:
    return np.full((height, width, 3), colour, dtype=np.uint8)


IMAGES = [plain(colour) for colour in (RED, GREEN, BLUE, GREEN, RED)]


@pytest.mark.parametrize(
    "shape",
    [
        ("batch", 3, "height", "width"),
        ("batch", 3, 4, 6),
        ("batch", "height", "width", 3),
        (2, 5, 7, 3),  # a fixed batch that does not divide the images
        (1, 3, 8, 12),
    ],
)
def test_every_shape_of_input_gives_the_same_answers(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    said = load(make_model(tmp_path / "m.onnx", shape), "m").predict(IMAGES)
    assert [each.label for each in said] == ["red", "green", "blue", "green", "red"]
    assert [each.score for each in said] == pytest.approx([220 / 255, 200 / 255, 220 / 255, 200 / 255, 220 / 255])
    assert said[0].scores == pytest.approx({"red": 220 / 255, "green": 20 / 255, "blue": 20 / 255}, abs=1e-6)


def test_more_images_than_a_batch(tmp_path: Path) -> None:
    said = load(make_model(tmp_path / "m.onnx"), "m").predict(IMAGES * 11)
    assert [each.label for each in said] == ["red", "green", "blue", "green", "red"] * 11


def test_the_models_own_metadata_is_used(tmp_path: Path) -> None:
    mean, std = [0.5, 0.25, 0.0], [0.5, 0.5, 2.0]
    model = make_model(tmp_path / "m.onnx", metadata={"labels": ["a", "b", "c"], "mean": mean, "std": std})
    (said,) = load(model, "m").predict([plain((255, 255, 255))])
    assert said.label == "b"
    assert said.scores == pytest.approx({"a": 1.0, "b": 1.5, "c": 0.5})


@pytest.mark.parametrize("shape", [("batch", 3, 8, 12), ("batch", 8, 12, 3)])
def test_what_the_model_is_given_is_the_plain_formula_bit_by_bit(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    model = load(make_model(tmp_path / "m.onnx", shape, {"mean": mean, "std": std}), "m")
    images = list(np.random.default_rng(3).integers(0, 256, (5, 8, 12, 3), dtype=np.uint8))
    floats = np.stack(images).astype(np.float32) / np.float32(255)
    wanted = (floats - np.array(mean, np.float32)) / np.array(std, np.float32)
    wanted = wanted.transpose(0, 3, 1, 2) if shape[1] == 3 else wanted
    assert np.array_equal(model.prepared(images), wanted)
    assert model.asked(model.prepared(images)) == model.predict(images)


def test_logits_become_probabilities(tmp_path: Path) -> None:
    (said,) = load(make_model(tmp_path / "m.onnx", metadata={"softmax": True}), "m").predict([plain((255, 0, 0))])
    whole = np.e + 2
    assert said.scores == pytest.approx({"red": np.e / whole, "green": 1 / whole, "blue": 1 / whole}, abs=1e-6)


def test_a_model_without_labels_numbers_its_classes(tmp_path: Path) -> None:
    assert load(make_model(tmp_path / "m.onnx", metadata={"labels": []}), "m").predict([plain(BLUE)])[0].label == "2"


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"labels": ["a", "b"]}, "names 2 labels, its output has 3 classes"),
        ({"mean": [1, 2]}, r"gives `mean` as \[1.0, 2.0\]"),
    ],
)
def test_metadata_that_does_not_fit_is_told(tmp_path: Path, metadata: dict[str, object], words: str) -> None:
    model = load(make_model(tmp_path / "m.onnx", metadata=metadata), "s3://b/m.onnx")
    with pytest.raises(BadInput, match=f"s3://b/m.onnx: .*{words}"):
        model.predict(IMAGES)


def test_what_is_no_model_says_so(tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(BadInput, match=r"s3://b/m.onnx: is no model that can be loaded"):
        load(file, "s3://b/m.onnx")


def test_a_model_that_takes_no_image_says_so(tmp_path: Path) -> None:
    model = make_model(tmp_path / "m.onnx", ("batch", 4, "height", "width"))
    with pytest.raises(BadInput, match=r"takes tensor\(float\) .* which is no image"):
        load(model, "m")


def test_a_gpu_that_is_not_there_is_an_error_and_no_quiet_cpu(tmp_path: Path) -> None:
    import onnxruntime as ort

    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this machine's onnxruntime has CUDA")
    with pytest.raises(BadInput, match="no CUDAExecutionProvider"):
        load(make_model(tmp_path / "m.onnx"), "m", "cuda")
