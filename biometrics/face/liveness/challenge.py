"""What a person is asked to do: movements in an order, and screen colours in an order, that nobody could know before.

The counter keeps a secret; `bind` makes of it, the session, the line's DTLS fingerprint and a fresh nonce one seed, and
everything asked for is drawn from that seed. So the order can be drawn again later, over the line that the pictures
really came by, and must come out the same.
"""

import hmac
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from biometrics.face.liveness.colours import Colour

STEPS: Final = 3
MOST_SUBSTITUTES: Final = 2
"""How often a person may ask for another movement. Each is one more guess for somebody with a film of one movement."""
SYMBOLS: Final = 80
"""Screen colours of one session: as many as the longest session shows at 2 a second."""

Item = TypeVar("Item")


class Movement(StrEnum):
    """Left and right are the person's own; the picture is not mirrored, so their left is the picture's right."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    COME_CLOSER = "come_closer"
    BLINK = "blink"


TURNS: Final = frozenset({Movement.TURN_LEFT, Movement.TURN_RIGHT})
"""Every sequence holds at least one: only a turn shows whether what moves has depth."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One attempt's questions."""

    seed: bytes
    movements: tuple[Movement, ...]
    colours: tuple[Colour, ...] = ()

    def substitute(self, done: Sequence[Movement], without: Collection[Movement]) -> Movement | None:
        """Another movement for the step after those done, for whoever cannot do `without`; None where none is left.

        None that another step asks for either. A session whose every other step has no turn keeps to turns, unless the
        person can turn neither way.
        """
        step = len(done)
        others = {*done, *self.movements[step + 1 :]}
        left = [one for one in Movement if one not in without and one not in others]
        if not others & TURNS and any(one in TURNS for one in left):
            left = [one for one in left if one in TURNS]
        return next(_drawn(self.seed, f"substitute {step} {len(without)}", left)) if left else None


def bind(secret: bytes, session_id: str, fingerprint: str, nonce: bytes) -> bytes:
    """The seed of one attempt (HMAC-SHA256): nobody without `secret` can compute it, and it fits one line only."""
    message = b"\0".join((b"visual counter liveness 1", session_id.encode(), fingerprint.encode(), nonce))
    return hmac.digest(secret, message, "sha256")


def draw(seed: bytes, steps: int = STEPS) -> Challenge:
    """So many movements, no two alike, at least one of them a turn: 54 sequences of three, all as likely.

    None comes twice, or a film of the first two, played again, would show the third as well.
    """
    attempt = 0
    while True:
        stream = _drawn(seed, f"movements {attempt}", list(Movement))
        movements: list[Movement] = []
        while len(movements) < steps:
            if (movement := next(stream)) not in movements:
                movements.append(movement)
        if TURNS & set(movements):
            return Challenge(seed, tuple(movements), draw_colours(seed))
        attempt += 1


def draw_colours(seed: bytes, count: int = SYMBOLS) -> tuple[Colour, ...]:
    """So many screen colours, no two alike in a row."""
    stream = _drawn(seed, "colours", list(Colour))
    colours = [next(stream)]
    while len(colours) < count:
        if (colour := next(stream)) is not colours[-1]:
            colours.append(colour)
    return tuple(colours)


def _drawn(seed: bytes, label: str, items: list[Item]) -> Iterator[Item]:
    """Items for ever, evenly, by HMAC in counter mode; bytes that would favour the first items are thrown away."""
    fair = 256 - 256 % len(items)
    block = 0
    while True:
        for byte in hmac.digest(seed, f"{label} {block}".encode(), "sha256"):
            if byte < fair:
                yield items[byte % len(items)]
        block += 1
