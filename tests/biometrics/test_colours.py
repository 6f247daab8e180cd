"""The screen's colours: harmless to look at, drawn like the movements, and read from a face only where it is lit."""

import hmac
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from pathlib import Path

import cv2
import numpy as np
import pytest

from biometrics.decision import CheckOutcome
from biometrics.evaluation.actor import FRAME, LOOKS_PER_S, Actor, Temper
from biometrics.evaluation.attacks import seen
from biometrics.evaluation.light import Light, face_mask
from biometrics.evaluation.puppet import Posture
from biometrics.face.engine import Picture
from biometrics.face.guidance import Guidance, GuidanceCode
from biometrics.face.liveness.challenge import Challenge, Movement, draw, draw_colours
from biometrics.face.liveness.colours import FADE_S, SRGB, SYMBOL_S, Colour, luminance
from biometrics.face.liveness.decide import colours_check
from biometrics.face.liveness.flash import Flash, Reading
from biometrics.face.outcome import FaceReason
from biometrics.face.session import TIMEOUT_S, FaceSession, Phase
from tests.biometrics.simulated_customer import face_engine
from tests.biometrics.test_session import puppet, thresholds

SEED = b"seed"
LASTS_S = 6.0

Lamp = Callable[[Picture, Posture, Colour | None, float], Picture]


def test_no_change_of_colours_is_a_flash() -> None:
    # WCAG 2.3.1: a flash is a pair of opposing changes of a tenth of the greatest luminance, or of a saturated red
    for one, other in product(Colour, repeat=2):
        assert abs(luminance(one) - luminance(other)) < 0.1
    assert all(red / (red + green + blue) < 0.8 for red, green, blue in SRGB.values())
    assert 1 / SYMBOL_S / 2 <= 3  # and even if they were: no more than three pairs of changes in a second
    assert FADE_S < SYMBOL_S


def test_the_page_shows_these_colours_and_no_others() -> None:
    style = (Path(__file__).parents[2] / "counter_server/web/kit/screens/face.css").read_text("utf-8")
    shown = re.findall(r'\.screen-light\[data-colour="(\w+)"\] \{\s*background: rgb\((\d+) (\d+) (\d+)\)', style)
    assert {name: (int(red), int(green), int(blue)) for name, red, green, blue in shown} == SRGB
    assert f"background-color {FADE_S}s linear" in style


def test_luminance_is_that_of_the_standard() -> None:
    # the worked values of WCAG's contrast ratio: white 1, and #767676 against white has 4.54 to 1
    grey = 118 / 255
    assert ((grey + 0.055) / 1.055) ** 2.4 == pytest.approx(1.05 / 4.54 - 0.05, abs=2e-4)
    red, green, blue = SRGB[Colour.ROSE]
    parts = [((c / 255 + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    assert luminance(Colour.ROSE) == pytest.approx(float(np.dot(parts, [0.2126, 0.7152, 0.0722])))


def test_colours_are_drawn_evenly_and_never_twice_in_a_row() -> None:
    counts: Counter[Colour] = Counter()
    for number in range(100):
        order = draw_colours(hmac.digest(b"test", str(number).encode(), "sha256"))
        assert all(one is not other for one, other in pairwise(order))
        counts.update(order)
    # chi-square with 3 degrees of freedom: above 16.3 once in 1000 fair draws
    assert sum((counts[colour] - 2000) ** 2 / 2000 for colour in Colour) < 16.3


def test_colours_are_bound_to_the_seed_and_tell_nothing_of_the_movements() -> None:
    assert draw(SEED).colours == draw_colours(SEED) != draw_colours(b"seeD")


def lamp(gain: float, *, whole_picture: bool = False) -> Lamp:
    points = puppet("obama.jpg").points
    mask = np.ones(FRAME[::-1], np.float32) if whole_picture else face_mask(FRAME[1], FRAME[0], points)
    return Light(mask, gain, late_s=0.25, wander=0.002, phase=1.0).on


def sat_before(light: Lamp, shown: Sequence[Colour] | None = None, lasts_s: float = LASTS_S) -> Flash:
    """Somebody who sways before the colours of a flash, or before those of another order."""
    flash, rng, at_s = Flash(draw_colours(SEED), SEED), np.random.default_rng(2), 0.0
    while at_s < lasts_s:
        at_s += 1 / LOOKS_PER_S
        posture = Posture(dx=float(2 * np.sin(at_s)), dy=float(np.sin(1.3 * at_s)))
        colour = flash.colour(at_s)
        if colour is not None and shown is not None:
            colour = shown[int(at_s / SYMBOL_S)]
        picture = seen(light(puppet("obama.jpg").show(posture), posture, colour, at_s), rng)
        flash.see(picture, puppet("obama.jpg").points + np.array([posture.dx, posture.dy]), at_s)
    return flash


@pytest.mark.parametrize("gain", [0.01, 0.05])
def test_a_face_before_the_screen_shows_its_order(gain: float) -> None:
    lit = sat_before(lamp(gain)).judge()
    assert lit.reading is Reading.RIGHT
    assert "0 of 999 other orders" in lit.why


def test_another_order_on_the_face_refuses() -> None:
    reasons: list[FaceReason] = []
    check = colours_check(sat_before(lamp(0.04), draw_colours(b"of an earlier check")), reasons)
    assert (check.outcome, reasons) == (CheckOutcome.FAILED, [FaceReason.WRONG_COLOURS])


def test_light_that_drowns_the_screen_refuses_nobody_and_proves_nothing() -> None:
    reasons: list[FaceReason] = []
    check = colours_check(sat_before(lamp(0.0)), reasons)
    assert (check.outcome, reasons) == (CheckOutcome.NOT_POSSIBLE, [])


def test_a_tint_over_the_whole_picture_proves_nothing() -> None:
    assert sat_before(lamp(0.05, whole_picture=True)).judge().reading is Reading.UNCLEAR


def test_too_short_a_look_proves_nothing() -> None:
    assert "too few" in sat_before(lamp(0.05), lasts_s=2.0).judge().why


def test_what_is_half_told_asks_for_more_looks_and_what_is_told_or_drowned_does_not() -> None:
    assert sat_before(lamp(0.05), lasts_s=2.0).judge().unsettled
    assert sat_before(lamp(0.05), lasts_s=4.5).judge().unsettled
    for lit in (sat_before(lamp(0.05)), sat_before(lamp(0.0)), sat_before(lamp(0.05), draw_colours(b"other"))):
        assert not lit.judge().unsettled


def test_looks_are_asked_about_twice_a_second() -> None:
    flash = sat_before(lamp(0.05), lasts_s=4.5)
    assert flash.unsettled(4.5)
    flash.stop()
    assert flash.unsettled(4.9)
    assert not flash.unsettled(5.1)


def test_time_that_runs_out_over_half_told_colours_takes_nothing_from_whoever_has_done_everything() -> None:
    asked = Challenge(SEED, (Movement.TURN_LEFT, Movement.TURN_RIGHT, Movement.COME_CLOSER), draw_colours(SEED))
    flash, light = Flash(asked.colours, asked.seed), lamp(0.05)
    one = FaceSession(face_engine(), None, asked, thresholds(), 0.0, flash)
    brisk = Actor(Temper(reaction_s=0.3, rise_s=0.3, reach=1.0, hold_s=0.1, sway=1.0, phase=1.0))
    said, at_s, waited = Guidance(GuidanceCode.STARTING), 0.0, False
    while not one.finished:
        at_s += 1 / LOOKS_PER_S
        brisk.hear(said, at_s)
        posture = brisk.posture(at_s)
        picture = light(puppet("obama.jpg").show(posture), posture, flash.colour(at_s), at_s)
        said = one.observe(picture, at_s)
        if one.phase is Phase.MOVING and said.code is GuidanceCode.HOLD_STILL:
            waited = True
            one.started_at_s = at_s - TIMEOUT_S  # as if it had taken them so long to sit down
    decision = one.decide(at_s)
    assert waited
    assert (decision.live, decision.reasons) == (True, (FaceReason.NO_REFERENCE,))


def test_whoever_asks_for_none_sees_none_and_loses_nothing() -> None:
    flash = sat_before(lamp(0.04), draw_colours(b"of an earlier check"))
    flash.stop()
    assert flash.colour(LASTS_S) is None
    assert (flash.judge().reading, flash.judge().why) == (Reading.UNCLEAR, "the person asked for none")


def test_in_the_dark_nothing_is_read_from_noise() -> None:
    def dark(picture: Picture, *_: object) -> Picture:
        return np.asarray(cv2.convertScaleAbs(picture, alpha=0.02), np.uint8)

    assert sat_before(dark).judge().reading is Reading.UNCLEAR
