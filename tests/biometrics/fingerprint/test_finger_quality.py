"""One reason at a time, and the right one."""

import pytest

from biometrics.fingerprint.quality import FingerAdvice, FingerQuality
from hardware_drivers.fingerprint.synthetic_finger import SyntheticFinger
from hardware_drivers.fingerprint.synthetic_impression import Touch, empty_glass, impression
from tests.biometrics.fingerprint.test_leader import extractor


def judged(touch: Touch, seed: int = 4) -> FingerQuality:
    return extractor().extract(impression(SyntheticFinger.grown(seed), touch), dpi=500).quality


@pytest.mark.parametrize("seed", range(3))
def test_a_firm_finger_is_good(seed: int) -> None:
    quality = judged(Touch(), seed)
    assert quality.advice is None
    assert quality.score > 85
    assert quality.minutiae >= 20
    assert quality.nfiq2 is None  # ours is no NFIQ 2 and never says so


@pytest.mark.parametrize(
    ("touch", "advice"),
    [
        (Touch(moisture=1.0, pressure=0.8), FingerAdvice.TOO_WET),
        (Touch(moisture=0.0, pressure=0.3), FingerAdvice.TOO_DRY),
        (Touch(right_mm=14), FingerAdvice.MOVE_TO_MIDDLE),
    ],
)
def test_a_fault_has_its_own_advice_and_a_lower_score(touch: Touch, advice: FingerAdvice) -> None:
    quality = judged(touch)
    assert quality.advice is advice
    assert quality.score < judged(Touch()).score


def test_a_finger_lifted_early_is_asked_for_again() -> None:
    assert judged(Touch(coverage=0.2)).advice in (
        FingerAdvice.LIFTED_EARLY,
        FingerAdvice.MOVE_TO_MIDDLE,
        FingerAdvice.PRESS_MORE,
    )


def test_an_empty_glass_asks_for_a_finger() -> None:
    quality = extractor().extract(empty_glass(), dpi=500).quality
    assert quality.advice is FingerAdvice.NO_FINGER
    assert quality.score == 0
