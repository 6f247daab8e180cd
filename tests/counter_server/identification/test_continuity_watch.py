"""A call watched by the real engine, once a second, from the face check that passed to the last embedding's end."""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest

from biometrics.evaluation.attacks import seen
from biometrics.evaluation.puppet import Posture
from biometrics.face.calibration import load_calibration
from biometrics.face.engine import Embedding, Picture
from counter_server.identification.continuity_calls import Follow, FollowedPeople
from counter_server.identification.continuity_watch import CallWatch, thresholds_of_one
from tests.biometrics.simulated_customer import face_engine
from tests.biometrics.test_session import portrait, puppet, run, session, willing
from webrtc.wire.face import ContinuityCue, ContinuityState

CUSTOMER, SOMEBODY_ELSE = "obama.jpg", "biden.jpg"


@cache
def passed() -> bytes:
    """Who has passed a check, kept as bytes because whoever takes it may overwrite it."""
    one = session(reference=portrait())
    run(one, willing())
    assert one.decide(20.0).live
    person = one.take_person()
    assert person is not None
    assert one.take_person() is None
    return person.tobytes()


def person() -> Embedding:
    return np.frombuffer(passed(), dtype=np.float64).copy()


def watch(known: Embedding | None) -> CallWatch:
    return CallWatch(face_engine(), thresholds_of_one(load_calibration(face_engine())), known, 0.0)


def at_rest(name: str, second: int) -> Picture:
    """Somebody who breathes and sways, seen by a camera with noise."""
    sway = 0.02 * np.sin(second * 0.9)
    rng = np.random.default_rng(second)
    return seen(puppet(name).show(Posture(yaw=float(sway), pitch=0.01)), rng)


def watched(one: CallWatch, show: Callable[[int], Picture], *, seconds: range) -> CallWatch:
    for second in seconds:
        one.look(show(second), float(second))
        one.continuity.tick(second + 0.5)
    return one


def test_who_passed_is_held_and_somebody_else_is_noticed_within_a_few_looks() -> None:
    one = watched(watch(person()), lambda s: at_rest(CUSTOMER, s), seconds=range(1, 9))
    assert one.continuity.state is ContinuityState.HELD
    watched(one, lambda s: at_rest(SOMEBODY_ELSE, s), seconds=range(9, 14))
    assert (one.continuity.state, one.continuity.cue) == (ContinuityState.BROKEN, ContinuityCue.OTHER_FACE)


def test_a_head_that_turns_and_looks_up_is_still_the_same() -> None:
    def show(second: int) -> Picture:
        turn = (0.3, -0.3, 0.0, 0.15)[second % 4]
        return seen(puppet(CUSTOMER).show(Posture(yaw=turn, pitch=0.1)), np.random.default_rng(second))

    assert watched(watch(person()), show, seconds=range(1, 13)).continuity.state is not ContinuityState.BROKEN


def test_the_same_picture_again_and_again_is_frozen_however_it_is_coded() -> None:
    def show(second: int) -> Picture:
        still = at_rest(CUSTOMER, min(second, 4))
        coded = cv2.imencode(".jpg", still, [cv2.IMWRITE_JPEG_QUALITY, (25, 60, 90)[second % 3]])[1]
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)

    one = watched(watch(person()), show, seconds=range(1, 13))
    assert (one.continuity.state, one.continuity.cue) == (ContinuityState.BROKEN, ContinuityCue.PICTURE_FROZEN)


def test_where_no_face_was_checked_the_first_clear_looks_count() -> None:
    one = watched(watch(None), lambda s: at_rest(CUSTOMER, s), seconds=range(1, 6))
    assert one.continuity.state is ContinuityState.HELD
    watched(one, lambda s: at_rest(SOMEBODY_ELSE, s), seconds=range(6, 11))
    assert one.continuity.cue is ContinuityCue.OTHER_FACE


@pytest.fixture
def people() -> FollowedPeople:
    return FollowedPeople(face_engine(), thresholds_of_one(load_calibration(face_engine())))


def test_every_face_is_overwritten_at_the_end(people: FollowedPeople) -> None:
    kept = person()
    people.remember("visit", kept)
    people.follow(Follow("visit", known=True))
    call = people.calls["visit"]
    copied = call.person
    assert copied is not None
    assert kept.any()
    watched(call, lambda s: at_rest(CUSTOMER, s), seconds=range(1, 3))
    people.forget("visit")
    assert not kept.any()
    assert not copied.any()
    assert not people.known
    assert not people.calls
    assert "0." not in repr(call)


def test_a_process_that_never_knew_the_face_says_so_at_once(people: FollowedPeople) -> None:
    people.follow(Follow("visit", known=True))
    (news,) = people.news()
    assert (news.state, news.cue) == (ContinuityState.BROKEN, ContinuityCue.WATCH_LOST)
    assert not list(people.news())
