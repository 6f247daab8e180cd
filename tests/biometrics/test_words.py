"""The libraries do not know each other, so somebody must see that they use the same words."""

from enum import StrEnum

import pytest

from biometrics import decision
from biometrics.face import guidance
from biometrics.face.liveness import challenge
from webrtc.wire.check import CheckOutcome, Verdict
from webrtc.wire.face import GuidanceCode, Movement


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (challenge.Movement, Movement),
        (guidance.GuidanceCode, GuidanceCode),
        (decision.Verdict, Verdict),
        (decision.CheckOutcome, CheckOutcome),
    ],
)
def test_words_are_those_on_the_wire(ours: type[StrEnum], theirs: type[StrEnum]) -> None:
    assert [word.value for word in ours] == [word.value for word in theirs]
