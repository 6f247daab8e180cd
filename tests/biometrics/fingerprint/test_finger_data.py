"""Real fingers, a slice of them: one finger's impressions are near, others' far, poor pictures get a clear answer."""

import numpy as np
import pytest

from biometrics.decision import Verdict
from biometrics.evaluation.fingerprint_speed import drawn_finger
from biometrics.fingerprint.leader import LeaderExtractor
from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.policy import FingerReason, decide_finger, load_finger_calibration
from tests.biometrics.fingerprint.fingers import DATA, picture

SET = "FVC2002_DB1_B"
wants_fingers = pytest.mark.skipif(
    not (DATA / SET).is_dir(), reason=f"wants fingerprints/{SET} in COUNTER_EVALUATION_DATA"
)


@pytest.fixture(scope="module")
def extractor() -> LeaderExtractor:
    return LeaderExtractor()


def minutiae_of(extractor: LeaderExtractor, name: str) -> Minutiae:
    return extractor.extract(picture(SET, name), dpi=500).minutiae


@wants_fingers
def test_five_fingers_are_told_apart(extractor: LeaderExtractor) -> None:
    fingers = range(101, 106)
    enrolled = {finger: minutiae_of(extractor, f"{finger}_1") for finger in fingers}
    probes = {finger: minutiae_of(extractor, f"{finger}_2") for finger in fingers}
    calibration = load_finger_calibration(extractor.id)
    for owner, probe in probes.items():
        for claimed, reference in enrolled.items():
            verdict = decide_finger(probe, [reference], calibration).verdict
            if owner == claimed:
                assert verdict is Verdict.ACCEPT
            else:
                assert verdict is not Verdict.ACCEPT


@wants_fingers
def test_a_part_of_the_finger_is_still_its_own(extractor: LeaderExtractor) -> None:
    whole, part = minutiae_of(extractor, "101_1"), picture(SET, "101_2")[60:300, 90:300]
    decision = decide_finger(extractor.extract(part, dpi=500).minutiae, [whole], load_finger_calibration(extractor.id))
    assert decision.verdict is not Verdict.REJECT


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_empty_glass_is_too_little_and_no_exception(extractor: LeaderExtractor, grey: int) -> None:
    empty = extractor.extract(np.full((300, 260), grey, np.uint8), dpi=500).minutiae
    drawn = extractor.extract(drawn_finger(1), dpi=500).minutiae
    decision = decide_finger(empty, [drawn], load_finger_calibration(extractor.id))
    assert decision.reasons == (FingerReason.TOO_LITTLE,)


def test_a_drawn_finger_is_itself_and_no_other(extractor: LeaderExtractor) -> None:
    """Where no data lie this still exercises the way from picture to verdict."""
    first, second = (extractor.extract(drawn_finger(seed), dpi=500).minutiae for seed in (1, 2))
    again = extractor.extract(np.roll(drawn_finger(1), (9, -7), axis=(0, 1)), dpi=500).minutiae
    calibration = load_finger_calibration(extractor.id)
    assert decide_finger(again, [first], calibration).verdict is Verdict.ACCEPT
    assert decide_finger(second, [first], calibration).verdict is not Verdict.ACCEPT
