"""Each liveness cue as a named check with its value, for a clerk to read and a record to keep."""

from collections.abc import Sequence as Values
from typing import Final

from biometrics.decision import Check, CheckOutcome
from biometrics.face.liveness.continuity import IdentityTrack, PictureTrack
from biometrics.face.liveness.flash import Flash, Reading
from biometrics.face.liveness.sequence import Sequence, Stage
from biometrics.face.outcome import FaceReason

BROKEN: Final = frozenset({FaceReason.PICTURE_CUT, FaceReason.PICTURE_FROZEN, FaceReason.PICTURE_LOOPED})
JUDGED_MIN: Final = 0.5  # of all looks; below, the counter or the line was too busy to tell a cut from a gap of its own
DEPTH_MIN: Final = 0.05
"""`departure_from_plane` at the peak: a real head turned past TURN_PEAK has 0.06 to 0.08, 885 pictures of flat and
bent prints have at most 0.07, 95 of 100 at most 0.03: a second hurdle, not a proof by itself."""


def movement_check(sequence: Sequence | None, reasons: Values[FaceReason]) -> Check:
    """Whether every movement came as asked, each with the seconds it took."""
    seen = [] if sequence is None else sequence.seen
    told = ", ".join(f"{step.movement.value} {step.after_s:.1f} s" for step in seen)
    if reasons:
        asked = "" if sequence is None or sequence.stage is Stage.COMPLETE else f" at {sequence.movement.value}"
        return Check("movement", CheckOutcome.FAILED, f"{reasons[0].value}{asked}; seen: {told or 'nothing'}")
    if sequence is None or sequence.stage is not Stage.COMPLETE:
        return Check("movement", CheckOutcome.NOT_POSSIBLE, "the movements were not completed")
    another = f" ({sequence.substitutes} asked for instead)" if sequence.substitutes else ""
    return Check("movement", CheckOutcome.PASSED, f"after being asked: {told}{another}")


def depth_check(departures: list[float], reasons: list[FaceReason]) -> Check:
    """Whether what turned was a body and not a sheet; adds FLAT to the reasons when it was not."""
    if not departures:
        return Check("depth", CheckOutcome.NOT_POSSIBLE, "no turn to judge it by")
    least = min(departures)
    if least < DEPTH_MIN:
        reasons.append(FaceReason.FLAT)
        return Check(
            "depth", CheckOutcome.FAILED, f"what turned was flat: {least:.2f} where a head has {DEPTH_MIN:.2f}"
        )
    return Check("depth", CheckOutcome.PASSED, f"it turned as a body does: {least:.2f}, at least {DEPTH_MIN:.2f}")


def one_person_check(identity: IdentityTrack | None, sequence: Sequence | None) -> Check:
    """Whether one and the same face looked, moved and came back; its value is a share of what is allowed."""
    if identity is None or sequence is None:
        return Check("one_person", CheckOutcome.NOT_POSSIBLE, "the movements were not completed")
    value = f"{identity.looks} looks, widest change {identity.widest:.0%} of what is allowed"
    if identity.changed:
        return Check("one_person", CheckOutcome.FAILED, f"the face changed: {value}")
    if sequence.stage is not Stage.COMPLETE:
        return Check("one_person", CheckOutcome.NOT_POSSIBLE, "the movements were not completed")
    return Check("one_person", CheckOutcome.PASSED, f"the same face throughout: {value}")


def pictures_check(pictures: PictureTrack, reasons: Values[FaceReason]) -> Check:
    """Whether the pictures ran on without standing still, repeating themselves or being cut.

    Told to the clerk; where it could not be judged the fault is the counter's, and nobody is refused for it.
    """
    value = (
        f"{pictures.looks} looks, {pictures.judged} of them evenly enough to tell a cut; "
        f"sharpest change {pictures.sharpest:.0%} of a cut's"
    )
    broken = [one.value for one in reasons if one in BROKEN]
    if broken:
        return Check("pictures", CheckOutcome.FAILED, f"{broken[0]}: {value}")
    if pictures.judged < JUDGED_MIN * pictures.looks:
        return Check("pictures", CheckOutcome.NOT_POSSIBLE, f"too few pictures to tell: {value}")
    return Check("pictures", CheckOutcome.PASSED, value)


def colours_check(flash: Flash, reasons: list[FaceReason]) -> Check:
    """Whether the screen's colours came back from the face; adds WRONG_COLOURS to the reasons when others did.

    Where they cannot be told nobody is refused for it, and nothing is proven by it.
    """
    lit = flash.judge()
    match lit.reading:
        case Reading.RIGHT:
            return Check("colours", CheckOutcome.PASSED, lit.why)
        case Reading.WRONG:
            reasons.append(FaceReason.WRONG_COLOURS)
            return Check("colours", CheckOutcome.FAILED, lit.why)
        case Reading.UNCLEAR:
            return Check("colours", CheckOutcome.NOT_POSSIBLE, lit.why)
