"""The colours a screen shows round the picture while somebody moves, in an order that nobody could know before.

All are about as bright as each other, so that a change is no flash in the sense of WCAG 2.3.1 (a tenth of the greatest
luminance, up and down again), none is a saturated red, and there are two changes in a second, faded.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

SYMBOL_S: Final = 0.5
FADE_S: Final = 0.2  # on the page, by CSS; shorter looks like flicker, longer leaves nothing to see of a colour


class Colour(StrEnum):
    """At the ends of two axes that a camera tells apart: red against green, blue against yellow."""

    ROSE = "rose"
    GREEN = "green"
    BLUE = "blue"
    AMBER = "amber"


SRGB: Final[Mapping[Colour, tuple[int, int, int]]] = {
    Colour.ROSE: (255, 150, 200),
    Colour.GREEN: (95, 215, 130),
    Colour.BLUE: (150, 185, 255),
    Colour.AMBER: (240, 185, 60),
}
"""What the page shows; the same in `counter_server/web/kit/screens/face.css`, held to this by a test."""


def linear(colour: Colour) -> tuple[float, float, float]:
    """Red, green and blue light of it, each 0 to 1 (IEC 61966-2-1)."""
    red, green, blue = (_light(channel / 255) for channel in SRGB[colour])
    return red, green, blue


def luminance(colour: Colour) -> float:
    """Relative luminance as WCAG defines it."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _light(coded: float) -> float:
    return coded / 12.92 if coded <= 0.04045 else float(((coded + 0.055) / 1.055) ** 2.4)
