"""dlib's face network drawn as an ONNX graph: the same numbers, thirteen times cheaper to run than in dlib-bin.

Shape of the network: dlib/examples/dnn_face_recognition_ex.cpp (29 convolutions, residual blocks, 128 outputs).
Each affine layer is folded into the convolution before it.
"""

import numpy as np
from numpy.typing import NDArray

from biometrics.errors import ModelError
from biometrics.face.engines.dlib_weights import Convolution, ResnetWeights
from biometrics.face.engines.onnx_file import Graph

INPUT, OUTPUT = "chips", "embeddings"
CHIP_PX = 150
DIMENSIONS = 128
MEAN_RGB = (122.782, 117.001, 104.298)  # dlib/dnn/input.h, input_rgb_image_sized
SCALE = 1 / 256
STEM_FILTERS, STEM_PX, STEM_STRIDE = 32, 7, 2
BLOCKS = (
    *[(32, False)] * 3,
    *[(64, True), (64, False), (64, False), (64, False)],
    *[(128, True), (128, False), (128, False)],
    *[(256, True), (256, False), (256, False)],
    (256, True),
)
"""Filters of each residual block, and whether it halves the picture."""


def draw_resnet(weights: ResnetWeights) -> bytes:
    """The ONNX file: `chips` (N, 3, 150, 150) float32, red-green-blue, 0 to 255, to `embeddings` (N, 128).

    Raises:
        ModelError: The weights do not fit this network.
    """
    if len(weights.convolutions) != 1 + 2 * len(BLOCKS) or weights.projection.shape != (BLOCKS[-1][0], DIMENSIONS):
        raise ModelError(f"the face network's file has {len(weights.convolutions)} convolutions, not dlib's 29")
    return _Drawing(weights).model()


class _Drawing:
    def __init__(self, weights: ResnetWeights) -> None:
        self._graph = Graph("dlib_face_recognition_resnet_model_v1")
        self._projection = weights.projection
        self._left = list(weights.convolutions)
        self._drawn = 0

    def model(self) -> bytes:
        graph = self._graph
        mean = graph.constant("mean", np.array(MEAN_RGB, np.float32).reshape(1, 3, 1, 1))
        scale = graph.constant("scale", np.array([SCALE], np.float32))
        centred = graph.node("Sub", [INPUT, mean], "centred")
        scaled = graph.node("Mul", [centred, scale], "scaled")
        stem = self._convolve(scaled, 3, STEM_FILTERS, STEM_PX, stride=STEM_STRIDE, pad=0)
        x = graph.node("Relu", [stem], "stem")
        x = graph.node("MaxPool", [x], "pooled", kernel_shape=[3, 3], strides=[2, 2])
        side = _out(_out(CHIP_PX, STEM_PX, STEM_STRIDE), 3, 2)
        channels = STEM_FILTERS
        for filters, halves in BLOCKS:
            x, side = self._block(x, channels, filters, side, halves=halves)
            channels = filters
        x = graph.node("GlobalAveragePool", [x], "averaged")
        x = graph.node("Flatten", [x], "flat")
        graph.node("MatMul", [x, graph.constant("projection", self._projection)], OUTPUT)
        return graph.model({INPUT: ["N", 3, CHIP_PX, CHIP_PX]}, {OUTPUT: ["N", DIMENSIONS]})

    def _block(self, x: str, channels: int, filters: int, side: int, *, halves: bool) -> tuple[str, int]:
        """Two convolutions beside a shortcut; where sizes differ the smaller is padded with zeros (dlib add_prev)."""
        name = f"block{self._drawn}"
        graph = self._graph
        stride, pad = (2, 0) if halves else (1, 1)
        inner = graph.node("Relu", [self._convolve(x, channels, filters, 3, stride=stride, pad=pad)], f"{name}_inner")
        outer = self._convolve(inner, filters, filters, 3, stride=1, pad=1)
        shortcut = x
        if halves:
            shortcut = graph.node("AveragePool", [x], f"{name}_halved", kernel_shape=[2, 2], strides=[2, 2])
            convolved, halved = _out(side, 3, 2), _out(side, 2, 2)
            side = max(convolved, halved)
            outer = self._pad(outer, 0, side - convolved)
            shortcut = self._pad(shortcut, filters - channels, side - halved)
        summed = graph.node("Add", [outer, shortcut], f"{name}_sum")
        return graph.node("Relu", [summed], name), side

    def _convolve(self, x: str, channels: int, filters: int, kernel_px: int, *, stride: int, pad: int) -> str:
        kernel, bias = _fold(self._left.pop(0), (filters, channels, kernel_px, kernel_px))
        self._drawn += 1
        name = f"convolution{self._drawn}"
        inputs = [x, self._graph.constant(f"{name}_kernel", kernel), self._graph.constant(f"{name}_bias", bias)]
        sides = {"kernel_shape": [kernel_px] * 2, "strides": [stride] * 2, "pads": [pad] * 4}
        return self._graph.node("Conv", inputs, name, **sides)

    def _pad(self, x: str, channels: int, px: int) -> str:
        if not channels and not px:
            return x
        amounts = self._graph.constant(f"{x}_amounts", np.array([0, 0, 0, 0, 0, channels, px, px], np.int64))
        return self._graph.node("Pad", [x, amounts], f"{x}_padded")


def _fold(layer: Convolution, shape: tuple[int, int, int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias with the affine layer's factors and offsets in them."""
    filters = shape[0]
    kernels = int(np.prod(shape))
    if layer.weights.size != kernels + filters or layer.affine.size != 2 * filters:
        raise ModelError(f"a convolution of {shape} has {layer.weights.size} weights")
    # in double precision: multiplying in single would round twice
    factor, offset = layer.affine.astype(np.float64).reshape(2, filters)
    kernel = layer.weights[:kernels].astype(np.float64).reshape(shape) * factor[:, None, None, None]
    bias = layer.weights[kernels:].astype(np.float64) * factor + offset
    return kernel.astype(np.float32), bias.astype(np.float32)


def _out(side: int, kernel_px: int, stride: int) -> int:
    return (side - kernel_px) // stride + 1
