"""Records of the second generation: ISO/IEC 39794-5:2019 (face) and 39794-4:2019 (finger), ASN.1 in DER with tags.

Every field carries its number as context tag; unknown numbers come from later editions and are skipped (39794-1 §5).
What is read is the picture and what a clerk or comparison may use; the rest stays in the file, whose hash was signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.id_chip.der import unsigned

FINGER_BLOCK, FACE_BLOCK, WRAPPER = 0x64, 0x65, 0xA1  # [APPLICATION 4], [APPLICATION 5]; Doc 9303-10 §4.7.2 wraps both
SEQUENCE, CONTEXT, CONTEXT_CONSTRUCTED = 0x30, 0x80, 0xA0
GENERATION = 3  # versionBlock of every part of 39794, 39794-1 §5.2
REPRESENTATIONS_MAX = 20
FIELD_BYTES_MAX = 4  # no number that is read is longer

Fields = Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class CaptureDate:
    """When the picture was taken, as far as it says."""

    year: int
    month: int | None
    day: int | None


@dataclass(frozen=True, slots=True)
class FaceRepresentation:
    """One face.

    Attributes:
        image: The encoded picture.
        image_format: ImageDataFormatCode as claimed, None for an extended one.
        quality: First score, 0 to 100, where there is one.
        landmarks: How many points were marked.
    """

    image: bytes
    image_format: int | None
    taken: CaptureDate | None
    quality: int | None
    landmarks: int


@dataclass(frozen=True, slots=True)
class FingerRepresentation:
    """One finger.

    Attributes:
        position, impression, image_format: Codes, None for extended ones.
        quality: First score, 0 to 100, where there is one.
    """

    image: bytes
    position: int | None
    impression: int | None
    image_format: int | None
    taken: CaptureDate | None
    quality: int | None


def parse_face_block(block: bytes) -> tuple[FaceRepresentation, ...]:
    """The faces of a FaceImageDataBlock, 39794-5 annex A; `MalformedFileError` when it is none."""
    return tuple(_face(one) for one in _representations(block, FACE_BLOCK, "face block"))


def parse_finger_block(block: bytes) -> tuple[FingerRepresentation, ...]:
    """The fingers of a FingerImageDataBlock, 39794-4 annex A; `MalformedFileError` when it is none."""
    return tuple(_finger(one) for one in _representations(block, FINGER_BLOCK, "finger block"))


def _representations(block: bytes, tag: int, name: str) -> list[Fields]:
    """The fields of each representation, after the version."""
    if block[:1] == bytes((WRAPPER,)):
        block = tlv.only(block, WRAPPER)
    top = _fields(tlv.only(block, tag), name)
    version = _fields(_need(top, 0, name), name)
    if _number(version, 0, name) != GENERATION:
        raise MalformedFileError(name, "of another generation than the third")
    listed = tlv.parse_all(_need(top, 1, name))
    if not 1 <= len(listed) <= REPRESENTATIONS_MAX or any(one.tag != SEQUENCE for one in listed):
        raise MalformedFileError(name, f"{len(listed)} representations")
    return [_fields(one.value, name) for one in listed]


def _face(fields: Fields) -> FaceRepresentation:
    """RepresentationBlock of 39794-5."""
    name = "face representation"
    # ImageRepresentation and ImageRepresentationBase are CHOICEs; only the two-dimensional picture is for documents
    picture = _fields(_choice(_choice(_need(fields, 1, name), 0, name), 0, name), name)
    about = _fields(picture.get(1, b""), name)
    return FaceRepresentation(
        image=_need(picture, 0, name),
        image_format=_code(about.get(0), name),
        taken=_date(fields.get(2), name),
        quality=_quality(fields.get(3), name),
        landmarks=len(tlv.parse_all(fields.get(9, b""))),
    )


def _finger(fields: Fields) -> FingerRepresentation:
    """RepresentationBlock of 39794-4."""
    name = "finger representation"
    return FingerRepresentation(
        image=_need(fields, 3, name),
        position=_code(_need(fields, 0, name), name),
        impression=_code(_need(fields, 1, name), name),
        image_format=_code(_need(fields, 2, name), name),
        taken=_date(fields.get(4), name),
        quality=_quality(fields.get(6), name),
    )


def _fields(sequence: bytes, name: str) -> dict[int, bytes]:
    """The fields of a SEQUENCE by number, each once and in order (X.690 §8.9, automatic tags)."""
    fields: dict[int, bytes] = {}
    for found in tlv.parse_all(sequence):
        if not CONTEXT <= found.tag < 0xC0 or found.tag & 0x1F in fields:
            raise MalformedFileError(name, f"field with tag {found.tag:X}")
        fields[found.tag & 0x1F] = found.value
    if list(fields) != sorted(fields):
        raise MalformedFileError(name, "fields out of order")
    return fields


def _need(fields: Fields, number: int, name: str) -> bytes:
    """A field that is not optional."""
    if number not in fields:
        raise MalformedFileError(name, f"lacks field {number}")
    return fields[number]


def _choice(content: bytes, number: int, name: str) -> bytes:
    """The alternative of that number of a CHOICE."""
    alternatives = _fields(content, name)
    if len(alternatives) != 1:
        raise MalformedFileError(name, f"{len(alternatives)} alternatives")
    return _need(alternatives, number, name)


def _number(fields: Fields, number: int, name: str) -> int:
    """A field that holds a small number."""
    content = _need(fields, number, name)
    if len(content) > FIELD_BYTES_MAX:
        raise MalformedFileError(name, f"number of {len(content)} bytes")
    return unsigned(content)


def _code(content: bytes | None, name: str) -> int | None:
    """A code: a CHOICE of a number and of what later editions add; None for the latter, and where it is absent."""
    if content is None:
        return None
    fields = _fields(content, name)
    return _number(fields, 0, name) if 0 in fields else None


def _date(content: bytes | None, name: str) -> CaptureDate | None:
    """CaptureDateTimeBlock, 39794-1 §7.2."""
    if content is None:
        return None
    fields = _fields(content, name)
    month, day = (_number(fields, number, name) if number in fields else None for number in (1, 2))
    if month not in (None, *range(1, 13)) or day not in (None, *range(1, 32)):
        raise MalformedFileError(name, "no day of the calendar")
    return CaptureDate(_number(fields, 0, name), month, day)


def _quality(content: bytes | None, name: str) -> int | None:
    """The first score among the quality blocks, 39794-1 §7.3; a block may hold an error instead."""
    for block in tlv.parse_all(content or b""):
        score = _fields(_need(_fields(block.value, name), 1, name), name)
        if 0 in score:
            return _number(score, 0, name)
    return None
