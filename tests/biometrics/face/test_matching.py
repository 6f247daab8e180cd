"""What a comparison says of itself: what was counted and what a model makes of it are two things."""

import re
from pathlib import Path

import numpy as np
import pytest

from biometrics.decision import CheckOutcome, Verdict
from biometrics.evaluation.intervals import upper_bound
from biometrics.face.calibration import load_thresholds
from biometrics.face.gallery import FusedFace, View
from biometrics.face.matching import compare_with, countable_fmr
from biometrics.face.outcome import FaceReason
from biometrics.face.reference import Reference
from tests.biometrics.simulated_customer import face_engine

WORDS = Path(__file__).resolve().parents[3] / "counter_server/web/kit/words/reasons.ts"
PATTERN = re.compile(r"/(\^(?:[^/\\]|\\.)*\$)/")


@pytest.mark.parametrize("comparisons", [1, 20, 168, 4760, 11024])
def test_what_counting_alone_can_show_is_the_bound_of_no_event(comparisons: int) -> None:
    assert countable_fmr(comparisons) == pytest.approx(upper_bound(0, comparisons), rel=1e-6)


def compared(cosine: float) -> tuple[CheckOutcome, str, Verdict, list[FaceReason]]:
    """Portrait and fused face whose directions are so far apart."""
    one, other = np.zeros(128), np.zeros(128)
    one[0], other[0], other[1] = 1, cosine, np.sqrt(1 - cosine**2)
    reasons: list[FaceReason] = []
    reference = Reference(one, face_engine().id, 90.0, 20_000)
    fused = FusedFace(other, 5, frozenset({View.STRAIGHT}))
    check, _, verdict = compare_with(reference, load_thresholds(face_engine()), fused, reasons)
    return check.outcome, check.why, verdict, reasons


def test_an_acceptance_tells_the_modelled_rate_from_what_was_counted() -> None:
    outcome, why, verdict, reasons = compared(0.99)
    assert (outcome, verdict, reasons) == (CheckOutcome.PASSED, Verdict.ACCEPT, [])
    group = load_thresholds(face_engine()).worst_group_comparisons
    assert why.startswith("modelled, ")
    assert f"and {group} of that group {1 - 0.05 ** (1 / group):.2%}" in why


@pytest.mark.parametrize(
    ("cosine", "verdict", "reason"),
    [(0.99, Verdict.ACCEPT, None), (0.945, Verdict.REFER, FaceReason.FACE_UNCERTAIN), (0.2, Verdict.REJECT, None)],
)
def test_every_outcome_has_chinese_words(cosine: float, verdict: Verdict, reason: FaceReason | None) -> None:
    _, why, came_to, reasons = compared(cosine)
    assert came_to is verdict
    assert reason is None or reason in reasons
    assert any(re.match(pattern, why) for pattern in PATTERN.findall(WORDS.read_text("utf-8")))
