"""Verdicts, thresholds as data, and how sure a count makes us."""

from datetime import date

import pytest

from biometrics.decision import Verdict
from biometrics.errors import CalibrationError
from biometrics.evaluation.intervals import upper_bound
from biometrics.face.calibration import load_thresholds
from tests.biometrics.simulated_customer import face_engine

GOOD = """
calibration = "c"
engine = "dlib-resnet-v1/sp5"
frames_fused = 5
measured_on = "nobody"
measured_at = 2026-01-02
[accept]
distance = 0.4
comparisons = 10
false_matches = 0
fmr_upper = 0.1
worst_group_comparisons = 1
fmr_upper_worst_group = 1.0
[refer]
distance = 0.5
comparisons = 10
false_matches = 1
fmr_upper = 0.2
worst_group_comparisons = 1
fmr_upper_worst_group = 1.0
"""


@pytest.mark.parametrize(
    ("distance", "verdict", "fmr_upper"),
    [
        (0.0, Verdict.ACCEPT, 0.1),
        (0.4, Verdict.ACCEPT, 0.1),
        (0.41, Verdict.REFER, 0.2),
        (0.5, Verdict.REFER, 0.2),
        (0.51, Verdict.REJECT, 1.0),
        (float("nan"), Verdict.REJECT, 1.0),
    ],
)
def test_a_distance_falls_into_one_of_three_bands(distance: float, verdict: Verdict, fmr_upper: float) -> None:
    judged, score = load_thresholds(face_engine(), GOOD).judge(distance)
    assert (judged, score.fmr_upper) == (verdict, fmr_upper)


def test_the_shipped_thresholds_say_where_they_were_born() -> None:
    thresholds = load_thresholds(face_engine())
    for threshold in (thresholds.accept, thresholds.refer):
        assert threshold.measured_on
        assert threshold.measured_at >= date(2026, 11, 21)
        # the bound in the file is the bound of the counts in the file
        assert threshold.fmr_upper == pytest.approx(
            upper_bound(threshold.false_matches, threshold.comparisons), rel=0.01
        )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dlib-resnet-v1/sp5", "another-engine"),
        ("distance = 0.4\n", ""),
        ("distance = 0.4\n", "distance = 0.6\n"),
        ("2026-01-02", '"long ago"'),
        ("[accept]", "[accept"),
    ],
)
def test_thresholds_that_are_not_this_engines_decide_nothing(old: str, new: str) -> None:
    with pytest.raises(CalibrationError):
        load_thresholds(face_engine(), GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("events", "trials", "bound"),
    # Clopper & Pearson 1934, one-sided 95 %; the last is the rule of three in the research notes on faces
    [(0, 10, 0.2589), (1, 10, 0.3942), (2, 10, 0.5069), (10, 10, 1.0), (0, 0, 1.0), (0, 102, 0.029)],
)
def test_upper_bounds_agree_with_published_tables(events: int, trials: int, bound: float) -> None:
    assert upper_bound(events, trials) == pytest.approx(bound, abs=5e-4)
