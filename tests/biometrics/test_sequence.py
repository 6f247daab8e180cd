"""Which movement counts for which instruction, on bare efforts: what a film that turns must not pass for."""

from biometrics.face.liveness.challenge import Challenge, Movement
from biometrics.face.liveness.sequence import Efforts, Sequence, Stage
from biometrics.face.outcome import FaceReason

LEFT, RIGHT, UP, CLOSER, BLINK = Movement
LOOK_S = 1 / 12


def efforts(**done: float) -> Efforts:
    """At rest, but for these."""
    return dict.fromkeys(Movement, 0.0) | {Movement(name): share for name, share in done.items()}


def fed(looks: list[Efforts]) -> Sequence:
    """A sequence that begins with closed eyes, half a second after it was asked for."""
    sequence = Sequence(Challenge(b"seed", (BLINK, LEFT, UP)), 0.0)
    for number, look in enumerate(looks):
        sequence.feed(look, 0.5 + number * LOOK_S)
    return sequence


def test_closed_eyes_are_a_blink() -> None:
    assert [step.movement for step in fed([efforts(blink=3.0)] * 6).seen] == [BLINK]


def test_the_eyes_of_a_turning_head_are_no_blink_however_different_they_look() -> None:
    turning = [efforts(blink=3.0, turn_left=share, turn_right=-share) for share in (0.7, 0.75, 0.8, 0.85, 0.9, 0.95)]
    assert fed(turning).stage is Stage.ASKING
    assert fed([*turning, *[efforts(blink=3.0, turn_left=1.2)] * 2]).failure is FaceReason.WRONG_MOVEMENT


def test_eyes_that_were_closed_before_a_turn_count_from_when_the_head_is_straight() -> None:
    turned, straight = efforts(blink=3.0, turn_left=0.7), efforts(blink=3.0)
    assert not fed([turned, turned, straight, straight]).seen
    assert fed([turned, turned, *[straight] * 5]).seen
