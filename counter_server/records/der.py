"""DER, as much of it as signatures in a contract need: written by concatenation, read strictly.

Own code because a record must be checkable with the standard library and `cryptography`, which has no door to CMS; and
because asn1crypto re-encodes what it has parsed (see `signing/time_authority.py` for what that costs).
Source: ITU-T X.690 (02/2021) §8 and §10.
"""

from dataclasses import dataclass

from counter_server.records.errors import RecordFormatError

INTEGER, BITS, OCTETS, NULL, OID, UTF8, GENERALIZED_TIME = 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x18
SEQUENCE, SET = 0x30, 0x31
DEEPEST = 40  # X.509 nests 12 deep; a stranger's structure may not nest our stack away


@dataclass(frozen=True, slots=True, repr=False)
class Node:
    """One element: its tag byte, what is in it, and all its bytes as they stand."""

    tag: int
    content: bytes
    whole: bytes

    def children(self) -> list["Node"]:
        """The elements inside a constructed one."""
        if not self.tag & 0x20:
            raise RecordFormatError("DER: a primitive element has no elements inside")
        found, offset = [], 0
        while offset < len(self.content):
            node = _read_at(self.content, offset)
            found.append(node)
            offset += len(node.whole)
        return found

    def wanted(self, tag: int) -> "Node":
        """Itself, when it has this tag."""
        if self.tag != tag:
            raise RecordFormatError(f"DER: tag {self.tag:#04x} where {tag:#04x} belongs")
        return self

    def number(self) -> int:
        """Value of an INTEGER."""
        content = self.wanted(INTEGER).content
        if not content:
            raise RecordFormatError("DER: an empty number")
        return int.from_bytes(content, "big", signed=True)


def read_der(encoded: bytes) -> Node:
    """The one element these bytes are, to the last byte; `RecordFormatError` otherwise."""
    node = _read_at(encoded, 0)
    if len(node.whole) != len(encoded):
        raise RecordFormatError("DER: bytes after the element")
    return node


def read_first(encoded: bytes) -> Node:
    """The element that begins these bytes; PDF fills the rest of a signature's place with zeros."""
    return _read_at(encoded, 0)


def _read_at(encoded: bytes, start: int) -> Node:
    if len(encoded) < start + 2 or encoded[start] & 0x1F == 0x1F:
        raise RecordFormatError("DER: cut short, or a tag of several bytes")
    length, begin = encoded[start + 1], start + 2
    if length >= 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:  # 0 is BER's indefinite length
            raise RecordFormatError("DER: a length that DER does not have")
        length = int.from_bytes(encoded[begin : begin + count], "big")
        begin += count
        if length < 0x80 or length >> 8 * (count - 1) == 0:
            raise RecordFormatError("DER: a length written too long")
    if begin + length > len(encoded):
        raise RecordFormatError("DER: cut short")
    return Node(encoded[start], encoded[begin : begin + length], encoded[start : begin + length])


def element(tag: int, *parts: bytes) -> bytes:
    """One element of these parts."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE."""
    return element(SEQUENCE, *parts)


def set_of(*parts: bytes) -> bytes:
    """SET OF: elements in the order of their bytes (X.690 §11.6)."""
    return element(SET, *sorted(parts))


def integer(value: int) -> bytes:
    """INTEGER."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return element(OID, *(_base128(arc) for arc in (first * 40 + second, *rest)))


def _base128(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | value & 0x7F)
    return bytes(reversed(groups))
