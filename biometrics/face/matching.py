"""The one comparison of a session: its fused face with the portrait from the chip, as a check for a clerk to read."""

from typing import Final

from biometrics.decision import Check, CheckOutcome, Score, Thresholds, Verdict
from biometrics.face.compare import distance
from biometrics.face.gallery import FusedFace
from biometrics.face.outcome import FaceReason
from biometrics.face.reference import Reference

CHANCE: Final = 0.05  # of seeing no false match though the rate is higher: the usual 95 %


def countable_fmr(comparisons: int) -> float:
    """The smallest false match rate that so many strangers' comparisons can bound by themselves, none of them false.

    Clopper-Pearson, one-sided; about 3 divided by their number. A bound below it is the calibration's model carried
    beyond what was counted, and is told as such.
    """
    return float(1 - CHANCE ** (1 / comparisons))


def compare_with(
    reference: Reference | None, thresholds: Thresholds, fused: FusedFace | None, reasons: list[FaceReason]
) -> tuple[Check, Score | None, Verdict]:
    """Check, score and verdict, where there are portrait and frames; adds what spoke against it to `reasons`."""
    if reference is None:
        reasons.append(FaceReason.NO_REFERENCE)
        return Check("match", CheckOutcome.NOT_POSSIBLE, "no chip portrait to compare with"), None, Verdict.REFER
    if fused is None:
        return Check("match", CheckOutcome.NOT_POSSIBLE, "too few clear frames"), None, Verdict.REJECT
    if reference.is_small:
        reasons.append(FaceReason.PORTRAIT_SMALL)
    verdict, score = thresholds.judge(distance(reference.embedding, fused.embedding))
    how_rare = (
        f"modelled, strangers come as close at most {score.fmr_upper:.2%} of the time, in the group told apart worst "
        f"{score.fmr_upper_worst_group:.2%}; counted alone, {score.comparisons} comparisons can bound "
        f"{countable_fmr(score.comparisons):.2%} and {score.worst_group_comparisons} of that group "
        f"{countable_fmr(score.worst_group_comparisons):.2%}"
    )
    if verdict is Verdict.ACCEPT:
        return Check("match", CheckOutcome.PASSED, how_rare), score, verdict
    if verdict is Verdict.REFER:
        reasons.append(FaceReason.FACE_UNCERTAIN)
        return Check("match", CheckOutcome.FAILED, f"not alike enough to accept: {how_rare}"), score, verdict
    reasons.append(FaceReason.FACE_DIFFERENT)
    return Check("match", CheckOutcome.FAILED, "as different as strangers are"), score, verdict
