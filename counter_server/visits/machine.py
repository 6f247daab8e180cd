"""The visit as a table: from which state, by which event, to which state. What is not in it cannot happen."""

from enum import StrEnum

from counter_server.errors import CounterError
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import VisitState

S = VisitState


class Event(StrEnum):
    """What moves a visit on; each is one line of its journal."""

    CONSENTED_AT_KIOSK = "consented_at_kiosk"
    CONSENTED_ON_PHONE = "consented_on_phone"
    CHIP_ACCEPTED = "chip_accepted"
    FACE_PASSED = "face_passed"
    FACE_LEFT_TO_CLERK = "face_left_to_clerk"
    FINGER_ASKED = "finger_asked"
    FINGER_PASSED = "finger_passed"
    FINGER_ENROLLED = "finger_enrolled"
    FINGER_LEFT_TO_CLERK = "finger_left_to_clerk"
    FACE_INSTEAD = "face_instead"
    FORM_FOR_SELF_SERVICE = "form_for_self_service"
    FORM_FOR_CLERK = "form_for_clerk"
    CORRECTED = "corrected"
    CONFIRMED = "confirmed"
    TAKEN = "taken"
    CLERK_LOST = "clerk_lost"
    CARD_ASKED_AGAIN = "card_asked_again"
    FACE_ASKED_AGAIN = "face_asked_again"
    IDENTIFIED_AGAIN = "identified_again"
    BACK_IN_QUEUE = "back_in_queue"
    DOCUMENT_PUSHED = "document_pushed"
    CUSTOMER_SIGNED = "customer_signed"
    CLERK_SIGNED = "clerk_signed"
    APPROVAL_ASKED = "approval_asked"
    APPROVED = "approved"
    SEALED = "sealed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


FINAL = frozenset({S.DONE, S.REFUSED, S.CANCELLED, S.INTERRUPTED})
WITH_CLERK = frozenset({S.SERVING, S.READING, S.COUNTERSIGNING})
AGAIN = frozenset({S.CARD, S.FACE})
"""Where a person is identified again in mid-call; the clerk and the call stay."""
OPEN = tuple(state for state in S if state not in FINAL)

TRANSITIONS: dict[tuple[VisitState, Event], VisitState] = {
    (S.CONSENT, Event.CONSENTED_AT_KIOSK): S.CARD,
    (S.CONSENT, Event.CONSENTED_ON_PHONE): S.FACE,
    (S.CARD, Event.CHIP_ACCEPTED): S.FACE,
    (S.FACE, Event.FACE_PASSED): S.FORM,
    (S.FACE, Event.FACE_LEFT_TO_CLERK): S.FORM,
    (S.CARD, Event.FINGER_ASKED): S.FINGER,
    (S.FACE, Event.FINGER_ASKED): S.FINGER,
    (S.FINGER, Event.FINGER_PASSED): S.FORM,
    (S.FINGER, Event.FINGER_ENROLLED): S.FORM,
    (S.FINGER, Event.FINGER_LEFT_TO_CLERK): S.FORM,
    (S.FINGER, Event.FACE_INSTEAD): S.FACE,
    (S.FORM, Event.FORM_FOR_SELF_SERVICE): S.CONFIRM,
    (S.FORM, Event.FORM_FOR_CLERK): S.WAITING,
    (S.CONFIRM, Event.CORRECTED): S.FORM,
    (S.CONFIRM, Event.CONFIRMED): S.SEALING,
    (S.WAITING, Event.TAKEN): S.SERVING,
    (S.SERVING, Event.DOCUMENT_PUSHED): S.READING,
    (S.READING, Event.CUSTOMER_SIGNED): S.COUNTERSIGNING,
    (S.COUNTERSIGNING, Event.CLERK_SIGNED): S.SEALING,
    (S.COUNTERSIGNING, Event.APPROVAL_ASKED): S.APPROVING,
    (S.APPROVING, Event.APPROVED): S.SEALING,
    (S.SEALING, Event.SEALED): S.DONE,
    # Who is in the call is no longer certain: card and face once more, then back to the same clerk, the document anew.
    **{(state, Event.CARD_ASKED_AGAIN): S.CARD for state in WITH_CLERK},
    **{(state, Event.FACE_ASKED_AGAIN): S.FACE for state in WITH_CLERK},
    (S.FACE, Event.IDENTIFIED_AGAIN): S.SERVING,
    **{(state, Event.CLERK_LOST): state for state in AGAIN},  # it goes on; the queue follows
    (S.FACE, Event.BACK_IN_QUEUE): S.WAITING,
    # A clerk who is gone gives the visit back; what was shown or signed with that clerk is shown and signed anew.
    **{(state, Event.CLERK_LOST): S.WAITING for state in WITH_CLERK},
    # While a record is being sealed nothing stops it any more: it is acknowledged, or interrupted by a crash.
    **{(state, Event.REFUSED): S.REFUSED for state in OPEN if state is not S.SEALING},
    **{(state, Event.CANCELLED): S.CANCELLED for state in OPEN if state is not S.SEALING},
    **{(state, Event.INTERRUPTED): S.INTERRUPTED for state in OPEN},
}


def after(state: VisitState, event: Event) -> VisitState:
    """The state that follows.

    Raises:
        CounterError: WRONG_STEP when the event does not belong to this state.
    """
    following = TRANSITIONS.get((state, event))
    if following is None:
        raise CounterError(ErrorCode.WRONG_STEP, f"{event.value} does not belong to {state.value}")
    return following
