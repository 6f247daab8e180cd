"""What was checked and what a comparison ended in."""

from enum import StrEnum

from webrtc.wire.message import Message


class CheckOutcome(StrEnum):
    """A check is never just true or false."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_POSSIBLE = "not_possible"


class CheckView(Message):
    """One named check of the chip, face or liveness, with its reason and the clause it comes from."""

    name: str
    outcome: CheckOutcome
    why: str
    clause: str = ""


class Verdict(StrEnum):
    """What a comparison ends in."""

    ACCEPT = "accept"
    REFER = "refer"
    REJECT = "reject"
