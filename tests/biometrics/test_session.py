"""The session's rules, on a person made of a photograph and played by an invented clock."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from biometrics.decision import CheckOutcome, Thresholds, Verdict
from biometrics.errors import CalibrationError
from biometrics.evaluation.actor import PEAKS, Actor, Temper, puppet_of
from biometrics.evaluation.puppet import Posture, Puppet
from biometrics.face.calibration import load_thresholds
from biometrics.face.engine import Picture
from biometrics.face.guidance import Guidance, GuidanceCode
from biometrics.face.liveness.challenge import Challenge, Movement
from biometrics.face.liveness.sequence import REACTION_MAX_S
from biometrics.face.outcome import FaceReason
from biometrics.face.reference import Reference, load_reference
from biometrics.face.session import TIMEOUT_S, FaceSession, Phase
from tests.biometrics.simulated_customer import face_engine, read_picture
from tests.journeys.photographs import photograph

STEP_S = 1 / 12
TEMPER = Temper(reaction_s=0.4, rise_s=0.5, reach=1.0, hold_s=0.2, sway=1.0, phase=1.0)
LEFT, RIGHT, UP, CLOSER, BLINK = Movement
ASKED = Challenge(b"seed", (LEFT, BLINK, UP))

Play = Callable[[float, Guidance], Picture]
"""What the camera sees at a time, knowing what the page said last."""


@cache
def puppet(name: str) -> Puppet:
    return puppet_of(read_picture(photograph(name)), face_engine())


@cache
def thresholds() -> Thresholds:
    return load_thresholds(face_engine())


@cache
def portrait() -> Reference:
    return load_reference(photograph("obama2.jpg").read_bytes(), face_engine())


def session(asked: Challenge = ASKED, reference: Reference | None = None) -> FaceSession:
    return FaceSession(face_engine(), reference, asked, thresholds(), 0.0)


def willing(name: str = "obama.jpg", temper: Temper = TEMPER) -> Play:
    """Somebody who does what is asked."""
    actor = Actor(temper)

    def play(at_s: float, guidance: Guidance) -> Picture:
        actor.hear(guidance, at_s)
        return puppet(name).show(actor.posture(at_s))

    return play


def run(one: FaceSession, play: Play, *, until_s: float = 20.0) -> list[Guidance]:
    """What the session said, changes only, until it ended."""
    said = [Guidance(GuidanceCode.STARTING)]
    at_s = 0.0
    while not one.finished and at_s < until_s:
        at_s += STEP_S
        guidance = one.observe(play(at_s, said[-1]), at_s)
        if (guidance.code, guidance.movement) != (said[-1].code, said[-1].movement):
            said.append(guidance)
    return said[1:]


def reasons(one: FaceSession, play: Play, *, until_s: float = 20.0) -> tuple[FaceReason, ...]:
    """Play, decide, and see that it was not live."""
    run(one, play, until_s=until_s)
    decision = one.decide(until_s)
    assert (decision.verdict, decision.live) == (Verdict.REJECT, False)
    return decision.reasons


def test_the_whole_way_is_told_in_order_and_accepted() -> None:
    one = session(reference=portrait())
    said = run(one, willing())
    assert [(g.code, g.movement) for g in said] == [
        (GuidanceCode.HOLD_STILL, None),
        (GuidanceCode.MOVE_NOW, LEFT),
        (GuidanceCode.BACK_TO_MIDDLE, None),
        (GuidanceCode.MOVE_NOW, BLINK),
        (GuidanceCode.BACK_TO_MIDDLE, None),
        (GuidanceCode.MOVE_NOW, UP),
        (GuidanceCode.BACK_TO_MIDDLE, None),
        (GuidanceCode.DONE, None),
    ]
    decision = one.decide(9.0)
    assert (decision.verdict, decision.live, decision.reasons) == (Verdict.ACCEPT, True, ())
    names = ("movement", "depth", "one_person", "pictures", "match")
    assert [(check.name, check.outcome) for check in decision.checks] == [(n, CheckOutcome.PASSED) for n in names]
    assert decision.frames_used >= 5
    assert one.decide(99.0) is decision


@pytest.mark.parametrize("movement", Movement)
def test_every_movement_can_be_done(movement: Movement) -> None:
    turn = RIGHT if movement is LEFT else LEFT
    one = session(Challenge(b"seed", (movement, turn, movement)))
    run(one, willing("biden.jpg"))
    assert one.decide(9.0).reasons == (FaceReason.NO_REFERENCE,)


def test_every_value_stands_in_the_checks() -> None:
    one = session()
    run(one, willing())
    why = {check.name: check.why for check in one.decide(9.0).checks}
    assert why["movement"].startswith("after being asked: turn_left 0.")
    assert "at least 0.05" in why["depth"]
    assert "% of what is allowed" in why["one_person"]
    assert "of a cut's" in why["pictures"]


def test_progress_only_rises() -> None:
    one, play, said, at_s = session(), willing(), [Guidance(GuidanceCode.STARTING)], 0.0
    while not one.finished:
        at_s += STEP_S
        said.append(one.observe(play(at_s, said[-1]), at_s))
    progress = [guidance.progress for guidance in said]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


def test_a_willing_person_needs_eight_seconds() -> None:
    at: list[float] = []
    play = willing()

    def clocked(at_s: float, guidance: Guidance) -> Picture:
        at.append(at_s)
        return play(at_s, guidance)

    run(session(Challenge(b"seed", (LEFT, UP, RIGHT))), clocked)
    assert at[-1] <= 8.0


def test_without_a_card_nobody_is_accepted() -> None:
    one = session()
    run(one, willing())
    decision = one.decide(9.0)
    assert (decision.verdict, decision.live, decision.compared, decision.match) == (Verdict.REFER, True, False, None)
    assert decision.reasons == (FaceReason.NO_REFERENCE,)


def test_another_face_that_follows_is_live_and_refused() -> None:
    one = session(reference=portrait())
    run(one, willing("biden.jpg"))
    decision = one.decide(9.0)
    assert (decision.verdict, decision.live, decision.reasons) == (Verdict.REJECT, True, (FaceReason.FACE_DIFFERENT,))


# --- movements ------------------------------------------------------------------------------------------------------


def deaf(*postures: tuple[float, Posture]) -> Play:
    """Somebody who hears nothing: these postures from these times on, each reached at once."""

    def play(at_s: float, _: Guidance) -> Picture:
        return puppet("obama.jpg").show(
            [posture for from_s, posture in ((0.0, Posture()), *postures) if from_s <= at_s][-1]
        )

    return play


def test_a_movement_before_anyone_could_read_is_refused() -> None:
    def play(at_s: float, guidance: Guidance) -> Picture:
        asked = guidance.code is GuidanceCode.MOVE_NOW
        return puppet("obama.jpg").show(PEAKS[LEFT] if asked else Posture())

    assert FaceReason.MOVED_TOO_EARLY in reasons(session(), play)


def test_a_movement_that_comes_too_late_is_refused() -> None:
    assert FaceReason.MOVEMENT_MISSING in reasons(session(), willing(temper=replace(TEMPER, reaction_s=REACTION_MAX_S)))


def test_the_other_direction_is_refused() -> None:
    assert FaceReason.WRONG_MOVEMENT in reasons(session(), deaf((1.6, PEAKS[RIGHT])))


def test_the_second_movement_is_judged_like_the_first() -> None:
    play = willing()

    def stops_listening(at_s: float, guidance: Guidance) -> Picture:
        wrong = replace(guidance, movement=RIGHT) if guidance.movement is UP else guidance
        return play(at_s, wrong)

    assert FaceReason.WRONG_MOVEMENT in reasons(session(), stops_listening)


def test_a_photograph_does_nothing() -> None:
    assert reasons(session(), deaf())[0] in {FaceReason.MOVEMENT_MISSING, FaceReason.PICTURE_FROZEN}


def test_open_eyes_answer_nothing_though_they_were_closed_at_the_very_beginning() -> None:
    open_eyed, one = willing(), session(Challenge(b"seed", (BLINK, LEFT, UP)))

    def play(at_s: float, guidance: Guidance) -> Picture:
        picture = open_eyed(at_s, Guidance(GuidanceCode.HOLD_STILL))
        last_of_three = len(one._neutral) == 2 and one.phase is Phase.NEUTRAL
        return puppet("obama.jpg").show(Posture(lids=1.0)) if last_of_three else picture

    assert reasons(one, play)[0] is FaceReason.MOVEMENT_MISSING
    assert one._sequence is not None
    assert one._sequence.seen == []


def test_a_blink_nobody_asked_for_does_not_answer() -> None:
    play = deaf(*((1.0 + i / 2 + d, Posture(lids=1.0 - d / 0.15)) for i in range(10) for d in (0.0, 0.15)))
    assert reasons(session(Challenge(b"seed", (BLINK, LEFT, UP))), play)[0] is FaceReason.MOVEMENT_MISSING


def test_whoever_cannot_is_asked_for_something_else_without_penalty() -> None:
    play, asked = willing(), session(Challenge(b"seed", (UP, LEFT, Movement.COME_CLOSER)))
    refused: list[Movement] = []

    def cannot_look_up(at_s: float, guidance: Guidance) -> Picture:
        if guidance.movement is UP:
            assert asked.ask_another(at_s)
            refused.append(UP)
            guidance = asked.guidance
            assert guidance.movement not in (None, UP)
        return play(at_s, guidance)

    said = run(asked, cannot_look_up)
    decision = asked.decide(20.0)
    assert decision.live
    assert len(refused) == 1
    assert sum(one.movement is UP for one in said) == 1
    assert "1 asked for instead" in decision.checks[0].why


def test_other_movements_are_given_out_twice_and_no_more() -> None:
    one, said = session(), Guidance(GuidanceCode.STARTING)
    for frame in range(1, 20):
        said = one.observe(puppet("obama.jpg").show(Posture()), frame * STEP_S)
    assert said.code is GuidanceCode.MOVE_NOW
    assert [one.ask_another(1.8), one.ask_another(1.9), one.ask_another(2.0)] == [True, True, False]


def seldom(play: Play, every_s: float) -> FaceSession:
    """A check by a counter so busy that it looks that seldom; guidance reaches the person as late."""
    one, said, at_s = session(), Guidance(GuidanceCode.STARTING), 0.0
    while not one.finished and at_s < TIMEOUT_S:
        at_s += every_s
        said = one.observe(play(at_s, said), at_s)
        one.told(at_s + every_s)
    return one


@pytest.mark.parametrize("every_s", [0.25, 0.6])
def test_a_busy_counter_refuses_nobody(every_s: float) -> None:
    decision = seldom(willing(), every_s).decide(TIMEOUT_S)
    assert decision.live
    assert {check.name: check.outcome for check in decision.checks}["pictures"] is CheckOutcome.NOT_POSSIBLE


def test_a_busy_counter_still_sees_who_came_instead() -> None:
    genuine, helper = willing("biden.jpg"), willing("obama.jpg")

    def play(at_s: float, guidance: Guidance) -> Picture:
        one, other = genuine(at_s, guidance), helper(at_s, guidance)
        return one if at_s < 2.0 else other

    assert not seldom(play, 0.5).decide(TIMEOUT_S).live


# --- one face all the way -------------------------------------------------------------------------------------------


def test_another_person_cannot_move_instead() -> None:
    genuine, helper = willing("biden.jpg"), willing("obama.jpg")

    def play(at_s: float, guidance: Guidance) -> Picture:
        one, other = genuine(at_s, guidance), helper(at_s, guidance)
        return one if at_s < 1.2 else other

    assert set(reasons(session(), play)) & {
        FaceReason.IDENTITY_CHANGED,
        FaceReason.TRACK_BROKEN,
        FaceReason.PICTURE_CUT,
    }


def test_another_person_cannot_come_back_instead() -> None:
    genuine, helper, moved = willing("obama.jpg"), willing("biden.jpg"), [False]

    def play(at_s: float, guidance: Guidance) -> Picture:
        moved[0] |= guidance.code is GuidanceCode.BACK_TO_MIDDLE
        one, other = genuine(at_s, guidance), helper(at_s, guidance)
        return other if moved[0] else one

    # The other face's rest may differ so much from the first one's that it counts as a movement of its own.
    stopped_by = {FaceReason.IDENTITY_CHANGED, FaceReason.TRACK_BROKEN, FaceReason.WRONG_MOVEMENT}
    stopped_by.add(FaceReason.PICTURE_CUT)
    assert set(reasons(session(), play)) & stopped_by


def test_a_jump_of_the_face_breaks_the_track() -> None:
    play = willing()
    assert FaceReason.TRACK_BROKEN in reasons(
        session(), lambda at_s, said: np.roll(play(at_s, said), 150 if at_s > 1.3 else 0, axis=1)
    )


def test_nobody_for_a_while_breaks_the_track() -> None:
    play = willing()
    rng = np.random.default_rng(1)

    def fades(at_s: float, said: Guidance) -> Picture:
        """Not from one frame to the next: that would be a cut."""
        share = min(1.0, max(0.0, (at_s - 1.0) / 0.6))
        blurred = cv2.GaussianBlur(play(at_s, said), (0, 0), 0.5 + 40 * share)
        return np.asarray(np.clip(blurred + rng.normal(0, 6, blurred.shape), 0, 255), np.uint8)

    assert set(reasons(session(), fades)) & {FaceReason.TRACK_BROKEN, FaceReason.MOVEMENT_MISSING}


def test_a_second_face_before_the_movement_is_asked_away() -> None:
    straight = puppet("obama.jpg").show(Posture())
    two = np.ascontiguousarray(np.hstack([straight[:, 100:300], straight[:, 100:300]]))
    one = session()
    assert [one.observe(two, STEP_S * (i + 1)).code for i in range(3)] == [GuidanceCode.TWO_FACES] * 3
    said = [one.observe(straight, 1 + STEP_S * i).code for i in range(9)]
    assert said[-1] is GuidanceCode.MOVE_NOW


def test_it_ends_by_itself() -> None:
    one, black = session(), np.zeros((300, 400, 3), np.uint8)
    assert one.observe(black, 1.0).code is GuidanceCode.COVERED
    assert one.observe(black, TIMEOUT_S + 0.1).code is GuidanceCode.DONE
    assert one.decide(TIMEOUT_S + 0.1).reasons[0] is FaceReason.TIMED_OUT


def test_frames_out_of_order_change_nothing() -> None:
    one = session()
    said = one.observe(puppet("obama.jpg").show(Posture()), 5.0)
    assert one.observe(np.zeros((300, 400, 3), np.uint8), 4.0) == said
    assert one.decide(6.0).frames_seen == 1


def test_somebody_who_looks_aside_is_asked_to_look_straight() -> None:
    assert session().observe(puppet("obama.jpg").show(Posture(yaw=0.3)), 0.1).code is GuidanceCode.LOOK_STRAIGHT


def test_a_portrait_of_another_engine_is_refused() -> None:
    with pytest.raises(CalibrationError):
        session(reference=replace(portrait(), engine="another"))


def test_no_face_is_left_in_memory_after_the_decision() -> None:
    one = session()
    run(one, willing())
    assert one._looks is not None
    identity = one._looks.track
    kept = [frame.embedding for frame in one._gallery._kept if frame.embedding is not None]
    assert len(kept) >= 3
    looks = [identity.first, *identity._latest]
    assert len(looks) > 3
    assert all(look.any() for look in looks)
    one.decide(9.0)
    assert not any(look.any() for look in looks)
    assert not any(embedding.any() for embedding in kept)
    assert len(one._gallery) == 0
