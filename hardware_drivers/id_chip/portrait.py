"""A picture as the chip stores it, known by its header only: pictures are decoded elsewhere, in a sandbox."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from hardware_drivers.errors import MalformedFileError

SIDE_MAX_PX = 10_000  # ISO/IEC 19794-5 stores sides in 16 bits; nothing real is near this, decompression bombs are
JP2_SIGNATURE = bytes.fromhex("0000000C6A5020200D0A870A")  # ISO/IEC 15444-1 Annex I.5.1
CODESTREAM_START = bytes.fromhex("FF4FFF51")  # SOC then SIZ, ISO/IEC 15444-1 Annex A.4, A.5
JPEG_START = bytes.fromhex("FFD8FF")
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOFn, ITU-T T.81 table B.1


WSQ_START, WSQ_FRAME = bytes.fromhex("FFA0"), 0xA2  # SOI and SOF, FBI IAFIS-IC-0110 v3.1 table 1
PNG_START = bytes.fromhex("89504E470D0A1A0A0000000D49484452")  # signature and IHDR, RFC 2083 §12.11


class ImageType(StrEnum):
    """Encodings that the data groups carry, as media types."""

    JPEG = "image/jpeg"
    JPEG2000 = "image/jp2"
    WSQ = "image/x-wsq"
    PNG = "image/png"


PORTRAIT_TYPES = frozenset({ImageType.JPEG, ImageType.JPEG2000})  # Doc 9303-10 §4.7.2


@dataclass(frozen=True, slots=True)
class Portrait:
    """A picture on the chip, most often the face, still encoded.

    Attributes:
        image_type: By the image's own first bytes; record headers in the field lie (research id_card.md §3).
        width_px, height_px: By the image's own header.
    """

    image: bytes
    image_type: ImageType
    width_px: int
    height_px: int


def look_at(image: bytes, *, allowed: Collection[ImageType] = PORTRAIT_TYPES) -> Portrait:
    """Type and size of an encoded picture; `MalformedFileError` when it is of no allowed type."""
    if image.startswith(JPEG_START):
        kind, (width, height) = ImageType.JPEG, _jpeg_size(image)
    elif image.startswith((JP2_SIGNATURE, CODESTREAM_START)):
        kind, (width, height) = ImageType.JPEG2000, _jpeg2000_size(image)
    elif image.startswith(WSQ_START):
        kind, (width, height) = ImageType.WSQ, _wsq_size(image)
    elif image.startswith(PNG_START):
        kind, (width, height) = ImageType.PNG, _png_size(image)
    else:
        raise MalformedFileError("portrait", "none of the picture types by its first bytes")
    if kind not in allowed:
        raise MalformedFileError("portrait", f"{kind} is not allowed here")
    if not (0 < width <= SIDE_MAX_PX and 0 < height <= SIDE_MAX_PX):
        raise MalformedFileError("portrait", f"claims {width} x {height} pixels")
    return Portrait(image, kind, width, height)


def _wsq_size(image: bytes) -> tuple[int, int]:
    """Width and height from the frame header (FBI IAFIS-IC-0110 v3.1, table 5)."""
    at = 2
    while at + 10 <= len(image):
        if image[at] != 0xFF:
            raise MalformedFileError("portrait", "WSQ marker expected")
        if image[at + 1] == WSQ_FRAME:  # length, black, white, then lines and columns
            return int.from_bytes(image[at + 8 : at + 10], "big"), int.from_bytes(image[at + 6 : at + 8], "big")
        at += 2 + max(2, int.from_bytes(image[at + 2 : at + 4], "big"))
    raise MalformedFileError("portrait", "WSQ without a frame header")


def _png_size(image: bytes) -> tuple[int, int]:
    """Width and height from IHDR (RFC 2083 §4.1.1)."""
    if len(image) < 24:
        raise MalformedFileError("portrait", "PNG without a header")
    return int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big")


def _jpeg_size(image: bytes) -> tuple[int, int]:
    """Width and height from the first frame header (ITU-T T.81 §B.2.2)."""
    at = 2
    while at + 9 <= len(image):
        if image[at] != 0xFF:
            raise MalformedFileError("portrait", "JPEG marker expected")
        marker = image[at + 1]
        if marker == 0xFF:  # fill byte before a marker, §B.1.1.2
            at += 1
            continue
        if marker in JPEG_FRAMES:
            return int.from_bytes(image[at + 7 : at + 9], "big"), int.from_bytes(image[at + 5 : at + 7], "big")
        at += 2 + max(2, int.from_bytes(image[at + 2 : at + 4], "big"))
    raise MalformedFileError("portrait", "JPEG without a frame header")


def _jpeg2000_size(image: bytes) -> tuple[int, int]:
    """Width and height from the SIZ segment (ISO/IEC 15444-1 Annex A.5.1)."""
    at = image.find(CODESTREAM_START)
    siz = image[at + 8 : at + 24] if at >= 0 else b""
    if len(siz) < 16:
        raise MalformedFileError("portrait", "JPEG 2000 without a size segment")
    x_end, y_end, x_begin, y_begin = (int.from_bytes(siz[i : i + 4], "big") for i in range(0, 16, 4))
    return x_end - x_begin, y_end - y_begin
