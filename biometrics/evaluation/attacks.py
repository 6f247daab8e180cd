"""Synthetic presentation attacks, by species (ISO/IEC 30107-3), played against a fresh challenge.

Every attacker does their best: hears what is asked, tilts the print that way, chooses the film whose first movement
fits. What they cannot do is turn a face that they do not have. Masks and faces computed live are not in this kit: it
could only prove what it already assumes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.evaluation.actor import FRAME, PEAKS, Actor, Temper
from biometrics.evaluation.light import Light, face_mask
from biometrics.evaluation.puppet import Posture, Puppet
from biometrics.face.engine import Picture
from biometrics.face.guidance import Guidance, GuidanceCode
from biometrics.face.liveness.challenge import Challenge, Movement, draw, draw_colours
from biometrics.face.liveness.colours import SYMBOL_S, Colour
from biometrics.face.liveness.sequence import REACTION_MIN_S

Play = Callable[[float, Guidance], Picture]
"""What the camera sees at a time, knowing what the page said last."""

Attack = Callable[[Sequence["Cast"], Challenge, np.random.Generator], Play]

TILT_MOST: Final = np.radians(35)  # further, a print shows no face
FILM_NEUTRAL_S: Final = 0.9
FILM_STEP_S: Final = 2.2  # of a movement and the way back in a film of an earlier check
LIT: Final = (0.015, 0.06)
"""Share of a face's light that comes from a screen in a room not too bright: assumed, to be measured at the desk."""
CLEARLY_LIT: Final = (0.03, 0.08)
"""In a room dim enough for the colours to be seen; weaker ones of another order are unclear more often (1 of 30)."""
DROWNED: Final = (0.0, 0.002)  # beside a window
NOISE: Final = 2.0  # grey levels of a webcam's sensor


class Cast:
    """One person in everything an attack needs of them."""

    def __init__(self, person: Puppet, flat: Puppet, bent: Sequence[Puppet]) -> None:
        self.person = person
        self.flat = flat
        self.bent = bent
        self.face = face_mask(FRAME[1], FRAME[0], person.points)


def willing(cast: Sequence[Cast], rng: np.random.Generator) -> Play:
    """No attack: somebody who does what is asked."""
    actor, person = Actor(Temper.drawn(rng), persists=True), cast[0].person

    def play(at_s: float, guidance: Guidance) -> Picture:
        actor.hear(guidance, at_s)
        return seen(person.show(actor.posture(at_s)), rng)

    return play


def lit(
    cast: Sequence[Cast], rng: np.random.Generator, gain: tuple[float, float], order: Sequence[Colour] = ()
) -> Play:
    """Somebody willing before a screen: lit by what the page shows, or by colours of another order."""
    actor, person = Actor(Temper.drawn(rng), persists=True), cast[0].person
    light = Light.drawn(cast[0].face, rng, gain)
    began_s: list[float] = []

    def play(at_s: float, guidance: Guidance) -> Picture:
        actor.hear(guidance, at_s)
        colour = guidance.colour
        if colour is not None and order:
            began_s[:] = began_s or [at_s]
            colour = order[int((at_s - began_s[0]) / SYMBOL_S)]
        posture = actor.posture(at_s)
        return seen(light.on(person.show(posture), posture, colour, at_s), rng)

    return play


def seen(picture: Picture, rng: np.random.Generator) -> Picture:
    """As a webcam delivers it: with its noise."""
    fields = _noise(picture.shape[0], picture.shape[1])
    noise = np.roll(fields[rng.integers(len(fields))], int(rng.integers(picture.shape[1])), axis=1)
    return np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U), np.uint8)


@cache
def _noise(height: int, width: int) -> tuple[NDArray[np.int16], ...]:
    """A few fields of noise to choose from: drawing a new one costs more than looking for a face."""
    rng = np.random.default_rng(1)
    return tuple(np.round(rng.normal(0, NOISE, (height, width, 3))).astype(np.int16) for _ in range(8))


def _held(sheet: Puppet, rng: np.random.Generator) -> Play:
    """A print in a hand that tilts it the way the head should turn, brings it closer, and shakes."""
    temper = Temper.drawn(rng)
    actor, tilt = Actor(temper), rng.uniform(0.5, 1.0) * TILT_MOST

    def play(at_s: float, guidance: Guidance) -> Picture:
        actor.hear(guidance, at_s)
        like = actor.posture(at_s)
        scale = tilt / PEAKS[Movement.TURN_LEFT].yaw
        posture = replace(like, yaw=like.yaw * scale, pitch=like.pitch * scale, lids=0.0)
        return seen(sheet.show(posture), rng)

    return play


def print_flat(cast: Sequence[Cast], _: Challenge, rng: np.random.Generator) -> Play:
    """A photograph on paper."""
    return _held(cast[0].flat, rng)


def print_bent(cast: Sequence[Cast], _: Challenge, rng: np.random.Generator) -> Play:
    """The same, bent round the face's axis."""
    return _held(cast[0].bent[int(rng.integers(len(cast[0].bent)))], rng)


def film(cast: Sequence[Cast], asked: Challenge, rng: np.random.Generator) -> Play:
    """A film of a genuine check that asked for something else, mostly for the same movement first."""
    while True:
        other = draw(rng.bytes(32))
        if other.movements != asked.movements and (other.movements[0] is asked.movements[0] or rng.random() < 0.05):
            break
    return _films(cast[0].person, other.movements, Temper.drawn(rng), rng)


def _films(person: Puppet, movements: Sequence[Movement], temper: Temper, rng: np.random.Generator) -> Play:
    """What a camera saw of somebody who was asked for those movements, at the pace of that day."""
    first_s = FILM_NEUTRAL_S + rng.uniform(0, 0.6)

    def play(at_s: float, _: Guidance) -> Picture:
        step, into_s = divmod(at_s - first_s, FILM_STEP_S)
        actor = Actor(temper)
        if 0 <= step < len(movements):
            begun_s = first_s + step * FILM_STEP_S
            actor.hear(Guidance(GuidanceCode.MOVE_NOW, movements[int(step)]), begun_s)
            if into_s > temper.reaction_s + temper.rise_s:
                actor.hear(Guidance(GuidanceCode.BACK_TO_MIDDLE), begun_s + temper.reaction_s + temper.rise_s)
        return seen(person.show(actor.posture(at_s)), rng)

    return play


def replay(cast: Sequence[Cast], asked: Challenge, rng: np.random.Generator) -> Play:
    """The film on a telephone before the camera: its bezel, its pixels' moire, the hand that holds it.

    The screen's colours shine on its glass, and not on the face in it.
    """
    inner = film(cast, asked, rng)
    width, height = FRAME
    glass = Light.drawn(np.ones((height, width), np.float32), rng, LIT)
    y, x = np.mgrid[0:height, 0:width]
    pitch, angle = rng.uniform(2.1, 6.0), rng.uniform(0, np.pi)
    moire = (1 + rng.uniform(0.01, 0.06) * np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / pitch))[
        ..., None
    ]
    bezel = round(rng.uniform(0.03, 0.08) * width)
    phase = rng.uniform(0, 30)

    def play(at_s: float, guidance: Guidance) -> Picture:
        screen = np.clip(inner(at_s, guidance) * moire * 0.93 + 12, 0, 255).astype(np.uint8)
        screen = glass.on(screen, Posture(), guidance.colour, at_s)
        cv2.rectangle(screen, (0, 0), (width - 1, height - 1), (18, 18, 18), bezel)
        t = at_s + phase
        shake = np.array([[1, 0.004 * np.sin(1.3 * t), 1.5 * np.sin(1.1 * t)], [0, 1, 1.2 * np.sin(0.9 * t + 1)]])
        return np.asarray(cv2.warpAffine(screen, shake, FRAME, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    return play


def loop(cast: Sequence[Cast], asked: Challenge, rng: np.random.Generator) -> Play:
    """A film that begins with the right movement and starts again whenever it is over."""
    movements = asked.movements[: int(rng.integers(1, 3))]
    inner = _films(cast[0].person, movements, Temper.drawn(rng), rng)
    period_s = FILM_NEUTRAL_S + 0.6 + FILM_STEP_S * len(movements)
    return lambda at_s, guidance: inner(at_s % period_s, guidance)


def freeze(cast: Sequence[Cast], _: Challenge, rng: np.random.Generator) -> Play:
    """The holder follows; then the picture stands still, and when it moves again somebody else sits there."""
    holder, other = willing(cast, rng), willing(cast[1:], rng)
    from_s = rng.uniform(1.2, 4.0)
    until_s = from_s + rng.uniform(0.6, 2.3)
    kept: list[Picture] = []

    def play(at_s: float, guidance: Guidance) -> Picture:
        if at_s < from_s:
            kept[:] = [holder(at_s, guidance)]
        return kept[0] if at_s < until_s and kept else other(at_s, guidance)

    return play


def cut(cast: Sequence[Cast], _: Challenge, rng: np.random.Generator) -> Play:
    """Films of every movement, each of another moment, between which somebody switches as the page asks."""
    person, takes = cast[0].person, {}
    for movement in Movement:
        place = Posture(zoom=rng.uniform(0.92, 1.08), dx=rng.uniform(-12, 12), dy=rng.uniform(-8, 8))
        takes[movement] = (place, rng.uniform(0.9, 1.1), Temper.drawn(rng))
    quick = rng.uniform(REACTION_MIN_S, 0.8)
    state: dict[str, Movement | float | None] = {"movement": None, "from": 0.0}
    actor = Actor(Temper.drawn(rng))

    def play(at_s: float, guidance: Guidance) -> Picture:
        asked = guidance.movement if guidance.code is GuidanceCode.MOVE_NOW else None
        if asked is not None and asked is not state["movement"]:
            state["movement"], state["from"] = asked, at_s
        actor.hear(guidance, at_s)
        posture, movement = actor.posture(at_s), state["movement"]
        if not isinstance(movement, Movement):
            return seen(person.show(posture), rng)
        place, light, _ = takes[movement]
        if isinstance(state["from"], float) and at_s - state["from"] < quick:
            return seen(person.show(posture), rng)
        there = replace(posture, zoom=posture.zoom * place.zoom, dx=posture.dx + place.dx, dy=posture.dy + place.dy)
        return np.asarray(np.clip(seen(person.show(there), rng) * light, 0, 255), np.uint8)

    return play


def swap(cast: Sequence[Cast], _: Challenge, rng: np.random.Generator) -> Play:
    """The holder looks into the camera; a living accomplice, put in the same place, moves."""
    holder, accomplice = willing(cast, rng), willing(cast[1:], rng)
    changed = [False]

    def play(at_s: float, guidance: Guidance) -> Picture:
        changed[0] |= guidance.code is GuidanceCode.MOVE_NOW
        return accomplice(at_s, guidance) if changed[0] else holder(at_s, guidance)

    return play


def wrong_colours(cast: Sequence[Cast], _: Challenge, rng: np.random.Generator) -> Play:
    """A film of an earlier check in a dim room: all movements happen to be right, the colours on the face are not."""
    return lit(cast, rng, CLEARLY_LIT, draw_colours(rng.bytes(32)))


SPECIES: Final[Mapping[str, Attack]] = {
    "print_flat": print_flat,
    "print_bent": print_bent,
    "replay_in_phone_frame": replay,
    "prerecorded_video": film,
    "loop": loop,
    "freeze": freeze,
    "cut": cut,
    "swap": swap,
    "wrong_flash_code": wrong_colours,
}
