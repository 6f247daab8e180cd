"""The numbers inside dlib's face network file, without dlib.

dlib writes every layer as a tag, then its tensor; the innermost layer comes first, so the file reads in the order in
which a picture passes through. Only tags and tensors are looked at, and a tensor's bytes are stepped over whole, so
that no tag is seen inside them. The file's hash has been checked before (`models.locate`): this reader is right for
that one file, and refuses whatever has another shape.
"""

import re
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from biometrics.errors import ModelError

Weights = NDArray[np.float32]

TAG = re.compile(rb"\x05con_4|\x07affine_|\x04fc_2")
"""dlib's `serialize` of a string: its length, then its letters (dlib/dnn/layers.h)."""

TENSOR_VERSION = 2
TENSOR_RANK = 4
FC_SIZES = 2  # numbers of outputs and of inputs stand between the tag of a full connection and its tensor


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution and the affine layer behind it, as flat as dlib keeps them."""

    weights: Weights
    """All filters (out, in, rows, columns), then one bias per filter."""
    affine: Weights
    """One factor per filter, then one offset per filter."""


@dataclass(frozen=True, slots=True)
class ResnetWeights:
    """Everything the network learned, in the order a picture meets it."""

    convolutions: tuple[Convolution, ...]
    projection: Weights
    """(inputs, outputs) of the last, fully connected layer, which has no bias."""


def read_resnet(content: bytes) -> ResnetWeights:
    """The weights in `dlib_face_recognition_resnet_model_v1.dat`.

    Raises:
        ModelError: The bytes are laid out differently.
    """
    try:
        layers = _layers(content)
    except (struct.error, IndexError, ValueError) as error:
        raise ModelError(f"the face network's file cannot be read: {type(error).__name__}") from error
    names = [name for name, _ in layers]
    if len(layers) < 3 or len(layers) % 2 == 0 or names != ["con_4", "affine_"] * (len(layers) // 2) + ["fc_2"]:
        raise ModelError(f"the face network's file holds {len(layers)} layers in an order that is not dlib's")
    convolutions = tuple(
        Convolution(weights.ravel(), affine.ravel())
        for (_, weights), (_, affine) in zip(layers[0:-1:2], layers[1:-1:2], strict=True)
    )
    projection = layers[-1][1]
    return ResnetWeights(convolutions, projection.reshape(projection.shape[0], -1))


def _layers(content: bytes) -> list[tuple[str, Weights]]:
    layers = []
    at = 0
    while (tag := TAG.search(content, at)) is not None:
        at = tag.end()
        name = tag.group()[1:].decode("ascii")
        if name == "fc_2":
            for _ in range(FC_SIZES):
                _, at = _integer(content, at)
        tensor, at = _tensor(content, at)
        layers.append((name, tensor))
    return layers


def _tensor(content: bytes, at: int) -> tuple[Weights, int]:
    version, at = _integer(content, at)
    if version != TENSOR_VERSION:
        raise ValueError(f"tensor version {version}")
    shape = []
    for _ in range(TENSOR_RANK):
        side, at = _integer(content, at)
        shape.append(side)
    count = int(np.prod(shape))
    end = at + 4 * count
    if min(shape) < 0 or end > len(content):
        raise ValueError("a tensor longer than the file")
    return np.frombuffer(content, "<f4", count, at).reshape(shape).astype(np.float32), end


def _integer(content: bytes, at: int) -> tuple[int, int]:
    """dlib's packed integer: a byte with sign and number of bytes, then these, least significant first."""
    head = content[at]
    length = head & 0x7F
    if length > 8 or at + 1 + length > len(content):
        raise ValueError("an integer that is none")
    value = int.from_bytes(content[at + 1 : at + 1 + length], "little")
    return (-value if head & 0x80 else value), at + 1 + length
