"""The few primitive types of DER that security infos are made of, strict, on top of `tlv`."""

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv

INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x06, 0x30, 0x31  # X.690 §8
OID_BYTES_MAX = 32  # the longest of TR-03110 and X9.62 has 12
INTEGER_BYTES_MAX = 513  # 4096 bits and the sign byte


def object_identifier(encoded: bytes) -> str:
    """Dotted form of an OID's value (X.690 §8.19); `MalformedFileError` for padding, a cut end or absurd length."""
    if not encoded or len(encoded) > OID_BYTES_MAX or encoded[-1] & 0x80:
        raise MalformedFileError("object identifier", f"{len(encoded)} bytes that are none")
    arcs, arc, begins = [], 0, True
    for byte in encoded:
        if begins and byte == 0x80:
            raise MalformedFileError("object identifier", "padded arc")
        arc, begins = arc << 7 | byte & 0x7F, not byte & 0x80
        if begins:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(number) for number in (first, arcs[0] - 40 * first, *arcs[1:]))


def encode_object_identifier(dotted: str) -> bytes:
    """The value bytes of an OID."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    encoded = bytearray()
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        encoded += bytes(reversed(groups))
    return bytes(encoded)


def unsigned(encoded: bytes) -> int:
    """The number in an INTEGER's value; `MalformedFileError` when empty, negative or too long.

    Needless leading zeros are taken: chips of several states write them.
    """
    if not encoded or len(encoded) > INTEGER_BYTES_MAX or encoded[0] & 0x80:
        raise MalformedFileError("integer", f"{len(encoded)} bytes that are no whole number of ours")
    return int.from_bytes(encoded, "big")


def encode_unsigned(number: int) -> bytes:
    """INTEGER with tag and length."""
    return tlv.encode(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def bits(encoded: bytes) -> bytes:
    """The bytes of a BIT STRING whose bits fill them."""
    if encoded[:1] != b"\x00":
        raise MalformedFileError("bit string", "does not fill its bytes")
    return encoded[1:]


def expect(found: tlv.Tlv, tag: int, field: str) -> bytes:
    """The value, when the tag is the one the standard wants there."""
    if found.tag != tag:
        raise MalformedFileError(field, f"tag {found.tag:X} where {tag:X} belongs")
    return found.value
