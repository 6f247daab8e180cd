"""Reads a network written for ncnn (a list of layers and their numbers) and draws it as ONNX, so that nothing new runs.

Only the layers that MiniFASNet uses. Source: ncnn's wiki, "param and model file structure" and "operation param weight
table". Batch normalisation and scaling are folded into the layer before, in double precision, as for dlib's network.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.errors import ModelError
from biometrics.face.engines.onnx_file import Graph

MAGIC: Final = "7767517"
MOST_LAYERS: Final = 1000
LINEAR: Final = ("Convolution", "ConvolutionDepthWise", "InnerProduct")
PLAIN: Final = {"ReLU": "Relu", "Sigmoid": "Sigmoid", "Softmax": "Softmax"}
SECOND_INPUT: Final = -233  # Scale's size where the factors come from another layer

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Layer:
    """One line of the list."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: Mapping[int, int]


@dataclass(slots=True)
class _Weights:
    """The file of numbers, read in the order of the layers."""

    content: bytes
    _at: int = field(default=0, init=False)

    def plain(self, count: int) -> Floats:
        end = self._at + 4 * count
        if count < 1 or end > len(self.content):
            raise ModelError(f"the network's numbers end at {len(self.content)} bytes, {end} are needed")
        values = np.frombuffer(self.content, "<f4", count, self._at).astype(np.float64)
        self._at = end
        return values

    def tagged(self, count: int) -> Floats:
        """Kernels say first how they are written; only as plain floats are they read here."""
        if self._at + 4 > len(self.content) or struct.unpack_from("<I", self.content, self._at)[0] != 0:
            raise ModelError("the network's kernels are not written as plain 32-bit floats")
        self._at += 4
        return self.plain(count)

    def finish(self) -> None:
        if self._at != len(self.content):
            raise ModelError(f"{len(self.content) - self._at} bytes of the network's numbers belong to no layer")


@dataclass(frozen=True, slots=True)
class _Linear:
    """A layer that sums, with what follows it folded in."""

    layer: Layer
    kernel: Floats
    """One row for each output."""
    bias: Floats

    def scaled(self, factor: Floats, offset: Floats) -> "_Linear":
        if len(factor) != len(self.bias):
            raise ModelError(f"{len(factor)} factors follow a layer of {len(self.bias)} outputs")
        return replace(self, kernel=self.kernel * factor[:, None], bias=self.bias * factor + offset)


def draw_ncnn(param: str, weights: bytes, *, channels: int, side_px: int) -> bytes:
    """The ONNX file: `data` (N, channels, side, side) float32 to the last layer's output.

    Raises:
        ModelError: Another format, a layer or an option that is not known here, or numbers that do not fit the list.
    """
    layers = read_param(param)
    source = _Weights(weights)
    drawing = _Drawing(Graph(layers[-1].name))
    try:
        for layer in layers:
            drawing.add(layer, source)
        drawing.flush()
    except KeyError as error:
        raise ModelError(f"the network's list lacks {error}") from error
    source.finish()
    shape: Sequence[int | str] = ["N", channels, side_px, side_px]
    return drawing.graph.model({layers[0].outputs[0]: shape}, {drawing.at(layers[-1].outputs[0]): ["N", drawing.width]})


def read_param(text: str) -> tuple[Layer, ...]:
    """The list of layers.

    Raises:
        ModelError: It is none.
    """
    magic, _, rest = text.partition("\n")
    lines = [line.split() for line in rest.splitlines()[1:] if line.strip()]
    if magic.strip() != MAGIC or not 2 <= len(lines) <= MOST_LAYERS:
        raise ModelError("no list of ncnn layers")
    try:
        return tuple(_layer(words) for words in lines)
    except (ValueError, IndexError) as error:
        raise ModelError("a line of the network's list cannot be read") from error


def _layer(words: list[str]) -> Layer:
    reads, makes = int(words[2]), int(words[3])
    names, options = words[4 : 4 + reads + makes], words[4 + reads + makes :]
    if len(names) != reads + makes or not makes:
        raise ValueError("fewer names than announced")
    pairs = (option.partition("=") for option in options)
    # arrays (keys below -23300) and fractions only stand where what they say is the default
    numbers = {int(key): int(value) for key, _, value in pairs if "," not in value and "." not in value}
    return Layer(words[0], words[1], tuple(names[:reads]), tuple(names[reads:]), numbers)


@dataclass(slots=True)
class _Drawing:
    graph: Graph
    width: int = 0
    """Outputs of the last layer that sums."""
    _names: dict[str, str] = field(default_factory=dict)
    """What a name of the list is called in the graph."""
    _pending: _Linear | None = None

    def at(self, name: str) -> str:
        return self._names[name]

    def add(self, layer: Layer, weights: _Weights) -> None:
        numbers = layer.numbers
        if layer.kind in ("BatchNorm", "Scale") and numbers[0] != SECOND_INPUT:
            self._fold(layer, weights)
            return
        self.flush()
        match layer.kind:
            case "Input":
                self._names[layer.outputs[0]] = layer.outputs[0]
            case "Convolution" | "ConvolutionDepthWise" | "InnerProduct":
                self._pending = _linear(layer, weights)
                self._names[layer.outputs[0]] = layer.outputs[0]
            case "Split" | "Dropout":
                for output in layer.outputs:
                    self._names[output] = self.at(layer.inputs[0])
            case "PReLU":
                slopes = weights.plain(numbers[0]).astype(np.float32).reshape(-1, 1, 1)
                self._node("PRelu", layer, self.graph.constant(f"{layer.name}_slopes", slopes))
            case "ReLU" | "Sigmoid" | "Softmax":
                self._node(PLAIN[layer.kind], layer)
            case "Eltwise" if numbers.get(0) == 1:
                self._node("Add", layer)
            case "Scale":
                self._node("Mul", layer)
            case "Pooling" if numbers.get(0) == 1 and not numbers.get(4, 0):
                sides = [numbers[1]] * 2
                self._node("AveragePool", layer, kernel_shape=sides, strides=[numbers.get(2, 1)] * 2)
            case "Flatten":
                # factors for channels stay as they are; only a layer that sums over all wants them flat
                self._names[layer.outputs[0]] = self.at(layer.inputs[0])
            case _:
                raise ModelError(f"{layer.kind} with such options is no layer that is known here")

    def _node(self, operator: str, layer: Layer, *constants: str, **attributes: int | Sequence[int]) -> None:
        inputs = [*map(self.at, layer.inputs), *constants]
        self._names[layer.outputs[0]] = self.graph.node(operator, inputs, layer.outputs[0], **attributes)

    def _fold(self, layer: Layer, weights: _Weights) -> None:
        before, count = self._pending, layer.numbers[0]
        if before is None or self.at(layer.inputs[0]) != self.at(before.layer.outputs[0]):
            raise ModelError(f"{layer.name} follows no layer that sums")
        if layer.kind == "BatchNorm":
            slope, mean, variance, bias = (weights.plain(count) for _ in range(4))
            if not (variance > 0).all():
                raise ModelError(f"{layer.name} divides by zero")
            factor = slope / np.sqrt(variance)
            offset = bias - mean * factor
        else:
            factor = weights.plain(count)
            offset = weights.plain(count) if layer.numbers.get(1) else np.zeros(count)
        self._pending = before.scaled(factor, offset)
        self._names[layer.outputs[0]] = self.at(layer.inputs[0])

    def flush(self) -> None:
        """Draw the layer that sums, now that nothing more is folded into it."""
        if self._pending is None:
            return
        linear, self._pending = self._pending, None
        layer, numbers = linear.layer, linear.layer.numbers
        output = layer.outputs[0]
        self.width = numbers[0]
        bias = self.graph.constant(f"{output}_bias", linear.bias.astype(np.float32))
        if layer.kind == "InnerProduct":
            flat = self.graph.node("Flatten", [self.at(layer.inputs[0])], f"{output}_flat")
            kernel = self.graph.constant(f"{output}_kernel", linear.kernel.T.astype(np.float32))
            summed = self.graph.node("MatMul", [flat, kernel], f"{output}_summed")
            self.graph.node("Add", [summed, bias], output)
            return
        side, groups = numbers[1], numbers.get(7, 1)
        shape = (numbers[0], linear.kernel.shape[1] // side**2, side, side)
        kernel = self.graph.constant(f"{output}_kernel", linear.kernel.astype(np.float32).reshape(shape))
        sides = {"kernel_shape": [side] * 2, "strides": [numbers.get(3, 1)] * 2, "pads": [numbers.get(4, 0)] * 4}
        self.graph.node("Conv", [self.at(layer.inputs[0]), kernel, bias], output, group=groups, **sides)


def _linear(layer: Layer, weights: _Weights) -> _Linear:
    outputs = layer.numbers[0]
    dense = layer.kind == "InnerProduct"
    count, has_bias = layer.numbers[2 if dense else 6], layer.numbers.get(1 if dense else 5, 0)
    if not dense and layer.numbers.get(2, 1) != 1:
        raise ModelError(f"{layer.name} is dilated")
    if outputs < 1 or count % outputs:
        raise ModelError(f"{layer.name} has {count} numbers for {outputs} outputs")
    kernel = weights.tagged(count).reshape(outputs, -1)
    return _Linear(layer, kernel, weights.plain(outputs) if has_bias else np.zeros(outputs))
