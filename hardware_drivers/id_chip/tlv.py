"""Tag, length, value: strict and bounded, for everything a chip sends.

Definite lengths only, and never more than the bytes at hand. Lengths need not be minimal: chips of several states write
`82 00 xx`, and files are hashed as read, so nothing is ever re-encoded.
"""

from dataclasses import dataclass

from hardware_drivers.errors import MalformedFileError

TAG_BYTES_MAX = 3  # ISO/IEC 7816-4:2020 §6.3
LENGTH_BYTES_MAX = 3  # 16 MB; the largest file an SFI chip can hold is far below


@dataclass(frozen=True, slots=True)
class Tlv:
    """One data object: its tag as a number (0x7F61) and its value."""

    tag: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """Tag and length of a data object whose value may not be here yet."""

    tag: int
    length: int
    header_length: int

    @property
    def total_length(self) -> int:
        """Bytes of tag, length and value together."""
        return self.header_length + self.length


def read_header(source: bytes, offset: int = 0) -> Header:
    """Tag and announced length at `offset`; `MalformedFileError` when they are cut off or not definite."""
    at = offset
    tag = _byte(source, at)
    at += 1
    if tag & 0x1F == 0x1F:
        while True:
            part = _byte(source, at)
            at += 1
            tag = tag << 8 | part
            if not part & 0x80:
                break
            if at - offset >= TAG_BYTES_MAX:
                raise MalformedFileError("tag", f"longer than {TAG_BYTES_MAX} bytes")
    length = _byte(source, at)
    at += 1
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= LENGTH_BYTES_MAX:
            raise MalformedFileError("length", f"in {count} bytes, 1 to {LENGTH_BYTES_MAX} allowed")
        _byte(source, at + count - 1)
        length = int.from_bytes(source[at : at + count], "big")
        at += count
    return Header(tag, length, at - offset)


def parse_first(source: bytes, offset: int = 0) -> tuple[Tlv, int]:
    """The data object at `offset`, and the offset behind it."""
    header = read_header(source, offset)
    end = offset + header.total_length
    if end > len(source):
        raise MalformedFileError(f"tag {header.tag:X}", f"announces {header.length} bytes beyond the end")
    return Tlv(header.tag, source[offset + header.header_length : end]), end


def parse_all(source: bytes) -> list[Tlv]:
    """All data objects of a value, one after the other, without a byte left over."""
    objects, offset = [], 0
    while offset < len(source):
        found, offset = parse_first(source, offset)
        objects.append(found)
    return objects


def only(source: bytes, tag: int) -> bytes:
    """The value of the one data object that `source` consists of; zero padding behind it is tolerated."""
    found, end = parse_first(source)
    if found.tag != tag:
        raise MalformedFileError(f"tag {tag:X}", f"found {found.tag:X} instead")
    if source[end:].strip(b"\x00"):
        raise MalformedFileError(f"tag {tag:X}", f"{len(source) - end} bytes follow")
    return found.value


def pick(objects: list[Tlv], tag: int) -> bytes:
    """The value of the first object with that tag."""
    for found in objects:
        if found.tag == tag:
            return found.value
    raise MalformedFileError(f"tag {tag:X}", "missing")


def encode(tag: int, value: bytes) -> bytes:
    """The data object in its shortest form."""
    tag_bytes = tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big")
    if len(value) < 0x80:
        return tag_bytes + bytes((len(value),)) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return tag_bytes + bytes((0x80 | len(length),)) + length + value


def _byte(source: bytes, at: int) -> int:
    """The byte there, or `MalformedFileError`."""
    if at >= len(source):
        raise MalformedFileError("header", "cut off")
    return source[at]
