"""A print, however it is held, neither turns nor looks up."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from biometrics.decision import Verdict
from biometrics.face.calibration import load_thresholds
from biometrics.face.engine import Picture
from biometrics.face.liveness import motion
from biometrics.face.liveness.challenge import Challenge, Movement
from biometrics.face.liveness.sequence import ROTATIONS
from biometrics.face.session import FaceSession
from tests.biometrics.prints import held
from tests.biometrics.simulated_customer import face_engine, head_and_shoulders, read_picture
from tests.journeys.photographs import photograph

ANGLES = [float(angle) for angle in np.radians([-35, -20, 0, 20, 35])]
FLAT = None
BENT = 400.0  # px of a 640 px sheet: as strongly as paper stays a picture


@pytest.mark.parametrize("radius_px", [FLAT, BENT, -BENT], ids=["flat", "bent away", "bent towards"])
@pytest.mark.parametrize("name", ["obama.jpg", "obama2.jpg", "biden.jpg"])
def test_no_way_of_holding_a_print_completes_a_movement(name: str, radius_px: float | None) -> None:
    engine = face_engine()
    sheet = head_and_shoulders(read_picture(photograph(name)))
    straight = held(sheet, radius_px=radius_px)
    rest = motion.pose_of(engine.landmarks(straight, engine.detect(straight)[0]))
    seen = 0
    for yaw, pitch in product(ANGLES, ANGLES):
        picture = held(sheet, yaw=yaw, pitch=pitch, radius_px=radius_px)
        for box in engine.detect(picture)[:1]:
            seen += 1
            efforts = motion.efforts(rest, motion.pose_of(engine.landmarks(picture, box)))
            assert max(efforts[one] for one in ROTATIONS) < 1, (yaw, pitch, efforts)
    assert seen >= 20  # most of them are found, or this would prove nothing


def frames_of_a_held_print(sheet: Picture, movement: Movement) -> Iterator[tuple[float, Picture]]:
    """Whoever holds it does their best: still, then slowly as far as asked, and back."""
    for index in range(70):
        amount = float(np.clip((index - 10) / 10, 0, 1) - np.clip((index - 40) / 10, 0, 1)) * np.radians(35)
        sign = {Movement.TURN_LEFT: (1, 0), Movement.TURN_RIGHT: (-1, 0), Movement.LOOK_UP: (0, 1)}[movement]
        yield 0.14 * (index + 1), held(sheet, yaw=sign[0] * amount, pitch=sign[1] * amount)


@pytest.mark.parametrize("movement", ROTATIONS)
def test_a_tilted_print_is_not_live(movement: Movement) -> None:
    sheet = head_and_shoulders(read_picture(photograph("obama.jpg")))
    asked = Challenge(b"seed", (movement, Movement.BLINK, Movement.TURN_LEFT))
    session = FaceSession(face_engine(), None, asked, load_thresholds(face_engine()), 0.0)
    at_s = 0.0
    for at_s, picture in frames_of_a_held_print(sheet, movement):
        session.observe(picture, at_s)
    decision = session.decide(at_s)
    assert (decision.verdict, decision.live) == (Verdict.REJECT, False)
