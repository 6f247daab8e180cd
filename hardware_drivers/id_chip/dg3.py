"""DG3, the fingers: Doc 9303-10 §4.7.3; readable only after terminal authentication."""

from dataclasses import dataclass

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.biometric_record import parse_biometric_group
from hardware_drivers.id_chip.iso19794 import FINGER_START, UNCOMPRESSED, FingerView, finger_views
from hardware_drivers.id_chip.iso39794 import FingerRepresentation, parse_finger_block
from hardware_drivers.id_chip.portrait import ImageType, look_at

PICTURE_TYPES = frozenset(ImageType)
POSITIONS = (  # ISO/IEC 19794-4:2005 table 5; 39794-4 has the same
    "unknown",
    "right_thumb",
    "right_index",
    "right_middle",
    "right_ring",
    "right_little",
    "left_thumb",
    "left_index",
    "left_middle",
    "left_ring",
    "left_little",
)


@dataclass(frozen=True, slots=True)
class FingerImage:
    """One finger on the chip, still encoded.

    Attributes:
        position: A name of `POSITIONS`, or `code_` and the number.
        image_type: None where `image` is grey pixels, row by row.
        width_px, height_px: By the image's own header.
        dpi: Where the record says it.
        quality: As the maker scored it, where they did.
    """

    position: str
    image: bytes
    image_type: ImageType | None
    width_px: int
    height_px: int
    dpi: float | None
    quality: int | None


def parse_dg3(content: bytes) -> tuple[FingerImage, ...]:
    """The fingers in DG3; empty where the state stores none."""
    fingers: list[FingerImage] = []
    for instance in parse_biometric_group(content, 3):
        if instance.block.startswith(FINGER_START):
            fingers.extend(_of_view(view) for view in finger_views(instance.block))
        else:
            fingers.extend(_of_representation(one) for one in parse_finger_block(instance.block))
    return tuple(fingers)


def _of_view(view: FingerView) -> FingerImage:
    """From ISO/IEC 19794-4."""
    position = _position(view.position)
    if view.compression == UNCOMPRESSED:
        return FingerImage(position, view.image, None, view.width_px, view.height_px, view.dpi, view.quality)
    seen = look_at(view.image, allowed=PICTURE_TYPES)
    return FingerImage(position, seen.image, seen.image_type, seen.width_px, seen.height_px, view.dpi, view.quality)


def _of_representation(one: FingerRepresentation) -> FingerImage:
    """From ISO/IEC 39794-4."""
    if one.position is None:
        raise MalformedFileError("finger representation", "position of a later edition")
    seen = look_at(one.image, allowed=PICTURE_TYPES)
    position = _position(one.position)
    return FingerImage(position, seen.image, seen.image_type, seen.width_px, seen.height_px, None, one.quality)


def _position(code: int) -> str:
    """The finger's name."""
    return POSITIONS[code] if code < len(POSITIONS) else f"code_{code}"
