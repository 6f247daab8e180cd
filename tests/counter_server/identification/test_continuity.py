"""When the person in a call is held, uncertain or broken, from looks and the clock alone."""

import pytest

from counter_server.identification.continuity import (
    NO_FACE_S,
    UNCLEAR_S,
    Continuity,
    Sight,
)
from webrtc.wire.face import ContinuityCue, ContinuityState

HELD, UNCERTAIN, BROKEN = ContinuityState.HELD, ContinuityState.UNCERTAIN, ContinuityState.BROKEN


def watched(*sights: tuple[Sight, int], still_from: float = float("inf")) -> Continuity:
    """One look a second: so many of each kind, the clock ticking twice in between."""
    track, at_s = Continuity(0.0), 0.0
    for sight, times in sights:
        for _ in range(times):
            at_s += 1.0
            track.see(sight, at_s, still=at_s > still_from)
            track.tick(at_s + 0.5)
    return track


def test_a_face_that_stays_is_held_from_its_first_look() -> None:
    assert watched().state is UNCERTAIN
    assert watched((Sight.SAME, 1)).state is HELD
    assert watched((Sight.SAME, 600)).state is HELD


@pytest.mark.parametrize("sight", [Sight.NOBODY, Sight.UNCLEAR, Sight.TWO, Sight.OTHER])
def test_a_moment_of_anything_halts_nobody(sight: Sight) -> None:
    for times in (1, 2):
        assert watched((Sight.SAME, 5), (sight, times), (Sight.SAME, 1)).state is HELD


def test_signing_with_the_head_down_and_a_hand_before_the_face_are_no_break() -> None:
    track = watched((Sight.SAME, 5), (Sight.NOBODY, 8), (Sight.UNCLEAR, 30), (Sight.NOBODY, 9), (Sight.SAME, 2))
    assert track.state is HELD


def test_an_empty_chair_asks_first_and_breaks_then() -> None:
    track = watched((Sight.SAME, 5), (Sight.NOBODY, 5))
    assert (track.state, track.cue) == (UNCERTAIN, ContinuityCue.NO_FACE)
    track = watched((Sight.SAME, 5), (Sight.NOBODY, int(NO_FACE_S) + 1))
    assert (track.state, track.cue) == (BROKEN, ContinuityCue.NO_FACE)


def test_somebody_who_has_half_a_minute_to_sit_down_is_not_late() -> None:
    assert watched((Sight.NOBODY, 25), (Sight.SAME, 1)).state is HELD
    assert watched((Sight.NOBODY, 32)).cue is ContinuityCue.NO_FACE


def test_another_face_breaks_after_three_good_looks_whatever_lies_between() -> None:
    assert watched((Sight.SAME, 5), (Sight.OTHER, 2)).state is UNCERTAIN
    track = watched((Sight.SAME, 5), (Sight.OTHER, 2), (Sight.UNCLEAR, 2), (Sight.NOBODY, 1), (Sight.OTHER, 1))
    assert (track.state, track.cue) == (BROKEN, ContinuityCue.OTHER_FACE)


def test_somebody_only_a_little_like_the_person_is_not_let_through_for_ever() -> None:
    assert watched((Sight.SAME, 5), (Sight.UNLIKE, 9), (Sight.SAME, 1)).state is HELD
    assert watched((Sight.SAME, 5), (Sight.UNLIKE, 10)).cue is ContinuityCue.OTHER_FACE


def test_a_second_face_that_stays_breaks_and_one_that_passes_does_not() -> None:
    assert watched((Sight.SAME, 5), (Sight.TWO, 4), (Sight.SAME, 1)).state is HELD
    assert watched((Sight.SAME, 5), (Sight.TWO, 5)).cue is ContinuityCue.SECOND_FACE


def test_a_picture_that_stands_still_breaks_though_the_face_in_it_is_the_right_one() -> None:
    track = watched((Sight.SAME, 20), still_from=10.0)
    assert (track.state, track.cue) == (BROKEN, ContinuityCue.PICTURE_FROZEN)


def test_a_swap_behind_a_frozen_picture_breaks() -> None:
    track = Continuity(0.0)
    for second in range(1, 11):
        track.see(Sight.SAME, float(second), still=second > 6)
    assert track.state is not BROKEN
    for second in range(11, 14):
        track.see(Sight.OTHER, float(second))
    assert (track.state, track.cue) == (BROKEN, ContinuityCue.OTHER_FACE)


def test_no_pictures_at_all_are_named_as_such() -> None:
    track = watched((Sight.SAME, 5))
    track.tick(5.0 + NO_FACE_S + 0.5)
    assert (track.state, track.cue) == (BROKEN, ContinuityCue.NO_PICTURE)


def test_a_face_never_shown_clearly_does_not_stay_uncertain_for_ever() -> None:
    track = watched((Sight.SAME, 1), (Sight.UNCLEAR, 30))
    assert (track.state, track.cue) == (UNCERTAIN, ContinuityCue.FACE_UNCLEAR)
    assert watched((Sight.SAME, 1), (Sight.UNCLEAR, int(UNCLEAR_S) + 1)).cue is ContinuityCue.FACE_UNCLEAR
    assert watched((Sight.SAME, 1), (Sight.UNCLEAR, int(UNCLEAR_S) + 1)).state is BROKEN


def test_our_own_slowness_reproaches_nobody_but_not_for_ever() -> None:
    track = watched((Sight.SAME, 5))
    for second in range(6, 26):
        track.excuse(float(second))
    track.tick(26.0)
    assert track.state is HELD
    for second in range(26, 60):
        track.excuse(float(second))
    assert track.state is BROKEN


def test_broken_stays_broken() -> None:
    track = watched((Sight.SAME, 5), (Sight.OTHER, 3), (Sight.SAME, 50))
    assert (track.state, track.cue) == (BROKEN, ContinuityCue.OTHER_FACE)
    track.break_for(ContinuityCue.LINE_REJOINED)
    assert track.cue is ContinuityCue.OTHER_FACE
