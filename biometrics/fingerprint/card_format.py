"""ISO/IEC 19794-2:2005 §8, compact card format: three bytes a minutia, nothing else, as matching on a card wants it.

Coordinates are tenths of a millimetre and end at 25.5; a larger finger loses its rim. Nothing in the bytes tells what
they are: the card's biometric information template does, and how many minutiae it takes and in which order.
"""

from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.errors import TemplateError
from biometrics.fingerprint.minutiae import WORKING_DPI, Minutiae, MinutiaKind
from biometrics.fingerprint.template import MAX_PER_VIEW

STEPS: Final = 64  # units of 5.625°
TENTHS_PER_PIXEL: Final = 254 / WORKING_DPI
SIZE: Final = 3
EXTENT: Final = 255


class CardOrder(Enum):
    """ISO/IEC 19794-2:2005 §8.4, of which these two are met."""

    NONE = "most certain first"
    Y_ASCENDING = "from the tip down, then from the left"


def write(minutiae: Minutiae, *, at_most: int, order: CardOrder = CardOrder.NONE) -> bytes:
    """The most certain that lie inside the 25.5 mm around the middle of the finger.

    Raises:
        TemplateError: The card takes none.
    """
    if not 1 <= at_most <= MAX_PER_VIEW:
        raise TemplateError(f"a card that takes {at_most} minutiae")
    xs = _within(minutiae.x_px * TENTHS_PER_PIXEL)
    ys = _within(minutiae.y_px * TENTHS_PER_PIXEL)
    inside = np.flatnonzero((xs >= 0) & (xs <= EXTENT) & (ys >= 0) & (ys <= EXTENT))[:at_most]
    if order is CardOrder.Y_ASCENDING:
        inside = inside[np.lexsort((xs[inside], ys[inside]))]
    angles = np.rint(minutiae.angle_rad * STEPS / (2 * np.pi)).astype(np.int64) % STEPS
    rows = np.stack((xs, ys, minutiae.kind.astype(np.int64) << 6 | angles), axis=1)[inside]
    return bytes(rows.astype(np.uint8).tobytes())


def read(template: bytes) -> Minutiae:
    """The minutiae at 500 dpi in a frame of 25.5 mm; their certainty was not written and is 0.

    Raises:
        TemplateError: No whole number of minutiae, more than a card holds, or a reserved kind.
    """
    count, spare = divmod(len(template), SIZE)
    if spare or not 1 <= count <= MAX_PER_VIEW:
        raise TemplateError(f"{len(template)} bytes; a minutia has {SIZE}, a card 1 to {MAX_PER_VIEW} of them")
    rows = np.frombuffer(template, np.uint8).reshape(count, SIZE).astype(np.int64)
    kind = rows[:, 2] >> 6
    if (kind > MinutiaKind.BIFURCATION).any():
        raise TemplateError("a minutia of the reserved kind")
    angle = (rows[:, 2] & 0x3F) * 2 * np.pi / STEPS
    side = round((EXTENT + 1) / TENTHS_PER_PIXEL)
    return Minutiae.of(
        np.column_stack((rows[:, 0] / TENTHS_PER_PIXEL, rows[:, 1] / TENTHS_PER_PIXEL, angle)),
        kind=kind,
        quality=np.zeros(count, np.float32),
        width_px=side,
        height_px=side,
    )


def _within(tenths: NDArray[np.float32]) -> NDArray[np.int64]:
    """Shifted so that as little as possible falls off: as they are where they fit, else around their middle."""
    if not len(tenths) or tenths.max() <= EXTENT:
        return np.asarray(np.rint(tenths), np.int64)
    low, high = float(tenths.min()), float(tenths.max())
    start = low if high - low <= EXTENT else float(np.median(tenths)) - EXTENT / 2
    return np.asarray(np.rint(tenths - start), np.int64)
