"""The session's rules, on frames filmed once from the simulated person and replayed by an invented clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from biometrics.decision import CheckOutcome, Thresholds, Verdict
from biometrics.errors import CalibrationError, MovementError
from biometrics.face.calibration import load_thresholds
from biometrics.face.engine import Picture
from biometrics.face.guidance import Guidance, GuidanceCode
from biometrics.face.liveness.challenge import RELIABLE_MOVEMENTS, Movement
from biometrics.face.outcome import FaceReason
from biometrics.face.reference import Reference, load_reference
from biometrics.face.session import TIMEOUT_S, FaceSession
from tests.biometrics.browser import Film, chromium
from tests.biometrics.simulated_customer import customer_script, face_engine
from tests.journeys.photographs import photograph

STEP_S = 0.15


@dataclass(frozen=True, slots=True)
class Takes:
    """Pictures of one person."""

    straight: Picture
    left: Picture
    right: Picture


def film(browser_film: Film) -> Takes:
    """A person before and at the peak of each turn."""
    straight = browser_film.frame()
    turned = {}
    for movement in (Movement.TURN_LEFT, Movement.TURN_RIGHT):
        browser_film.ask(Guidance(GuidanceCode.MOVE_NOW, movement))
        browser_film.wait(1.6)
        turned[movement] = browser_film.frame()
        browser_film.ask(Guidance(GuidanceCode.BACK_TO_MIDDLE))
        browser_film.wait(1.5)
    browser_film.close()
    return Takes(straight, turned[Movement.TURN_LEFT], turned[Movement.TURN_RIGHT])


@pytest.fixture(scope="module")
def people() -> Iterator[tuple[Takes, Takes]]:
    """The genuine person and another one."""
    with chromium() as browser:
        yield (
            film(Film(browser, customer_script(photograph("obama.jpg")))),
            film(Film(browser, customer_script(photograph("biden.jpg")))),
        )


@pytest.fixture(scope="module")
def portrait() -> Reference:
    return load_reference(photograph("obama2.jpg").read_bytes(), face_engine())


@pytest.fixture(scope="module")
def thresholds() -> Thresholds:
    return load_thresholds(face_engine())


def play(session: FaceSession, frames: Iterable[Picture], *, from_s: float = STEP_S) -> list[GuidanceCode]:
    """What the session said to each frame."""
    return [session.observe(picture, from_s + index * STEP_S).code for index, picture in enumerate(frames)]


def story(takes: Takes, *, wait: int = 4, peak: int = 3) -> list[Picture]:
    """Straight until asked, some frames to react, a left turn, and back."""
    return [takes.straight] * (5 + wait) + [takes.left] * peak + [takes.straight] * 3


def test_the_whole_way_is_told_in_order(
    people: tuple[Takes, Takes], portrait: Reference, thresholds: Thresholds
) -> None:
    session = FaceSession(face_engine(), portrait, Movement.TURN_LEFT, thresholds, 0.0)
    said = play(session, story(people[0]))
    assert list(dict.fromkeys(said)) == [
        GuidanceCode.HOLD_STILL,
        GuidanceCode.MOVE_NOW,
        GuidanceCode.BACK_TO_MIDDLE,
        GuidanceCode.DONE,
    ]
    decision = session.decide(3.0)
    assert (decision.verdict, decision.live, decision.reasons) == (Verdict.ACCEPT, True, ())
    assert {check.name: check.outcome for check in decision.checks} == dict.fromkeys(
        ("movement", "depth", "one_person", "match"), CheckOutcome.PASSED
    )
    assert session.decide(99.0) is decision


def test_progress_only_rises(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    progress = [session.observe(p, STEP_S * (i + 1)).progress for i, p in enumerate(story(people[0]))]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


def test_without_a_card_nobody_is_accepted(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    play(session, story(people[0]))
    decision = session.decide(3.0)
    assert (decision.verdict, decision.live, decision.compared, decision.match) == (Verdict.REFER, True, False, None)
    assert decision.reasons == (FaceReason.NO_REFERENCE,)


def reasons_after(session: FaceSession, frames: Iterable[Picture]) -> tuple[FaceReason, ...]:
    """Play, decide, and see that it was not live."""
    frames = list(frames)
    play(session, frames)
    decision = session.decide(STEP_S * len(frames))
    assert (decision.verdict, decision.live) == (Verdict.REJECT, False)
    return decision.reasons


def test_a_movement_before_anyone_could_read_is_refused(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    assert FaceReason.MOVED_TOO_EARLY in reasons_after(session, story(people[0], wait=0))


def test_a_movement_that_comes_too_late_is_refused(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    assert FaceReason.MOVEMENT_MISSING in reasons_after(session, story(people[0], wait=42))


def test_the_other_direction_is_refused(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    session = FaceSession(face_engine(), None, Movement.TURN_RIGHT, thresholds, 0.0)
    assert FaceReason.WRONG_MOVEMENT in reasons_after(session, story(people[0]))


def test_looking_everywhere_answers_no_instruction(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    takes, _ = people
    frames = [takes.straight] * 9 + [takes.right] * 2 + [takes.straight] * 2 + [takes.left] * 3 + [takes.straight] * 3
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    assert FaceReason.WRONG_MOVEMENT in reasons_after(session, frames)


def test_one_frame_is_no_movement(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    assert FaceReason.NOT_FINISHED in reasons_after(session, story(people[0], peak=1))


def test_another_person_cannot_move_instead(
    people: tuple[Takes, Takes], portrait: Reference, thresholds: Thresholds
) -> None:
    helper, genuine = people
    session = FaceSession(face_engine(), portrait, Movement.TURN_RIGHT, thresholds, 0.0)
    frames = [genuine.straight] * 6 + [helper.straight] * 4 + [helper.right] * 3 + [genuine.straight] * 3
    assert FaceReason.IDENTITY_CHANGED in reasons_after(session, frames)


def test_another_person_cannot_come_back_instead(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    genuine, helper = people
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    frames = [genuine.straight] * 9 + [genuine.left] * 3 + [helper.straight] * 4
    # The other face's rest may differ so much from the first one's that it does not even count as "back".
    stopped_by = {FaceReason.IDENTITY_CHANGED, FaceReason.TRACK_BROKEN, FaceReason.NOT_FINISHED}
    assert set(reasons_after(session, frames)) & stopped_by


def test_a_jump_of_the_face_breaks_the_track(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    takes, _ = people
    elsewhere = np.roll(takes.straight, 260, axis=1)
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    assert FaceReason.TRACK_BROKEN in reasons_after(session, [takes.straight] * 7 + [elsewhere] * 3)


def test_nobody_for_a_while_breaks_the_track(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    takes, _ = people
    wall = np.random.default_rng(1).integers(90, 160, takes.straight.shape).astype(np.uint8)
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    assert FaceReason.TRACK_BROKEN in reasons_after(session, [takes.straight] * 7 + [wall] * 18)


def two(takes: Takes) -> Picture:
    """The same head twice, side by side."""
    return np.hstack([takes.straight[:, 160:480], takes.straight[:, 160:480]])


def test_a_head_turned_out_of_sight_is_called_back(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    takes, _ = people
    wall = np.random.default_rng(1).integers(90, 160, takes.straight.shape).astype(np.uint8)
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    frames = [takes.straight] * 8 + [takes.left] + [wall] * 3 + [takes.left] + [takes.straight] * 3
    said = play(session, frames)
    assert said[9:12] == [GuidanceCode.BACK_TO_MIDDLE] * 3
    assert said[-1] is GuidanceCode.DONE
    assert session.decide(9.0).live


def test_a_second_face_before_the_movement_is_asked_away(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    said = play(session, [two(people[0])] * 3 + [people[0].straight] * 6)
    assert said[:3] == [GuidanceCode.TWO_FACES] * 3
    assert said[-1] is GuidanceCode.MOVE_NOW


def test_a_second_face_during_the_movement_ends_it(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    takes, _ = people
    # beside the first, so that the track itself holds
    beside = takes.straight.copy()
    beside[:, 420:] = takes.straight[:, 210:430]
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    assert FaceReason.TWO_FACES in reasons_after(session, [takes.straight] * 7 + [beside] * 3)


def test_it_ends_by_itself(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    black = np.zeros_like(people[0].straight)
    assert session.observe(black, 1.0).code is GuidanceCode.COVERED
    assert session.observe(black, TIMEOUT_S + 0.1).code is GuidanceCode.DONE
    assert session.decide(TIMEOUT_S + 0.1).reasons[0] is FaceReason.TIMED_OUT


def test_frames_out_of_order_change_nothing(people: tuple[Takes, Takes], thresholds: Thresholds) -> None:
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    said = session.observe(people[0].straight, 5.0)
    assert session.observe(np.zeros_like(people[0].straight), 4.0) == said
    assert session.decide(6.0).frames_seen == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda p: (p * 0.12).astype(np.uint8), GuidanceCode.TOO_DARK),
        (lambda p: np.roll(p, 170, axis=1), GuidanceCode.MOVE_TO_MIDDLE),
        (lambda p: p[::2, ::2].repeat(1, axis=0), GuidanceCode.COME_CLOSER),
        (lambda p: p[60:380, 110:530].repeat(2, axis=0).repeat(2, axis=1)[100:560, 100:740], GuidanceCode.MOVE_BACK),
    ],
    ids=["dark", "aside", "far", "near"],
)
def test_each_trouble_has_its_sentence(
    people: tuple[Takes, Takes], thresholds: Thresholds, change: object, code: GuidanceCode
) -> None:
    assert callable(change)
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    assert session.observe(np.ascontiguousarray(change(people[0].straight)), 0.1).code is code


def test_somebody_who_looks_aside_is_asked_to_look_straight(
    people: tuple[Takes, Takes], thresholds: Thresholds
) -> None:
    session = FaceSession(face_engine(), None, Movement.TURN_LEFT, thresholds, 0.0)
    assert session.observe(people[0].left, 0.1).code is GuidanceCode.LOOK_STRAIGHT


@pytest.mark.parametrize("movement", sorted(set(Movement) - set(RELIABLE_MOVEMENTS)))
def test_a_movement_that_proves_nothing_is_refused(movement: Movement, thresholds: Thresholds) -> None:
    with pytest.raises(MovementError):
        FaceSession(face_engine(), None, movement, thresholds, 0.0)


def test_a_portrait_of_another_engine_is_refused(portrait: Reference, thresholds: Thresholds) -> None:
    foreign = Reference(portrait.embedding, "another", portrait.inter_eye_px, portrait.encoded_bytes)
    with pytest.raises(CalibrationError):
        FaceSession(face_engine(), foreign, Movement.LOOK_UP, thresholds, 0.0)
