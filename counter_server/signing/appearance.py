"""Where hands go on a document's last page, and what is drawn there: strokes and marks as vectors, never text.

Text in a signature's appearance would bring a font that is not embedded, and the document would be archival (PDF/A) no
longer. The places are the ones `templates/frame.typ` leaves empty.
"""

from dataclasses import dataclass

from counter_server.signing.statement import SignerRole
from counter_server.signing.strokes import GRID, Strokes

MM = 72 / 25.4  # PDF's unit is a 72nd of an inch
LEFT_MM, BOTTOM_MM, WIDTH_MM, HEIGHT_MM, STEP_MM = 22, 24, 50, 22, 58  # as in frame.typ: three places, 8 mm apart
PLACES = (SignerRole.CUSTOMER, SignerRole.CLERK, SignerRole.APPROVER)
PEN = b"0.07 0.23 0.55 RG 1.1 w 1 J 1 j"  # the blue of a ball pen; round ends and joints
SEAL = b"0.04 0.36 0.42 RG 1.6 w 1 J 1 j"


@dataclass(frozen=True, slots=True)
class Place:
    """A signature's box on the last page, in points from its lower left corner."""

    left: int
    bottom: int
    right: int
    top: int

    @property
    def width(self) -> int:
        """Points."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Points."""
        return self.top - self.bottom


def place_of(role: SignerRole) -> Place:
    """Where this role signs."""
    left_mm = LEFT_MM + STEP_MM * PLACES.index(role)
    return Place(
        round(left_mm * MM),
        round(BOTTOM_MM * MM),
        round((left_mm + WIDTH_MM) * MM),
        round((BOTTOM_MM + HEIGHT_MM) * MM),
    )


def draw_strokes(strokes: Strokes, place: Place) -> bytes:
    """The handwriting as PDF path operators, as large as fits, its shape kept."""
    ratio = strokes.pad_ratio_milli / 1000
    width = min(place.width, place.height * ratio)
    height = width / ratio
    left, bottom = (place.width - width) / 2, (place.height - height) / 2
    operators = [PEN]
    for line in strokes.lines:
        spots = [
            b"%.2f %.2f" % (left + p.x / GRID * width, bottom + (1 - p.y / GRID) * height)  # a pad's y runs down
            for p in line
        ]
        drawn = spots if len(spots) > 1 else spots * 2  # a dot on an i: no length, the round ends show it
        operators.append(drawn[0] + b" m " + b" ".join(spot + b" l" for spot in drawn[1:]) + b" S")
    return b"\n".join(operators)


def draw_mark(place: Place) -> bytes:
    """A frame with a tick: signed by login, not by hand."""
    size = place.height * 0.5
    x, y = (place.width - size) / 2, (place.height - size) / 2
    tick = (x + size * 0.2, y + size * 0.5, x + size * 0.42, y + size * 0.25, x + size * 0.8, y + size * 0.75)
    return SEAL + b" %.2f %.2f %.2f %.2f re S %.2f %.2f m %.2f %.2f l %.2f %.2f l S" % (x, y, size, size, *tick)
