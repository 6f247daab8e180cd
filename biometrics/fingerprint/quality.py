"""Whether an impression is worth keeping, and if not, the one thing the person can do about it.

A poor impression asks for another try and never turns anybody away: the best one seen is kept all the same.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np

from biometrics.fingerprint.image import FingerImage
from biometrics.fingerprint.minutiae import WORKING_DPI, Minutiae
from biometrics.fingerprint.ridges import CELL_PX, RidgeMaps

# Limits between the fifth percentile of 108 impressions of four FVC sets and synthetic faults (drops, drought, slips).
SURE: Final = 0.5  # certainty from which a minutia counts; the research notes' threshold for matching
MIN_SURE: Final = 12  # minutiae; twelve was the courts' number long before machines
MIN_AREA_MM2: Final = 90.0  # half of what FIPS 201 asks of a scanner's window (12.8 x 16.5 mm)
MAX_OFF_CENTRE: Final = 0.2  # of the picture's side
CUT_SHARE: Final = 0.25  # of an edge that the finger crosses
MIN_CONTRAST: Final = 0.22
WET_INK: Final = 0.6  # mean darkness between the lightest and darkest twentieth: valleys are filled
DRY_INK: Final = 0.35
COHERENT: Final = 0.4
MIN_COHERENT_SHARE: Final = 0.5
SMEARED_COHERENT_SHARE: Final = 0.9
DIRTY_RIPPLE: Final = 8.0  # grey levels; an empty sensor has up to 2
CELL_MM2: Final = (CELL_PX / WORKING_DPI * 25.4) ** 2


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
    """0 to 1: between ridge and valley, as a part of the whole range of greys, median over the foreground."""

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
    """What was measured on a picture at 500 dpi, its maps and its minutiae."""
    if not maps.foreground.any():
        return _nothing(maps)
    seen = _contact(image, maps)
    sure = minutiae.above(SURE)
    confidence = float(sure.quality.mean()) if len(sure) else 0.0
    enough = (len(sure) / 32, seen.area_mm2 / 200, seen.coherent_share, confidence)
    score = 100 * float(np.prod(np.minimum(enough, 1))) ** (1 / len(enough))
    return FingerQuality(
        score=round(score),
        advice=_advice(seen, sure=len(sure)),
        area_mm2=seen.area_mm2,
        contrast=seen.contrast,
        coherence=seen.coherence,
        minutiae=len(sure),
        confidence=confidence,
    )


@dataclass(frozen=True, slots=True)
class _Contact:
    """What the foreground looks like."""

    area_mm2: float
    contrast: float
    coherence: float
    coherent_share: float
    ink: float
    off_centre: float
    cut_by_edge: bool


def _nothing(maps: RidgeMaps) -> FingerQuality:
    """No ridges anywhere: an empty glass, or a dirty one."""
    dirty = float(np.percentile(maps.ripple, 95)) > DIRTY_RIPPLE
    return FingerQuality(
        score=0,
        advice=FingerAdvice.CLEAN_GLASS if dirty else FingerAdvice.NO_FINGER,
        area_mm2=0.0,
        contrast=0.0,
        coherence=0.0,
        minutiae=0,
        confidence=0.0,
    )


def _contact(image: FingerImage, maps: RidgeMaps) -> _Contact:
    """Measured inside the foreground; its outermost cells, half glass, are left out where others remain."""
    touched = maps.foreground
    inner = cv2.erode(touched.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.bool_)
    core = inner if inner.any() else touched
    rows, columns = np.nonzero(touched)
    pixels = cv2.resize(
        core.astype(np.uint8), (core.shape[1] * CELL_PX, core.shape[0] * CELL_PX), interpolation=cv2.INTER_NEAREST
    )[: image.shape[0], : image.shape[1]]
    grey = image[pixels > 0].astype(np.float32)
    dark, light = (float(level) for level in np.percentile(grey, (5, 95)))
    span = max(light - dark, 1.0)
    middle = np.array([(rows.mean() + 0.5) / touched.shape[0], (columns.mean() + 0.5) / touched.shape[1]])
    edges = (touched[0], touched[-1], touched[:, 0], touched[:, -1])
    return _Contact(
        area_mm2=float(touched.sum()) * CELL_MM2,
        contrast=min(1.0, 2 * float(np.median(maps.ripple[core])) / span),
        coherence=float(maps.coherence[core].mean()),
        coherent_share=float((maps.coherence[core] > COHERENT).mean()),
        ink=float(np.clip((light - grey) / span, 0, 1).mean()),
        off_centre=float(np.abs(middle - 0.5).max()),
        cut_by_edge=any(float(edge.mean()) > CUT_SHARE for edge in edges),
    )


def _advice(seen: _Contact, *, sure: int) -> FingerAdvice | None:
    """The first that applies, place before pressure before skin; None when the impression is good."""
    if not sure and seen.coherence < COHERENT:
        return FingerAdvice.CLEAN_GLASS
    if seen.area_mm2 < MIN_AREA_MM2 or (sure < MIN_SURE and seen.off_centre > MAX_OFF_CENTRE):
        if seen.off_centre > MAX_OFF_CENTRE:
            return FingerAdvice.MOVE_TO_MIDDLE if seen.cut_by_edge else FingerAdvice.LIFTED_EARLY
        return FingerAdvice.PRESS_MORE
    if seen.contrast < MIN_CONTRAST:
        if seen.ink > WET_INK:
            return FingerAdvice.TOO_WET
        if seen.coherent_share > SMEARED_COHERENT_SHARE:
            return FingerAdvice.HOLD_STILL
    if seen.coherent_share < MIN_COHERENT_SHARE and seen.ink < DRY_INK:
        return FingerAdvice.TOO_DRY
    if sure < MIN_SURE:
        return FingerAdvice.TOO_WET if seen.ink > WET_INK else FingerAdvice.USE_MORE_OF_PAD
    return None
