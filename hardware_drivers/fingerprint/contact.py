"""What lies on the glass, roughly and at once: nothing, too little, too wet, too dry, or a finger.

This is a hint for the person at the desk while the finger is still near; the counter judges the picture properly.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from hardware_drivers.errors import FingerLiftedError, FingerPoorError, NoFingerError, PoorPicture
from hardware_drivers.fingerprint.scanner import GreyImage

BLOCK_MM: Final = 0.8  # about two ridge periods of an adult: a block on ridges holds both greys
DARKER: Final = 25.0  # grey levels below the glass, on average: something lies there
RIDGED: Final = 18.0  # deviation within a block of ridges; an empty sensor's noise has 2 to 5
NOTHING_MM2: Final = 12.0  # dust and a ghost of the last finger
LITTLE_MM2: Final = 70.0  # a third of a small finger's contact; people's are 150 to 400
FULL_MM2: Final = 160.0
MOSTLY: Final = 0.5  # of what touches shows ridges


@dataclass(frozen=True, slots=True)
class Contact:
    """Measured on one picture.

    Attributes:
        area_mm2: Something touches the glass there.
        ridged_share: Of that area, the part that shows ridges.
        ink: 0 to 1: how dark the touched area is between the glass and the darkest twentieth of it.
    """

    area_mm2: float
    ridged_share: float
    ink: float

    @property
    def quality(self) -> int:
        """0 to 100: how much of a full contact shows ridges."""
        return round(100 * min(1.0, self.area_mm2 / FULL_MM2) * self.ridged_share)

    @property
    def empty(self) -> bool:
        """Nothing lies there."""
        return self.area_mm2 < NOTHING_MM2

    @property
    def poor(self) -> PoorPicture:
        """What to change, if anything must be."""
        if self.area_mm2 < LITTLE_MM2:
            return PoorPicture.TOO_LITTLE
        return PoorPicture.TOO_WET if self.ink > 0.5 else PoorPicture.TOO_DRY


def contact_of(pixels: GreyImage, dpi: int) -> Contact:
    """Measure a picture; 4 ms of a processor for 400 x 400."""
    side = max(4, round(BLOCK_MM * dpi / 25.4))
    rows, columns = pixels.shape[0] // side, pixels.shape[1] // side
    if rows == 0 or columns == 0:
        return Contact(0.0, 0.0, 0.0)
    blocks = pixels[: rows * side, : columns * side].reshape(rows, side, columns, side).astype(np.float32)
    means, deviations = blocks.mean(axis=(1, 3)), blocks.std(axis=(1, 3))
    glass = float(np.percentile(means, 95))
    ridged = deviations > RIDGED
    touched = ridged | (means < glass - DARKER)
    if glass < 2 * DARKER:  # all black: a palm, or something laid over the glass
        touched = np.ones_like(ridged)
    count = int(touched.sum())
    if count == 0:
        return Contact(0.0, 0.0, 0.0)
    darkest = float(np.percentile(pixels, 5))
    ink = (glass - float(means[touched].mean())) / max(1.0, glass - darkest)
    return Contact(count * (side / dpi * 25.4) ** 2, float(ridged[touched].mean()), min(1.0, max(0.0, ink)))


def quality_of(pixels: GreyImage, dpi: int, minimum_quality: int) -> int:
    """The picture's quality, if it will do.

    Raises:
        NoFingerError: the glass is empty.
        FingerLiftedError: hardly anything is left of the finger, and that is not enough.
        FingerPoorError: below `minimum_quality` for another reason.
    """
    contact = contact_of(pixels, dpi)
    if contact.empty:
        raise NoFingerError("the glass is empty")
    if contact.quality < minimum_quality:
        if contact.poor is PoorPicture.TOO_LITTLE:
            raise FingerLiftedError(f"{contact.area_mm2:.0f} mm² of a finger")
        raise FingerPoorError(contact.poor, f"quality {contact.quality} of {minimum_quality}")
    return contact.quality
