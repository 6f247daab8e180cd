"""What a person may be asked to do, and which of it proves a head rather than a photograph."""

from enum import StrEnum
from typing import Final


class Movement(StrEnum):
    """Left and right are the person's own; the picture is not mirrored, so their left is the picture's right."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    COME_CLOSER = "come_closer"
    BLINK = "blink"


RELIABLE_MOVEMENTS: Final = (Movement.TURN_LEFT, Movement.TURN_RIGHT, Movement.LOOK_UP)
"""What a session accepts; draw from these with a cryptographic random source, after the pictures have begun.

Not COME_CLOSER: a hand brings a printed photograph closer just as well. Not BLINK: it lasts 0.1 to 0.2 s, and the
counter samples 5 to 8 frames a second, so an honest blink would often fall between two of them.
"""
