"""The real script in a real browser against the real session: who reacts is live, who cannot is not."""

import time
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Error

from biometrics.decision import Verdict
from biometrics.face.calibration import load_thresholds
from biometrics.face.guidance import GuidanceCode
from biometrics.face.liveness.challenge import Challenge, Movement
from biometrics.face.outcome import FaceDecision, FaceReason
from biometrics.face.reference import load_reference
from biometrics.face.session import FaceSession
from tests.biometrics.browser import FRAME_S, Film, Line, chromium
from tests.biometrics.simulated_customer import customer_script, face_engine
from tests.journeys.photographs import photograph

PORTRAIT = "obama2.jpg"  # on the chip
GENUINE = "obama.jpg"  # before the camera: another photograph of the same person
IMPOSTOR = "biden.jpg"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def session_for(movements: tuple[Movement, ...], started_at_s: float = 0.0) -> FaceSession:
    engine = face_engine()
    portrait = load_reference(photograph(PORTRAIT).read_bytes(), engine)
    return FaceSession(engine, portrait, Challenge(b"seed", movements), load_thresholds(engine), started_at_s)


def check(
    browser: Browser, name: str, mode: str, movements: tuple[Movement, ...], line: Line | None = None
) -> FaceDecision:
    """Play one face check as counter and page do together."""
    film = Film(browser, customer_script(photograph(name), mode))
    session = session_for(movements, time.monotonic())
    while not session.finished:
        began = time.monotonic()
        picture = film.frame()
        film.ask(session.observe(line.carry(picture) if line else picture, time.monotonic()))
        film.wait(max(0.0, FRAME_S - (time.monotonic() - began)))
    film.close()
    return session.decide(time.monotonic())


LEFT, RIGHT, UP, CLOSER, BLINK = Movement


@pytest.mark.parametrize("movements", [(RIGHT, UP, LEFT), (BLINK, LEFT, CLOSER)])
def test_a_person_who_follows_is_live_and_accepted(browser: Browser, movements: tuple[Movement, ...]) -> None:
    decision = check(browser, GENUINE, "reacts", movements)
    assert decision.reasons == ()
    assert (decision.verdict, decision.live, decision.compared) == (Verdict.ACCEPT, True, True)
    assert decision.frames_used >= 5
    assert decision.best_picture_bgr is not None


def test_a_poor_line_does_not_cost_the_acceptance(browser: Browser) -> None:
    decision = check(browser, GENUINE, "reacts", (RIGHT, UP, RIGHT), Line(350_000))
    assert (decision.verdict, decision.live, decision.reasons) == (Verdict.ACCEPT, True, ())


def test_an_impostor_who_follows_is_live_but_rejected(browser: Browser) -> None:
    decision = check(browser, IMPOSTOR, "reacts", (LEFT, UP, LEFT))
    assert (decision.verdict, decision.live) == (Verdict.REJECT, True)
    assert decision.reasons == (FaceReason.FACE_DIFFERENT,)
    assert decision.match is not None
    assert decision.match.fmr_upper == 1.0


def test_a_picture_that_cannot_hear_is_not_live(browser: Browser) -> None:
    decision = check(browser, GENUINE, "still", (RIGHT, UP, RIGHT))
    assert (decision.verdict, decision.live) == (Verdict.REJECT, False)
    # on a quick machine it is called frozen before the time for the movement is over
    assert decision.reasons[0] in {FaceReason.MOVEMENT_MISSING, FaceReason.PICTURE_FROZEN}


@pytest.mark.parametrize("movement", [LEFT, UP])
def test_the_wrong_movement_is_not_live(browser: Browser, movement: Movement) -> None:
    decision = check(browser, GENUINE, "wrong", (movement, RIGHT, UP))
    assert (decision.verdict, decision.live) == (Verdict.REJECT, False)
    assert decision.reasons == (FaceReason.WRONG_MOVEMENT,)


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("covered", GuidanceCode.COVERED),
        ("absent", GuidanceCode.NO_FACE),
        ("two", GuidanceCode.TWO_FACES),
        ("reacts", GuidanceCode.HOLD_STILL),
    ],
)
def test_the_session_says_what_is_wrong_with_the_picture(browser: Browser, mode: str, code: GuidanceCode) -> None:
    film = Film(browser, customer_script(photograph(GENUINE), mode))
    film.wait(0.3)
    assert session_for((UP, LEFT, UP)).observe(film.frame(), 0.1).code is code
    film.close()


def test_the_person_can_change_while_the_camera_runs(browser: Browser) -> None:
    film = Film(browser, customer_script(photograph(GENUINE)))
    film.page.evaluate("() => { window.__simulatedPerson.mode = 'covered'; }")
    film.wait(0.3)
    assert film.frame().max() < 40
    film.close()


def test_camera_and_microphone_come_as_from_a_device(browser: Browser) -> None:
    film = Film(browser, customer_script(photograph(GENUINE)))
    assert film.kinds == ["audio", "video"]
    kinds = film.page.evaluate("async () => (await navigator.mediaDevices.enumerateDevices()).map((d) => d.kind)")
    assert kinds == ["videoinput", "audioinput"]
    film.close()


@pytest.mark.parametrize(
    ("mode", "name"), [("refused", "NotAllowedError"), ("missing", "NotFoundError"), ("busy", "NotReadableError")]
)
def test_a_camera_that_cannot_be_had_fails_as_browsers_do(browser: Browser, mode: str, name: str) -> None:
    with pytest.raises(Error, match=name):
        Film(browser, customer_script(photograph(GENUINE), mode))


def test_at_rest_the_bent_photograph_is_the_photograph(browser: Browser) -> None:
    still = Film(browser, customer_script(photograph(GENUINE), "still"))
    living = Film(browser, customer_script(photograph(GENUINE), "reacts"))
    for film in (still, living):
        film.wait(0.3)
    one, other = still.frame(), living.frame()
    # sway and blinks move it by a few pixels and no more
    shift = np.hypot(*cv2.phaseCorrelate(cv2.cvtColor(one, 6).astype(float), cv2.cvtColor(other, 6).astype(float))[0])
    assert shift < 8
    for film in (still, living):
        film.close()
