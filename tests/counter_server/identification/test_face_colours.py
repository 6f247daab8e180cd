"""The screen's colours on their way from the face process to the page."""

import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from biometrics.evaluation.puppet import Posture
from biometrics.face.calibration import load_thresholds
from biometrics.face.liveness.challenge import draw, draw_colours
from biometrics.face.liveness.colours import SYMBOL_S
from biometrics.face.liveness.flash import Flash
from biometrics.face.session import FaceSession
from counter_server.identification.face_process import (
    Guide,
    StopColours,
    _guide,
    _Running,
    _stop_colours,
)
from tests.biometrics.simulated_customer import face_engine
from tests.biometrics.test_session import puppet

SEED = b"seed"


def begun(flash: Flash) -> _Running:
    """A check whose straight frames are all seen, two seconds and a half ago."""
    engine, at_s = face_engine(), time.monotonic() - 2.5
    session = FaceSession(engine, None, draw(SEED), load_thresholds(engine), at_s, flash)
    for _ in range(12):
        at_s += 0.1
        session.observe(puppet("obama.jpg").show(Posture()), at_s)
    return _Running(session, None)


def told(pipe: Connection) -> Guide:
    message = pipe.recv()
    assert isinstance(message, Guide)
    return message


def test_the_page_is_told_one_colour_at_a_time_until_its_person_wants_none() -> None:
    ours, theirs = Pipe()
    now = begun(Flash(draw_colours(SEED), SEED))
    _guide(theirs, "visit-1", now, now.session.guidance)
    first = told(ours).colour
    assert first in {colour.value for colour in draw_colours(SEED)[1:5]}  # begun when the first movement was asked for
    time.sleep(SYMBOL_S)
    _guide(theirs, "visit-1", now, now.session.guidance)
    assert told(ours).colour not in (None, first)
    _stop_colours(theirs, {"visit-1": now}, StopColours("visit-1"))
    assert told(ours).colour is None
    assert {check.name: check.why for check in now.session.decide(time.monotonic()).checks}["colours"] == (
        "the person asked for none"
    )


def test_a_screen_that_shows_no_colours_is_told_none_and_the_record_says_why() -> None:
    ours, theirs = Pipe()
    now = begun(Flash((), SEED, "switched off at this counter"))
    _guide(theirs, "visit-1", now, now.session.guidance)
    assert told(ours).colour is None
    assert {check.name: check.why for check in now.session.decide(time.monotonic()).checks}["colours"] == (
        "switched off at this counter"
    )
