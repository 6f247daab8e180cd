"""The picture of one finger: refused where it is none, brought to the working scale, cut to where skin touched."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.errors import FingerImageError
from biometrics.fingerprint.minutiae import WORKING_DPI

FingerImage = NDArray[np.uint8]
"""(height, width) uint8, ridges dark on a light ground, one finger."""

MIN_DPI, MAX_DPI = 150.0, 2000.0  # below, ridges are under 3 pixels apart; above, no livescan is sold
MIN_SIDE_PX: Final = 64  # at 500 dpi: 3.3 mm, the narrowest swipe sensors
MAX_SIDE_PX: Final = 2000  # at 500 dpi: 10 cm, a four-finger slap is 8.1 cm (FAP 60)
MAX_PIXELS: Final = 16_000_000  # as delivered: a FAP 60 slap at 1000 dpi has 9.7 million


def working_image(image: FingerImage, *, dpi: float) -> FingerImage:
    """The picture at 500 dpi.

    Raises:
        FingerImageError: Not two-dimensional 8-bit grey, a resolution nobody builds (0: the driver did not tell), or
            a size no finger has.
    """
    if image.ndim != 2 or image.dtype != np.uint8:
        raise FingerImageError(f"wanted height x width of uint8, got {image.dtype} with {image.ndim} axes")
    if not MIN_DPI <= dpi <= MAX_DPI:  # also what NaN fails
        raise FingerImageError(f"{dpi} dpi; between {MIN_DPI:.0f} and {MAX_DPI:.0f} is expected: set the scanner's dpi")
    height, width = image.shape
    if height * width > MAX_PIXELS:
        raise FingerImageError(f"{width} x {height} pixels; at most {MAX_PIXELS} are decoded")
    scale = WORKING_DPI / dpi
    size = round(width * scale), round(height * scale)
    if min(size) < MIN_SIDE_PX or max(size) > MAX_SIDE_PX:
        raise FingerImageError(f"{size[0]} x {size[1]} pixels at 500 dpi; {MIN_SIDE_PX} to {MAX_SIDE_PX} a side fit")
    if size == (width, height):
        return image
    # averaging when shrinking keeps ridges from beating with the pixel grid
    scaled = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return np.asarray(scaled, np.uint8)


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def cut(self, image: FingerImage) -> FingerImage:
        """What is inside."""
        return image[self.top : self.top + self.height, self.left : self.left + self.width]


def window_around(
    mask: NDArray[np.bool_], *, cell_px: int, margin_px: int, max_side_px: int, size: tuple[int, int]
) -> Window:
    """The smallest rectangle with every set cell and a margin, inside a picture of `size` (width, height).

    Where it would exceed `max_side_px`, that much around the middle of the set cells.
    """

    def span(axis: int, limit: int) -> tuple[int, int]:
        cells = np.flatnonzero(mask.any(axis=axis))
        first = max(0, int(cells[0]) * cell_px - margin_px)
        last = min(limit, (int(cells[-1]) + 1) * cell_px + margin_px)
        if last - first > max_side_px:
            weight = mask.sum(axis=axis)
            middle = int((np.arange(len(weight)) * weight).sum() / weight.sum() * cell_px)
            first = min(max(first, middle - max_side_px // 2), last - max_side_px)
            last = first + max_side_px
        return first, last - first

    left, width = span(0, size[0])
    top, height = span(1, size[1])
    return Window(left, top, width, height)
