"""Records of the first generation: ISO/IEC 19794-5:2005 (face) and ISO/IEC 19794-4:2005 (finger), fixed fields."""

from dataclasses import dataclass

from hardware_drivers.errors import MalformedFileError

FACE_START = b"FAC\x00010\x00"  # ISO/IEC 19794-5:2005 §5.4.1, §5.4.2
FACE_HEADER = 14
FACIAL_INFORMATION = 20  # §5.5
FEATURE_POINT = 8  # §5.6
IMAGE_INFORMATION = 12  # §5.7
FACES_MAX = 9

FINGER_START = b"FIR\x00010\x00"  # ISO/IEC 19794-4:2005 §7.1.1, §7.1.2
FINGER_HEADER = 32  # §7.1
FINGER_IMAGE_HEADER = 14  # §7.2
FINGERS_MAX = 10
UNCOMPRESSED = 0  # §7.1.14, table 4: one byte for each pixel
SCALES_PER_INCH = {1: 1.0, 2: 2.54}  # §7.1.7: pixels per inch, pixels per centimetre


@dataclass(frozen=True, slots=True)
class FingerView:
    """One image of the record.

    Attributes:
        position, impression: Codes of tables 5 and 7.
        dpi: Horizontal pixels per inch of the image.
        quality: 0 to 100, or what the maker means by another number.
        compression: Code of table 4.
        width_px, height_px: As the record claims.
    """

    position: int
    impression: int
    dpi: float
    quality: int
    compression: int
    width_px: int
    height_px: int
    image: bytes


def face_images(record: bytes) -> list[bytes]:
    """The encoded pictures of a face record, §5.3; `MalformedFileError` when a length does not fit."""
    if not record.startswith(FACE_START):
        raise MalformedFileError("face record", "no ISO/IEC 19794-5:2005 record")
    announced, count = _number(record, 8, 4), _number(record, 12, 2)
    if announced > len(record) or not 1 <= count <= FACES_MAX:
        raise MalformedFileError("face record", f"announces {announced} bytes and {count} faces in {len(record)}")
    images, at = [], FACE_HEADER
    for _ in range(count):
        if at + FACIAL_INFORMATION > announced:
            raise MalformedFileError("facial information", "cut off")
        length, points = _number(record, at, 4), _number(record, at + 4, 2)
        begin, end = at + FACIAL_INFORMATION + FEATURE_POINT * points + IMAGE_INFORMATION, at + length
        if not begin < end <= announced:
            raise MalformedFileError("facial information", f"{length} bytes with {points} points do not fit")
        images.append(record[begin:end])
        at = end
    return images


def finger_views(record: bytes) -> list[FingerView]:
    """The images of a finger record, §7; `MalformedFileError` when a length, count or unit does not fit."""
    if not record.startswith(FINGER_START) or len(record) < FINGER_HEADER:
        raise MalformedFileError("finger record", "no ISO/IEC 19794-4:2005 record")
    announced, count = _number(record, 8, 6), record[18]
    scale = SCALES_PER_INCH.get(record[19])
    if announced > len(record) or not 1 <= count <= FINGERS_MAX or scale is None:
        raise MalformedFileError("finger record", f"announces {announced} bytes and {count} fingers in {len(record)}")
    dpi, compression = _number(record, 24, 2) * scale, record[29]
    views, at = [], FINGER_HEADER
    for _ in range(count):
        begin, end = at + FINGER_IMAGE_HEADER, at + (_number(record, at, 4) if at + 4 <= announced else 0)
        if not begin < end <= announced:
            raise MalformedFileError("finger image", "its length does not fit")
        view = FingerView(
            position=record[at + 4],
            impression=record[at + 8],
            dpi=dpi,
            quality=record[at + 7],
            compression=compression,
            width_px=_number(record, at + 9, 2),
            height_px=_number(record, at + 11, 2),
            image=record[begin:end],
        )
        if compression == UNCOMPRESSED and view.width_px * view.height_px != len(view.image):
            raise MalformedFileError("finger image", "its pixels do not fill its sides")
        views.append(view)
        at = end
    return views


def _number(record: bytes, at: int, length: int) -> int:
    """An unsigned number, most significant byte first (§5.2.1)."""
    return int.from_bytes(record[at : at + length], "big")
