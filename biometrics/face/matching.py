"""The one comparison of a session: its fused face with the portrait from the chip, as a check for a clerk to read."""

from biometrics.decision import Check, CheckOutcome, Score, Thresholds, Verdict
from biometrics.face.compare import distance
from biometrics.face.gallery import FusedFace
from biometrics.face.outcome import FaceReason
from biometrics.face.reference import Reference


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
        f"strangers come as close at most {score.fmr_upper:.2%} of the time ({score.comparisons} pairs), in the "
        f"group told apart worst {score.fmr_upper_worst_group:.2%} ({score.worst_group_comparisons} pairs)"
    )
    if verdict is Verdict.ACCEPT:
        return Check("match", CheckOutcome.PASSED, how_rare), score, verdict
    if verdict is Verdict.REFER:
        reasons.append(FaceReason.FACE_UNCERTAIN)
        return Check("match", CheckOutcome.FAILED, f"not alike enough to accept: {how_rare}"), score, verdict
    reasons.append(FaceReason.FACE_DIFFERENT)
    return Check("match", CheckOutcome.FAILED, "as different as strangers are"), score, verdict
