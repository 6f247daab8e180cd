"""Verdicts, calibrations as data, and how sure a count makes us."""

from datetime import date
from itertools import pairwise

import pytest

from biometrics.decision import Verdict
from biometrics.errors import CalibrationError
from biometrics.evaluation.intervals import upper_bound
from biometrics.face.calibration import load_calibration, load_thresholds
from biometrics.face.gallery import NEEDED
from biometrics.face.models import EMBEDDER
from tests.biometrics.simulated_customer import face_engine

FUSED = """
[[fused]]
frames = {frames}
accept_distance = 0.4
refer_distance = 0.5
comparisons = 1000
worst_group_comparisons = 100
genuine = 20
distances = [0.3, 0.4, 0.5]
fmr = [0.001, 0.002, 0.003]
fmr_upper = [0.003, 0.004, 0.005]
fmr_worst_group = [0.001, 0.001, 0.1]
fmr_upper_worst_group = [0.01, 0.02, 0.3]
fnmr = [0.5, 0.1, 0.05]
likelihood_ratio = [900.0, 100, 0.5]
"""
GOOD = f"""
calibration = "c"
engine = "dlib-resnet-v1/sp5"
measured_on = "nobody"
measured_at = 2026-01-02
people = 9
pictures = 18
worst_group = "g"
worst_group_people = 5
target_fmr = 0.001
[weights]
"{EMBEDDER.name}" = "{EMBEDDER.sha256}"
{FUSED.format(frames=1)}{FUSED.format(frames=5)}"""


@pytest.mark.parametrize(
    ("distance", "verdict", "fmr_worst_group"),
    [
        (0.0, Verdict.ACCEPT, 0.001),
        (0.4, Verdict.ACCEPT, 0.001),
        (0.41, Verdict.REFER, 0.1),  # between two points of the grid the worse one counts
        (0.5, Verdict.REFER, 0.1),
        (0.51, Verdict.REJECT, 1.0),
        (float("nan"), Verdict.REJECT, 1.0),
        (float("inf"), Verdict.REJECT, 1.0),
    ],
)
def test_a_distance_falls_into_one_of_three_bands(distance: float, verdict: Verdict, fmr_worst_group: float) -> None:
    judged, score = load_thresholds(face_engine(), GOOD).judge(distance)
    assert (judged, score.fmr_worst_group) == (verdict, fmr_worst_group)
    assert (score.comparisons, score.worst_group_comparisons) == (1000, 100)


def test_a_service_that_asks_for_more_than_the_data_support_gets_an_assistant() -> None:
    thresholds = load_thresholds(face_engine(), GOOD)
    assert not thresholds.assists_only(1e-3)
    assert thresholds.assists_only(1e-4)


@pytest.mark.parametrize(("frames", "measured_with"), [(1, 1), (4, 1), (5, 5), (8, 5), (0, None)])
def test_thresholds_are_those_of_as_many_frames_or_fewer(frames: int, measured_with: int | None) -> None:
    thresholds = load_calibration(face_engine(), GOOD).of(frames)
    assert (thresholds.frames_fused if thresholds else None) == measured_with


def test_the_shipped_calibration_says_where_it_was_born_and_keeps_a_thousandth() -> None:
    calibration = load_calibration(face_engine())
    assert calibration.measured_on
    assert calibration.measured_at >= date(2026, 11, 21)
    assert [thresholds.frames_fused for thresholds in calibration.fused] == [1, 3, 5, 8]
    assert calibration.of(NEEDED) == load_thresholds(face_engine())
    for thresholds in calibration.fused:
        assert not thresholds.assists_only(1e-3)
        assert thresholds.assists_only(1e-4)  # too few people for that, whatever the distance
        _, closest = thresholds.judge(0.0)
        assert closest.fmr_upper >= upper_bound(0, closest.comparisons) * 0.99  # no match is rarer than was counted
        assert closest.likelihood_ratio <= 1 / closest.fmr_worst_group


def test_likelihood_falls_and_rates_rise_with_the_distance() -> None:
    thresholds = load_thresholds(face_engine())
    scores = [thresholds.judge(step / 100)[1] for step in range(100)]
    for near, far in pairwise(scores):
        assert near.likelihood_ratio >= far.likelihood_ratio
        assert near.fmr_worst_group <= far.fmr_worst_group
        assert near.fmr_upper_worst_group <= far.fmr_upper_worst_group


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dlib-resnet-v1/sp5", "another-engine"),
        (EMBEDDER.sha256, "0" * 64),  # the same name, other weights
        (EMBEDDER.name, "other.dat"),
        ("accept_distance = 0.4\n", ""),
        ("accept_distance = 0.4\n", "accept_distance = 0.6\n"),
        ("accept_distance = 0.4\n", "accept_distance = nan\n"),
        ("people = 9", "people = 9\nfriends = 3"),
        ("people = 9", "people = 0"),
        ("people = 9", "people = true"),
        ("2026-01-02", '"long ago"'),
        ("[[fused]]", "[[fused]"),
        ("frames = 1", "frames = 5"),
        ("fmr = [0.001, 0.002, 0.003]", "fmr = [0.001, 0.002]"),
        ("fmr = [0.001, 0.002, 0.003]", "fmr = [0.001, 0.003, 0.002]"),
        ("fmr = [0.001, 0.002, 0.003]", "fmr = [0.0, 0.002, 0.003]"),
        ("fmr = [0.001, 0.002, 0.003]", "fmr = [0.001, 0.002, nan]"),
        ("fmr_upper_worst_group = [0.01, 0.02, 0.3]", "fmr_upper_worst_group = [0.0001, 0.02, 0.3]"),
        ("likelihood_ratio = [900.0, 100, 0.5]", "likelihood_ratio = [0.5, 100, 900.0]"),
    ],
)
def test_a_calibration_that_is_not_this_engines_or_makes_no_sense_decides_nothing(old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(CalibrationError):
        load_calibration(face_engine(), GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("events", "trials", "bound"),
    # Clopper & Pearson 1934, one-sided 95 %; the last is the rule of three in the research notes on faces
    [(0, 10, 0.2589), (1, 10, 0.3942), (2, 10, 0.5069), (10, 10, 1.0), (0, 0, 1.0), (0, 102, 0.029)],
)
def test_upper_bounds_agree_with_published_tables(events: int, trials: int, bound: float) -> None:
    assert upper_bound(events, trials) == pytest.approx(bound, abs=5e-4)
