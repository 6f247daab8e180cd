"""LEADER's network written as two ONNX graphs for one slow core.

Source: R. Cappelli, "LEADER: Lightweight End-to-end Attention-gated Dual Encoder-decodeR", arXiv 2602.15493; layers and
names as in `pyfing.minutiae_end_to_end.Leader._build_model` (0.7.3, MIT). What differs changes cost, not values:

- The three heads cost 40 % of the whole when run everywhere. Only the head for position is (graph "trunk"); those for
  direction and kind run on the 9 x 9 features around each minutia found (graph "heads").
- Between convolutions, channels lie last, so that a 1 x 1 convolution is one matrix product and a layer's norm reads
  along memory. The two linear 1 x 1 convolutions at a block's end are multiplied into one.
- What stands before and after a doubling of the picture and works pixel by pixel runs before it, on a quarter.
- Depthwise channels are padded to full vector registers.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import h5py  # type: ignore[import-untyped]
import numpy as np
import onnx
from numpy.typing import NDArray

Weights = Mapping[str, Sequence[NDArray[np.float32]]]

PATCH: Final = 9
"""Features around a minutia its direction and kind depend on: 3 x 3 under the last kernel, and 7 x 7 around each."""

LANES: Final = 16  # floats in a 512-bit register: onnxruntime's blocked depthwise kernel wants multiples of it
STRIPS: Final = (16, 4, 1, 1, 1)
"""By how often the picture was halved after the first time; 16 rows of features are the fewest there can be."""

EPSILON: Final = 1e-3  # Keras's LayerNormalization
_MICROSOFT: Final = "com.microsoft"  # onnxruntime's own operators

_CONTEXT: Final = (16, 32, 64, 128)
_REFINEMENT: Final = (32, 64, 128, 32)


def _block(name: str) -> tuple[str, ...]:
    """The layers with weights of an inverse bottleneck, as Keras orders them."""
    return tuple(f"{name}_{part}" for part in ("depthwise_conv", "ln", "conv_exp", "conv_red", "conv_adj"))


_LAYERS: Final = (
    *("stem0_conv", "stem0_dilated_conv", "stem0_ln"),
    *(f"enc0_{i}_{part}" for i in range(4) for part in ("conv", "ln")),
    *(f"dec0_{i}_{part}" for i in (3, 2, 1, 0) for part in ("conv", "ln")),
    *("stem1_conv", "stem1_dilated_conv", "attention_conv_d1", "attention_conv_d3", "attention_conv_d6", "stem1_ln"),
    "attention_s",
    *(layer for i in range(4) for layer in _block(f"enc1_{i}")),
    *(layer for i in (3, 2, 1, 0) for layer in _block(f"dec1_{i}")),
    # the heads are interleaved: Keras stores a model's layers by their depth in the graph
    *("head_0_ibc_depthwise_conv", "head_0_ibc_ln", "head_0_ibc_conv_exp", "head_1_ibc_depthwise_conv"),
    *("head_0_ibc_conv_red", "head_1_ibc_ln", "head_2_ibc_depthwise_conv", "head_1_ibc_conv_exp", "head_2_ibc_ln"),
    *("head_0_ibc_conv_adj", "head_1_ibc_conv_red", "head_2_ibc_conv_exp", "head_2_ibc_conv_red"),
    *("head_1_ibc_conv_adj", "head_0_conv1", "head_2_ibc_conv_adj", "head_0_ln", "head_0_conv2", "head_1_conv1"),
    *("head_conv_pos", "head_1_ln", "head_2_conv1", "head_1_conv2", "head_2_ln", "nms_Gaussian_blur"),
    *("head_conv_dir", "head_2_conv2", "head_conv_typ"),
)
"""Every layer with weights in the order of the file, which itself only counts them by class."""


def convert(weights: Path) -> dict[str, bytes]:
    """The serialised graphs "trunk" and "heads".

    trunk: `image` (1, 1, h, w) float32 grey levels 0 to 255, h and w multiples of 32 -> `certainty` (1, 1, h, w),
    smoothed as LEADER smooths it, and `features` (1, 52, h/2, w/2).
    heads: `patches` (n, 52, 9, 9) of features around a pixel -> `direction` (n, 2, 2, 2), cosine and sine before
    normalisation, and `ending` (n, 1, 2, 2), probability; the last axes are the pixel's parity, row and column.
    """
    named = _read(weights)
    return {"trunk": _trunk(named), "heads": _heads(named)}


def _read(path: Path) -> Weights:
    """Arrays of every layer by its name in the network."""
    counted: Counter[str] = Counter()
    named = {}
    with h5py.File(path) as file:
        for layer in _LAYERS:
            kind = _stored_class(layer)
            group = file["layers"][f"{kind}_{counted[kind]}" if counted[kind] else kind]["vars"]
            counted[kind] += 1
            named[layer] = [np.asarray(group[str(i)], np.float32) for i in range(len(group))]
    return named


def _stored_class(layer: str) -> str:
    """Keras's class name as the file spells it."""
    if layer.endswith("_ln"):
        return "layer_normalization"
    if layer.endswith("_depthwise_conv"):
        return "depthwise_conv2d"
    if layer.startswith(("enc0_", "dec0_")):
        return "separable_conv2d"
    return "conv2d"


@dataclass
class _Graph:
    """A graph being written; the comment of each method says which axis holds the channels: `first` or `last`."""

    weights: Weights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, values: NDArray[Any]) -> str:
        """Name of a stored array."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, *inputs: str, named: str | None = None, **attributes: Any) -> str:
        """Name of the one output of an operator."""
        output = named or f"{kind}_{len(self.nodes)}"
        domain = _MICROSOFT if kind == "BiasGelu" else ""
        self.nodes.append(onnx.helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def conv(self, layer: str, x: str, *, dilation: int = 1, pad: bool = True) -> str:
        """Dense convolution; first -> first."""
        kernel, *bias = self.weights[layer]
        side = kernel.shape[0]
        inputs = [x, self.constant(kernel.transpose(3, 2, 0, 1)), *(self.constant(b) for b in bias)]
        pads = [dilation * (side // 2) if pad else 0] * 4
        return self.node("Conv", *inputs, pads=pads, dilations=[dilation] * 2, kernel_shape=[side] * 2)

    def depthwise(self, kernel: NDArray[np.float32], x: str, *, pad: bool = True) -> str:
        """Each channel with its own kernel (height, width, channel, 1); first -> last."""
        channels, side = kernel.shape[2], kernel.shape[0]
        spare = -channels % LANES
        stacked = np.pad(kernel.transpose(2, 3, 0, 1), ((0, spare), (0, 0), (0, 0), (0, 0)))
        if spare:
            x = self.node("Pad", x, self.constant(np.array([0, 0, 0, 0, 0, spare, 0, 0])))
        pads = [side // 2 if pad else 0] * 4
        kernels = self.constant(stacked)
        y = self.node("Conv", x, kernels, pads=pads, group=channels + spare, kernel_shape=[side] * 2)
        return self.last(self.slice(y, 0, channels, axis=1) if spare else y)

    def slice(self, x: str, start: int, end: int, *, axis: int) -> str:
        """Part of one axis."""
        return self.node("Slice", x, *(self.constant(np.array([number])) for number in (start, end, axis)))

    def last(self, x: str) -> str:
        """Channels from first to last."""
        return self.node("Transpose", x, perm=[0, 2, 3, 1])

    def first(self, x: str) -> str:
        """Channels from last to first."""
        return self.node("Transpose", x, perm=[0, 3, 1, 2])

    def norm(self, layer: str, x: str) -> str:
        """Over the channels of each pixel; last -> last."""
        scale, shift = self.weights[layer]
        return self.node("LayerNormalization", x, self.constant(scale), self.constant(shift), axis=-1, epsilon=EPSILON)

    def product(self, x: str, matrix: NDArray[np.float32], bias: NDArray[np.float32] | None = None) -> str:
        """1 x 1 convolution; last -> last."""
        y = self.node("MatMul", x, self.constant(matrix))
        return y if bias is None else self.node("Add", y, self.constant(bias))

    def product_gelu(self, layer: str, x: str) -> str:
        """1 x 1 convolution with its activation; last -> last."""
        kernel, bias = self.weights[layer]
        return self.node("BiasGelu", self.product(x, kernel[0, 0]), self.constant(bias))

    def stem(self, name: str, x: str, pool: str) -> str:
        """Two views of the grey picture, halved; first -> first."""
        both = self.node(
            "Concat", self.conv(f"{name}_conv", x), self.conv(f"{name}_dilated_conv", x, dilation=2), axis=1
        )
        return self.pool(self.first(self.node("Gelu", self.norm(f"{name}_ln", self.last(both)))), pool)

    def separable(self, name: str, x: str) -> str:
        """Block of the context encoder; first -> first."""
        kernel, matrix, bias = self.weights[f"{name}_conv"]
        y = self.product(self.depthwise(kernel, x), matrix[0, 0], bias)
        return self.first(self.node("Gelu", self.norm(f"{name}_ln", y)))

    def bottleneck(self, name: str, x: str, *, pad: bool = True, strips: int = 1) -> str:
        """Block of the refinement encoder; first -> last. Without padding, the rim of 3 is lost.

        The four times wider middle is made in `strips`, so that at high resolution it need not exist as a whole.
        """
        (kernel,) = self.weights[f"{name}_depthwise_conv"]
        y = self.norm(f"{name}_ln", self.depthwise(kernel, x, pad=pad))
        widen, widen_bias = self.weights[f"{name}_conv_exp"]
        reduce, reduce_bias = self.weights[f"{name}_conv_red"]
        adjust, adjust_bias = self.weights[f"{name}_conv_adj"]
        if not pad:
            x = self.slice(self.slice(x, 3, PATCH - 3, axis=2), 3, PATCH - 3, axis=3)
        # adjust(x + reduce(y)) is linear in both: one product for each instead of a chain of two over all of y
        straight = self.product(self.last(x), adjust[0, 0], reduce_bias @ adjust[0, 0] + adjust_bias)
        wide, bias, narrow = (self.constant(w) for w in (widen[0, 0], widen_bias, reduce[0, 0] @ adjust[0, 0]))
        done = [
            self.node("MatMul", self.node("BiasGelu", self.node("MatMul", part, wide), bias), narrow)
            for part in self.strips(y, strips)
        ]
        return self.node("Add", self.node("Concat", *done, axis=1) if len(done) > 1 else done[0], straight)

    def strips(self, x: str, count: int) -> list[str]:
        """Cut along the rows; last -> last."""
        if count == 1:
            return [x]
        outputs = [f"strip_{len(self.nodes)}_{i}" for i in range(count)]
        self.nodes.append(onnx.helper.make_node("Split", [x], outputs, axis=1, num_outputs=count))
        return outputs

    def pool(self, x: str, kind: str) -> str:
        """Halved in both directions; first -> first."""
        return self.node(kind, x, kernel_shape=[2, 2], strides=[2, 2])

    def down(self, x: str, channels: int) -> str:
        """Halved, one half of the channels by maximum and the other by mean; first -> first."""
        low, high = self.slice(x, 0, channels // 2, axis=1), self.slice(x, channels // 2, channels, axis=1)
        return self.node("Concat", self.pool(low, "MaxPool"), self.pool(high, "AveragePool"), axis=1)

    def up(self, x: str) -> str:
        """Every pixel four times; first -> first."""
        factors = self.constant(np.array([1, 1, 2, 2], np.float32))
        modes = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", x, "", factors, mode="nearest", **modes)

    def head(self, number: int, output: str, x: str, *, pad: bool = True) -> str:
        """From features to one map of full size; first -> first."""
        kernel, bias = self.weights[f"head_{number}_conv1"]
        y = self.bottleneck(f"head_{number}_ibc", x, pad=pad, strips=STRIPS[0] if pad else 1)
        y = self.norm(f"head_{number}_ln", self.product(y, kernel[0, 0], bias))
        y = self.up(self.first(self.product_gelu(f"head_{number}_conv2", y)))
        return self.conv(f"head_conv_{output}", y, pad=pad)

    def finish(self, name: str, inputs: Mapping[str, list[Any]], outputs: Sequence[str]) -> bytes:
        """The serialised graph."""
        kind = onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            self.nodes,
            name,
            [onnx.helper.make_tensor_value_info(key, kind, shape) for key, shape in inputs.items()],
            [onnx.helper.make_tensor_value_info(key, kind, None) for key in outputs],
            self.constants,
        )
        # opset 20 is the first with Gelu; its IR version is 9
        opsets = [onnx.helper.make_opsetid("", 20), onnx.helper.make_opsetid(_MICROSOFT, 1)]
        return bytes(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


def _trunk(weights: Weights) -> bytes:
    """Everything up to the features, and the head for position."""
    g = _Graph(weights)
    x, fine = g.stem("stem0", "image", "MaxPool"), g.stem("stem1", "image", "AveragePool")
    skipped = []
    for i, channels in enumerate(_CONTEXT):
        skipped.append(g.separable(f"enc0_{i}", x))
        x = g.down(skipped[-1], channels)
    for i in (3, 2, 1, 0):
        x = g.node("Concat", g.up(g.separable(f"dec0_{i}", x)), skipped[i], axis=1)
    wide = [g.node("Gelu", g.conv(f"attention_conv_d{d}", x, dilation=d)) for d in (1, 3, 6)]
    gate = g.node("Sigmoid", g.conv("attention_s", g.node("Concat", *wide, axis=1)))
    x = g.node("Concat", g.node("Mul", x, gate), fine, axis=1)
    skipped = []
    for i, channels in enumerate(_REFINEMENT):
        skipped.append(g.first(g.bottleneck(f"enc1_{i}", x, strips=STRIPS[i])))
        x = g.down(skipped[-1], channels)
    for i in (3, 2, 1, 0):
        named = {} if i else {"named": "features"}
        x = g.node(
            "Concat", g.up(g.first(g.bottleneck(f"dec1_{i}", x, strips=STRIPS[i + 1]))), skipped[i], axis=1, **named
        )
    certainty = g.conv("nms_Gaussian_blur", g.node("Sigmoid", g.head(0, "pos", x)))
    g.node("Identity", certainty, named="certainty")
    return g.finish("leader_trunk", {"image": [1, 1, "height", "width"]}, ["certainty", "features"])


def _heads(weights: Weights) -> bytes:
    """Direction and kind of single minutiae."""
    g = _Graph(weights)
    features = weights["head_1_ibc_depthwise_conv"][0].shape[2]
    g.node("Identity", g.head(1, "dir", "patches", pad=False), named="direction")
    g.node("Sigmoid", g.head(2, "typ", "patches", pad=False), named="ending")
    return g.finish("leader_heads", {"patches": ["count", features, PATCH, PATCH]}, ["direction", "ending"])
