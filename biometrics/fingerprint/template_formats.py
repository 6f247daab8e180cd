"""The formats a finger template may come in; which one a card or reader writes is told, never guessed.

ANSI 378 and ISO's record of 2005 begin alike, and the card format with nothing at all: guessing would let whoever made
the bytes choose how they are read.
"""

from enum import StrEnum

from biometrics.errors import TemplateError
from biometrics.fingerprint import ansi378, card_format, iso19794_2005, iso19794_2011
from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.template import FingerPosition, FingerRecord, recorded, working

MAX_BYTES = 64 * 1024  # 176 views of 255 minutiae would be 269 KB; no card or reader holds a quarter


class TemplateFormat(StrEnum):
    """What can be read and written."""

    ISO_2005 = "iso-19794-2:2005"
    ISO_2011 = "iso-19794-2:2011"
    ANSI_378 = "ansi-378-2004"
    ISO_CARD_COMPACT = "iso-19794-2:2005-compact-card"


def read_minutiae(template: bytes, written_as: TemplateFormat, *, position: FingerPosition | None = None) -> Minutiae:
    """The first view of the finger asked for (of any, without one), at 500 dpi.

    Raises:
        TemplateError: Not in that format, or without that finger.
    """
    if len(template) > MAX_BYTES:
        raise TemplateError(f"{len(template)} bytes; at most {MAX_BYTES} are read")
    match written_as:
        case TemplateFormat.ISO_2005:
            record = iso19794_2005.read(template)
        case TemplateFormat.ISO_2011:
            record = iso19794_2011.read(template)
        case TemplateFormat.ANSI_378:
            record = ansi378.read(template)
        case TemplateFormat.ISO_CARD_COMPACT:
            return card_format.read(template)
    for view in record.views:
        if position is None or view.position is position:
            return working(view)
    raise TemplateError("no view of the finger asked for")


def write_minutiae(
    minutiae: Minutiae,
    write_as: TemplateFormat,
    *,
    position: FingerPosition = FingerPosition.UNKNOWN,
    quality: int | None = None,
    at_most: int = 60,
) -> bytes:
    """A template of one view; at least 40 of the most certain cost no accuracy (research notes, section 3).

    Raises:
        TemplateError: `at_most` is none or more than 255.
    """
    if not 1 <= at_most <= 255:
        raise TemplateError(f"{at_most} minutiae; a view counts from 1 to 255")
    kept = minutiae.best(at_most)
    match write_as:
        case TemplateFormat.ISO_2005:
            view = recorded(kept, steps_per_turn=iso19794_2005.STEPS, position=position, quality=quality)
            return iso19794_2005.write(FingerRecord((view,)))
        case TemplateFormat.ISO_2011:
            view = recorded(kept, steps_per_turn=iso19794_2011.STEPS, position=position, quality=quality)
            return iso19794_2011.write(FingerRecord((view,)))
        case TemplateFormat.ANSI_378:
            view = recorded(kept, steps_per_turn=ansi378.STEPS, position=position, quality=quality)
            return ansi378.write(FingerRecord((view,)))
        case TemplateFormat.ISO_CARD_COMPACT:
            return card_format.write(kept, at_most=at_most)
