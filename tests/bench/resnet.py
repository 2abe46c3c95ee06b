"""A model of ResNet-50's size: its layers, by He et al. 2015 (arXiv:1512.03385), with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper, save

STAGES = ((3, 64), (4, 128), (6, 256), (3, 512))
"""Blocks and channels of each stage; what a block gives has four times as many."""
CLASSES, SIDE = 1000, 224


class Network:
    """Nodes and weights, in the order in which they are added. Normalisation is part of the weights, as in exports."""

    def __init__(self) -> None:
        self.chance = np.random.default_rng(50)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The name of what a node makes."""
        name = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weight(self, *shape: int) -> str:
        """The name of a tensor that keeps the scale of what it is multiplied with; of one axis: a bias."""
        name, inputs = f"w{len(self.weights)}", int(np.prod(shape[1:]))
        values = self.chance.normal(0, np.sqrt(2 / inputs), shape) if len(shape) > 1 else np.zeros(shape)
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def convolved(self, x: str, channels: tuple[int, int], side: int, stride: int = 1) -> str:
        """A convolution from and to so many channels; a stride of 2 halves the image."""
        inputs, outputs = channels
        weights = self.weight(outputs, inputs, side, side), self.weight(outputs)
        return self.add("Conv", x, *weights, strides=[stride] * 2, pads=[side // 2] * 4)

    def block(self, x: str, inputs: int, inner: int, stride: int) -> str:
        """Three convolutions, and the way around them."""
        outputs = inner * 4
        y = self.add("Relu", self.convolved(x, (inputs, inner), 1))
        y = self.add("Relu", self.convolved(y, (inner, inner), 3, stride))
        y = self.convolved(y, (inner, outputs), 1)
        around = x if inputs == outputs else self.convolved(x, (inputs, outputs), 1, stride)
        return self.add("Relu", self.add("Add", y, around))


def make(file: Path) -> Path:
    """Writes the model, some 100 MB; it takes [batch, 3, 224, 224]."""
    network = Network()
    x = network.add("Relu", network.convolved("images", (3, 64), 7, 2))
    x, channels = network.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4), 64
    for number, (blocks, inner) in enumerate(STAGES):
        for block in range(blocks):
            x = network.block(x, channels, inner, 2 if number and not block else 1)
            channels = inner * 4
    x = network.add("Flatten", network.add("GlobalAveragePool", x))
    scores = network.add("Gemm", x, network.weight(CLASSES, channels), network.weight(CLASSES), transB=1)
    graph = helper.make_graph(
        network.nodes,
        "resnet50",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(scores, TensorProto.FLOAT, ["batch", CLASSES])],
        network.weights,
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), str(file))
    return file
