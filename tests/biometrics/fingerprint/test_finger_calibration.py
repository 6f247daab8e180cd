"""What a calibration file says of distances is what counting says: on a slice of the fingers it was measured on too."""

import hashlib
from datetime import date

import numpy as np
import pytest

from biometrics.errors import CalibrationError, EvaluationDataError
from biometrics.evaluation.finger_parts import PartScores
from biometrics.evaluation.finger_scores import PairScores, compare_all, pair_scores
from biometrics.evaluation.fingerprint_calibration import TARGET_FMR, calibration_text
from biometrics.fingerprint.cylinders import Cylinders
from biometrics.fingerprint.engine import Extraction
from biometrics.fingerprint.image import FingerImage
from biometrics.fingerprint.leader import LeaderExtractor
from biometrics.fingerprint.policy import load_finger_calibration
from tests.biometrics.fingerprint.fingers import DATA, picture

SET = "FVC2002_DB1_B"
NO_PARTS = PartScores((), (), 0)
DEVIATIONS = 4  # binomial; a false alarm in 16 000


class NamedExtractor:
    """Only its name and its weights stand in a calibration file."""

    id = "nobody-1"
    version = "1"
    sha256 = {"weights": hashlib.sha256(b"").hexdigest()}  # noqa: RUF012 - the protocol's attribute

    def extract(self, image: FingerImage, *, dpi: float) -> Extraction:
        """Never asked."""
        raise NotImplementedError


def scanner(name: str, fingers: int, *, impressions: int = 6) -> PairScores:
    """Comparisons of a made-up scanner: one finger's impressions under 0.3, strangers from 0.2 on."""
    rng = np.random.default_rng(len(name))
    keys = [(finger, impression) for finger in range(fingers) for impression in range(1, impressions + 1)]
    rows = [(one, other) for index, one in enumerate(keys) for other in keys[index + 1 :]]
    distances = [rng.uniform(0.001, 0.3) if a[0] == b[0] else 0.2 + 0.8 * rng.beta(6, 1) for a, b in rows]
    return pair_scores(name, rows, distances)


def test_a_file_keeps_its_target_on_the_worst_scanner_and_is_read_back_for_its_own_engine() -> None:
    scores = [scanner("good", 12), scanner("worse", 12)]
    text = calibration_text(
        scores, NO_PARTS, NamedExtractor(), foreign=False, measured_on="nobody", measured_at=date(2026, 11, 22)
    )
    calibration = load_finger_calibration(NamedExtractor.id, text=text)
    assert [one.frames_fused for one in calibration.fused] == [1, 3]
    single = calibration.fused[0]
    rates = [float(np.mean(one.impostor <= single.accept_distance)) for one in scores]
    assert max(rates) <= TARGET_FMR
    assert single.supported_fmr <= TARGET_FMR
    with pytest.raises(CalibrationError):
        load_finger_calibration("leader-1", text=text)


def test_nine_fingers_are_too_few() -> None:
    with pytest.raises(EvaluationDataError, match="9 fingers"):
        calibration_text(
            [scanner("small", 9)],
            NO_PARTS,
            NamedExtractor(),
            foreign=False,
            measured_on="x",
            measured_at=date(2026, 11, 22),
        )


@pytest.mark.skipif(not (DATA / SET).is_dir(), reason=f"wants fingerprints/{SET} in COUNTER_EVALUATION_DATA")
def test_the_shipped_rates_are_those_of_a_slice_counted_anew() -> None:
    extractor = LeaderExtractor()
    made = {
        (finger, impression): Cylinders.of(extractor.extract(picture(SET, f"{finger}_{impression}"), dpi=500).minutiae)
        for finger in range(101, 111)
        for impression in (2, 5)
    }
    slice_ = compare_all(SET, made, made, lambda: None)
    single = load_finger_calibration(extractor.id).fused[0]
    for distance in (single.accept_distance, single.refer_distance):
        step = single.curves.step_at(distance)
        assert step is not None
        rate, strangers = single.curves.fmr[step], len(slice_.impostor)
        expected = rate * strangers
        spread = DEVIATIONS * np.sqrt(expected * (1 - rate))
        assert abs(np.count_nonzero(slice_.impostor <= distance) - expected) <= spread + 1
    assert np.count_nonzero(slice_.genuine > single.refer_distance) == 0
