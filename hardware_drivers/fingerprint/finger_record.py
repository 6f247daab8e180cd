"""The picture inside a finger image record, ISO/IEC 19794-4:2005 or :2011, as devices that sign hand it over.

Pure: what a desk opened can be opened again by the counter.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.fingerprint.scanner import SIDES_PX, GreyImage
from hardware_drivers.id_chip.image_sandbox import decode_image
from hardware_drivers.id_chip.iso19794 import FINGER_START, finger_views

START_2011: Final = b"FIR\x00020\x00"  # ISO/IEC 19794-4:2011 §8.2
GENERAL_2011: Final = 16  # §8.2: format, version, length, count, certification flag, distinct positions
FIXED_BEFORE_QUALITY: Final = 18  # §8.3: length 4, date 9, technology 1, vendor 2, type 2
QUALITY_BLOCK, CERTIFICATION_BLOCK = 5, 3
FIXED_AFTER_BLOCKS: Final = 22  # position, number, unit, four rates, depth, compression, impression, sides, length
RAW: Final = 0  # table 10: one byte for each pixel, not packed
PER_INCH: Final = {1: 1.0, 2: 2.54}  # §8.3.12


@dataclass(frozen=True, slots=True, eq=False)
class RecordedFinger:
    """The first picture of a record.

    Attributes:
        pixels: (height, width) uint8, ridges dark.
        position: Code of the record, which may know better than whoever asked.
    """

    pixels: GreyImage
    dpi: int
    position: int


@dataclass(frozen=True, slots=True)
class _View:
    """What either edition says of one picture."""

    position: int
    dpi: float
    compression: int
    width_px: int
    height_px: int
    image: bytes


def read_record(record: bytes) -> RecordedFinger:
    """The first finger; `MalformedFileError` for anything that does not fit, claims too much, or cannot be decoded."""
    view = _view_2005(record) if record.startswith(FINGER_START) else _view_2011(record)
    if not all(SIDES_PX[0] <= side <= SIDES_PX[1] for side in (view.width_px, view.height_px)):
        raise MalformedFileError("finger image", f"{view.width_px} x {view.height_px} pixels")
    if not 100 <= view.dpi <= 1200:
        raise MalformedFileError("finger image", f"{view.dpi:.0f} dpi")
    if view.compression == RAW:
        if len(view.image) != view.width_px * view.height_px:
            raise MalformedFileError("finger image", "its pixels do not fill its sides")
        pixels = np.frombuffer(view.image, np.uint8).reshape(view.height_px, view.width_px)
    else:
        pixels = decode_image(view.image)[:, :, 0]  # grey pictures come with three equal channels
        if pixels.shape != (view.height_px, view.width_px):
            raise MalformedFileError("finger image", "is of another size than its record says")
    return RecordedFinger(pixels, round(view.dpi), view.position)


def _view_2005(record: bytes) -> _View:
    view = finger_views(record)[0]
    return _View(view.position, view.dpi, view.compression, view.width_px, view.height_px, view.image)


def _view_2011(record: bytes) -> _View:
    """§8.2 and §8.3, field by field."""
    if not record.startswith(START_2011) or len(record) < GENERAL_2011 + FIXED_BEFORE_QUALITY + 1:
        raise MalformedFileError("finger record", "neither ISO/IEC 19794-4:2005 nor :2011")
    announced, count, certified = _number(record, 8, 4), _number(record, 12, 2), record[14]
    if announced != len(record) or count < 1 or certified > 1:
        raise MalformedFileError("finger record", f"announces {announced} bytes, {count} pictures in {len(record)}")
    end = GENERAL_2011 + _number(record, GENERAL_2011, 4)
    at = GENERAL_2011 + FIXED_BEFORE_QUALITY
    at += 1 + QUALITY_BLOCK * record[at]
    if certified and at < len(record):
        at += 1 + CERTIFICATION_BLOCK * record[at]
    if not at + FIXED_AFTER_BLOCKS < end <= announced:
        raise MalformedFileError("finger representation", "its lengths do not fit")
    scale = PER_INCH.get(record[at + 2])
    if scale is None or record[at + 11] != 8:
        raise MalformedFileError("finger representation", "another unit or depth than inches, centimetres and 8 bits")
    length = _number(record, at + 18, 4)
    begin = at + FIXED_AFTER_BLOCKS
    if begin + length > end:
        raise MalformedFileError("finger image", f"{length} bytes do not fit")
    return _View(
        position=record[at],
        dpi=_number(record, at + 7, 2) * scale,
        compression=record[at + 12],
        width_px=_number(record, at + 14, 2),
        height_px=_number(record, at + 16, 2),
        image=record[begin : begin + length],
    )


def _number(record: bytes, at: int, length: int) -> int:
    """Unsigned, most significant byte first."""
    return int.from_bytes(record[at : at + length], "big")
