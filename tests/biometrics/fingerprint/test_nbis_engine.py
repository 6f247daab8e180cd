"""NIST's algorithms where they load: another pair of eyes on the same finger."""

import numpy as np
import pytest

from biometrics.errors import EngineAbsentError
from biometrics.fingerprint import nbis_engine
from biometrics.fingerprint.nbis_engine import NbisExtractor
from hardware_drivers.fingerprint.synthetic_finger import SyntheticFinger
from hardware_drivers.fingerprint.synthetic_impression import Touch, empty_glass, impression
from tests.biometrics.fingerprint.test_leader import extractor, recorded_finger


@pytest.fixture
def nbis() -> NbisExtractor:
    try:
        return NbisExtractor()
    except EngineAbsentError as absent:
        pytest.skip(f"wants nbis-python 0.1.9 and Debian's OpenCV 4.6: {absent}")


def test_an_absent_engine_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nbis_engine, "PACKAGE", "no_such_engine")
    with pytest.raises(EngineAbsentError, match="no_such_engine"):
        NbisExtractor()


def test_mindtct_sees_the_minutiae_leader_sees_pointing_the_same_way(nbis: NbisExtractor) -> None:
    theirs = nbis.extract(recorded_finger(), dpi=500).minutiae
    ours = extractor().extract(recorded_finger(), dpi=500).minutiae.above(0.9)
    apart = np.hypot(theirs.x_px[:, None] - ours.x_px, theirs.y_px[:, None] - ours.y_px)
    near = apart.min(axis=0) < 8
    turned = np.angle(np.exp(1j * (theirs.angle_rad[apart.argmin(axis=0)] - ours.angle_rad)))[near]
    assert near.mean() > 0.6
    assert np.median(np.abs(turned)) < 0.2  # a half turn, the other convention, would be 3.1


def test_nfiq_2_comes_from_nist_and_a_good_finger_has_a_usual_one(nbis: NbisExtractor) -> None:
    quality = nbis.extract(impression(SyntheticFinger.grown(4), Touch()), dpi=500).quality
    assert quality.nfiq2 is not None
    assert 25 <= quality.nfiq2 <= 100


def test_bozorth3_tells_two_fingers_apart(nbis: NbisExtractor) -> None:
    rng = np.random.default_rng(1)
    one, two = SyntheticFinger.grown(4), SyntheticFinger.grown(5)
    a, b, c = (nbis.finger(impression(finger, Touch.drawn(rng)), dpi=500) for finger in (one, one, two))
    assert nbis.bozorth3(a, b) > nbis.bozorth3(a, c)


def test_an_empty_glass_is_one_to_take_again(nbis: NbisExtractor) -> None:
    finger = nbis.finger(empty_glass(), dpi=500)
    assert not finger.extraction.quality.acceptable
    assert nbis.bozorth3(finger, finger) == 0
