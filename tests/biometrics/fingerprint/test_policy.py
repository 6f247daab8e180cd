"""A finger ends in a verdict that says how often strangers get as far, and never in an exception."""

from dataclasses import fields, replace
from datetime import date

import numpy as np
import pytest

from biometrics.decision import Calibration, Curves, Thresholds, Verdict
from biometrics.errors import CalibrationError
from biometrics.fingerprint.cylinders import Cylinders
from biometrics.fingerprint.match import Comparison
from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.policy import (
    MAX_TRIES,
    FingerDecision,
    FingerReason,
    FingerRule,
    claimed_fmr,
    decide_finger,
    decide_fingers,
    engine_name,
    load_finger_calibration,
)
from biometrics.fingerprint.quality import MIN_SURE
from biometrics.fingerprint.template import FingerPosition
from biometrics.fingerprint.template_formats import TemplateFormat, read_minutiae, write_minutiae
from biometrics.fingerprint.tries import Tries
from tests.biometrics.fingerprint.fingers import extraction, finger, pressed_again


def thresholds(enrolled: int) -> Thresholds:
    rates = (1e-4, 1e-3, 1e-2)
    curves = Curves((0.2, 0.4, 0.6), rates, rates, rates, rates, (0.03, 0.02, 0.01), (1e4, 1e3, 1e2))
    return Thresholds("measured", "engine", enrolled, 0.4, 0.6, 1000, 100, curves)


CALIBRATION = Calibration(
    id="measured",
    engine="engine",
    weights={"weights": "0" * 64},
    measured_on="nobody",
    measured_at=date(2026, 11, 21),
    people=10,
    worst_group="scanner",
    worst_group_people=10,
    fused=(thresholds(1), thresholds(3)),
)
FIRST = finger(1)
AGAIN = pressed_again(FIRST, 2, turn_rad=0.2, bend_px=5)


def test_the_same_finger_is_accepted_with_its_claim() -> None:
    decision = decide_finger(AGAIN, [FIRST], CALIBRATION)
    assert decision.verdict is Verdict.ACCEPT
    assert decision.reasons == ()
    assert decision.match is not None
    assert decision.match.fmr_upper == 1e-4


def test_another_finger_is_rejected() -> None:
    decision = decide_finger(finger(99), [FIRST], CALIBRATION)
    assert (decision.verdict, decision.compared) == (Verdict.REJECT, True)
    assert decision.reasons == (FingerReason.FINGER_DIFFERENT,)


def test_of_several_enrolled_the_nearest_counts() -> None:
    decision = decide_finger(AGAIN, [finger(50), finger(51), FIRST], CALIBRATION)
    assert (decision.verdict, decision.enrolled) == (Verdict.ACCEPT, 3)
    assert decision.match is not None
    assert decision.match.frames_fused == 3  # thresholds measured with three
    assert decision.match.fmr_upper == 1e-4


def test_every_further_chance_is_added_to_the_claim() -> None:
    third = decide_finger(AGAIN, [FIRST], CALIBRATION, tries=3)
    two = decide_finger(AGAIN, [FIRST, finger(50)], CALIBRATION, tries=1)
    assert third.match is not None
    assert two.match is not None
    assert third.match.fmr_upper == pytest.approx(3e-4)
    assert two.match.fmr_upper == pytest.approx(2e-4)  # two enrolled, thresholds of one


def test_a_fourth_try_is_for_a_clerk() -> None:
    decision = decide_finger(AGAIN, [FIRST], CALIBRATION, tries=MAX_TRIES + 1)
    assert (decision.verdict, decision.compared) == (Verdict.REFER, False)
    assert decision.reasons == (FingerReason.TOO_MANY_TRIES,)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_little_on_either_side_asks_for_a_clerk_and_says_so(count: int) -> None:
    few = FIRST.best(count)
    assert decide_finger(few, [FIRST], CALIBRATION).reasons == (FingerReason.TOO_LITTLE,)
    assert decide_finger(AGAIN, [few], CALIBRATION).reasons == (FingerReason.NO_REFERENCE,)
    assert decide_finger(AGAIN, [], CALIBRATION).reasons == (FingerReason.NO_REFERENCE,)
    assert decide_finger(few, [few], CALIBRATION).verdict is Verdict.REFER


def test_three_minutiae_are_never_accepted() -> None:
    """However alike: three of three is what any two fingers can show."""
    three = FIRST.best(3)
    assert decide_finger(three, [three], CALIBRATION).verdict is not Verdict.ACCEPT


def test_a_part_of_few_minutiae_is_a_clerks_to_accept_however_near_and_of_enough_a_machines() -> None:
    for count, verdict in ((MIN_SURE - 1, Verdict.REFER), (MIN_SURE, Verdict.ACCEPT)):
        part = FIRST.best(count)  # the most certain ones: all count in full
        for probe, reference in ((part, FIRST), (FIRST, part)):
            decision = decide_finger(probe, [reference], CALIBRATION)
            assert decision.comparison is not None
            assert decision.comparison.distance < CALIBRATION.fused[0].accept_distance
            assert decision.verdict is verdict
            assert ("too few" in decision.checks[0].why) is (verdict is Verdict.REFER)


def test_fingers_count_together_by_the_rule() -> None:
    accept = decide_finger(AGAIN, [FIRST], CALIBRATION)
    reject = decide_finger(finger(99), [FIRST], CALIBRATION)
    both: dict[FingerPosition, FingerDecision | None] = {
        FingerPosition.RIGHT_INDEX: accept,
        FingerPosition.LEFT_INDEX: reject,
    }
    missing: dict[FingerPosition, FingerDecision | None] = {
        FingerPosition.RIGHT_INDEX: accept,
        FingerPosition.LEFT_INDEX: None,
    }
    assert decide_fingers(both, FingerRule.ANY) is Verdict.ACCEPT
    assert decide_fingers(both, FingerRule.ALL) is Verdict.REJECT
    assert decide_fingers(missing, FingerRule.ALL) is Verdict.REFER
    assert decide_fingers(missing, FingerRule.ANY) is Verdict.ACCEPT
    assert decide_fingers({FingerPosition.LEFT_INDEX: None}, FingerRule.ANY) is Verdict.REFER
    assert decide_fingers({}, FingerRule.ANY) is Verdict.REFER
    twice: dict[FingerPosition, FingerDecision | None] = {
        FingerPosition.RIGHT_INDEX: accept,
        FingerPosition.LEFT_INDEX: accept,
    }
    assert claimed_fmr(twice, FingerRule.ANY) == pytest.approx(2e-4)
    assert claimed_fmr(twice, FingerRule.ALL) == pytest.approx(1e-4)
    assert claimed_fmr({}, FingerRule.ALL) == 1.0


def test_shipped_calibrations_are_for_their_pair_of_producers_only() -> None:
    own = load_finger_calibration("leader-1")
    foreign = load_finger_calibration("leader-1", foreign=True)
    assert own.engine == engine_name("leader-1", foreign=False) != foreign.engine
    assert own.fused[0].accept_distance != foreign.fused[0].accept_distance
    for calibration in (own, foreign):
        assert all(one.supported_fmr <= 1e-3 for one in calibration.fused)
    with pytest.raises(CalibrationError):
        load_finger_calibration("leader-2")
    with pytest.raises(CalibrationError):
        load_finger_calibration("leader-1", text="nonsense")


def test_with_the_shipped_thresholds_a_finger_is_told_from_others() -> None:
    own = load_finger_calibration("leader-1")
    assert decide_finger(AGAIN, [FIRST], own).verdict is Verdict.ACCEPT
    assert all(decide_finger(finger(seed), [FIRST], own).verdict is not Verdict.ACCEPT for seed in range(60, 80))


def test_a_template_by_way_of_its_standard_decides_alike() -> None:
    stored = read_minutiae(write_minutiae(FIRST, TemplateFormat.ISO_2005), TemplateFormat.ISO_2005)
    assert decide_finger(AGAIN, [stored], CALIBRATION).verdict is Verdict.ACCEPT


def test_a_decision_holds_nothing_of_the_template() -> None:
    """ISO/IEC 24745 irreversibility: what is shown and sealed of a comparison says nothing of where minutiae lie."""
    decision = decide_finger(AGAIN, [FIRST], CALIBRATION)
    kinds = (np.ndarray, Minutiae, Cylinders)
    shown = [getattr(decision, field.name) for field in fields(decision)]
    assert isinstance(decision.comparison, Comparison)
    shown += [getattr(decision.comparison, field.name) for field in fields(decision.comparison)]
    shown += [getattr(decision.match, field.name) for field in fields(decision.match)] if decision.match else []
    assert not any(isinstance(value, kinds) for value in shown)
    moved = replace(FIRST, x_px=FIRST.x_px + 1.0)
    assert decide_finger(moved, [moved], CALIBRATION) == decide_finger(FIRST, [FIRST], CALIBRATION)


def test_tries_keep_the_best_and_end() -> None:
    tries = Tries()
    assert (tries.wanted, tries.best) == (True, None)
    poor, better, worse = (extraction(FIRST, score=score, good=False) for score in (20, 60, 40))
    for one in (poor, better, worse):
        assert tries.wanted
        tries.add(one)
    assert (tries.wanted, tries.count) == (False, 3)
    assert tries.best is better
    with pytest.raises(ValueError, match="no try"):
        tries.add(poor)
    one_good = Tries()
    one_good.add(extraction(FIRST, score=90, good=True))
    assert not one_good.wanted
