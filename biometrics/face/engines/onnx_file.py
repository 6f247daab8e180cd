"""Writes an ONNX model, byte for byte the same on every machine.

The `onnx` package would do, but its bytes change with its version, and then no hash of ours could be pinned; it would
also be a dependency for a minute of a machine's life. The format is Protocol Buffers: numbered fields of a few shapes.
Field numbers: onnx/onnx.proto, the message's name stands at each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

IR_VERSION = 8
OPSET = 13
FLOAT, INT64 = 1, 7  # TensorProto.DataType
INT_ATTRIBUTE, INTS_ATTRIBUTE = 2, 7  # AttributeProto.AttributeType

Array = NDArray[np.float32] | NDArray[np.int64]
Shape = Sequence[int | str]
"""Sides of a tensor; a name where the side is free."""


@dataclass(slots=True)
class Graph:
    """A graph being drawn: every operator names what it reads and gives a name to what it makes."""

    name: str
    _nodes: list[bytes] = field(default_factory=list, init=False)
    _constants: list[bytes] = field(default_factory=list, init=False)

    def constant(self, name: str, array: Array) -> str:
        """Keep numbers under a name."""
        self._constants.append(_tensor(name, array))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> str:
        """Apply an operator; returns the name of what it makes."""
        parts = [_text(1, name) for name in inputs]
        parts += [_text(2, output), _text(4, operator)]
        parts += [_field(5, _attribute(name, value)) for name, value in attributes.items()]  # NodeProto
        self._nodes.append(b"".join(parts))
        return output

    def model(self, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> bytes:
        """The file."""
        graph = [_field(1, node) for node in self._nodes]
        graph.append(_text(2, self.name))
        graph += [_field(5, constant) for constant in self._constants]
        graph += [_field(11, _value(name, shape)) for name, shape in inputs.items()]
        graph += [_field(12, _value(name, shape)) for name, shape in outputs.items()]  # GraphProto
        opset = _text(1, "") + _number(2, OPSET)  # OperatorSetIdProto
        return _number(1, IR_VERSION) + _field(7, b"".join(graph)) + _field(8, opset)  # ModelProto


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, INT_ATTRIBUTE)
    packed = b"".join(_number(8, one) for one in value)
    return _text(1, name) + packed + _number(20, INTS_ATTRIBUTE)  # AttributeProto


def _tensor(name: str, array: Array) -> bytes:
    kind = INT64 if array.dtype == np.int64 else FLOAT
    little_endian = np.ascontiguousarray(array, "<i8" if kind == INT64 else "<f4")
    sides = b"".join(_number(1, side) for side in array.shape)
    return sides + _number(2, kind) + _text(8, name) + _field(9, little_endian.tobytes())  # TensorProto


def _value(name: str, shape: Shape) -> bytes:
    sides = b"".join(_field(1, _text(2, side) if isinstance(side, str) else _number(1, side)) for side in shape)
    tensor_type = _number(1, FLOAT) + _field(2, sides)  # TypeProto.Tensor
    return _text(1, name) + _field(2, _field(1, tensor_type))  # ValueInfoProto


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content  # wire type 2: length, then bytes


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)  # wire type 0


def _varint(value: int) -> bytes:
    if value < 0:
        raise ValueError("no negative number stands in these models")
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
