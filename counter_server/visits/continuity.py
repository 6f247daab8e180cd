"""The person of the face check stays the person of the call, or nothing is signed until card and face were seen again.

The face process looks about once a second and says `held`, `uncertain` or `broken` with the cue that spoke. Broken is
written into the visit and stays there; the clerk asks for the card and the face once more in the same call, the
document is shown and signed anew.
"""

import asyncio
import contextlib
import logging

from sqlalchemy import Connection

from counter_server.errors import CounterError
from counter_server.identification.continuity import LOOKS_PER_S
from counter_server.identification.continuity_calls import Noticed
from counter_server.queue import service as queue
from counter_server.visits import store
from counter_server.visits.call_identity import CallIdentity, needs_card
from counter_server.visits.facts import Visit
from counter_server.visits.machine import WITH_CLERK, Event
from counter_server.visits.office import Office
from webrtc.wire.catalogue import Assurance
from webrtc.wire.check import CheckOutcome, CheckView
from webrtc.wire.console import ChecklistItem, ClerkView
from webrtc.wire.face import ContinuityCue, ContinuityState
from webrtc.wire.message import ErrorCode

log = logging.getLogger(__name__)

CHECK = "same_person"
RECOGNISED_WITHIN_S = 8.0  # a key picture a second; the face process may be at another's face check
_WHY = {
    ContinuityCue.OTHER_FACE: "another face than the one that passed was before the camera during the call",
    ContinuityCue.SECOND_FACE: "a second face stayed before the camera during the call",
    ContinuityCue.PICTURE_FROZEN: "the picture stood still during the call",
    ContinuityCue.NO_FACE: "no face was before the camera for too long during the call",
    ContinuityCue.NO_PICTURE: "no pictures came for too long during the call",
    ContinuityCue.FACE_UNCLEAR: "the face was not shown clearly for too long during the call",
    ContinuityCue.LINE_REJOINED: "the pictures came by another line than at the beginning of the call",
    ContinuityCue.WATCH_LOST: "the process that watched ended during the call",
}
_HELD = "the face that passed was before the camera from the beginning of the call to the signature"
_HELD_UNCHECKED = "no face check was passed; one face from the beginning of the call to the signature"
_HELD_SINCE = "lost once during the call and identified again; the same face from then to the signature"


async def follow(office: Office, visit: Visit) -> None:
    """The clerk and the person are together: watch from now on."""
    visit_id = visit.visit_id
    office.continuity[visit_id] = CallIdentity(leg_id=office.calls.leg(visit_id))
    office.faces.follow(visit_id, known=visit.face is not None and visit.face.live)
    await office.calls.follow(visit_id, LOOKS_PER_S)


async def unfollow(office: Office, visit_id: str) -> None:
    """The call is over, or the person is identified again."""
    if office.continuity.pop(visit_id, None) is not None:
        office.faces.unfollow(visit_id)
        await office.calls.unwatch(visit_id)


async def notice(office: Office, noticed: Noticed) -> None:
    """What the watch has to say now; a break is written into the visit, once."""
    visit_id = noticed.session_id
    identity = office.continuity.get(visit_id)
    if identity is None:
        return
    identity.state, identity.cue = noticed.state, noticed.cue
    if noticed.state is ContinuityState.HELD:
        identity.recognised.set()
    if noticed.state is ContinuityState.BROKEN and noticed.cue is not None:
        await _write_broken(office, visit_id, noticed.cue, {"looks": str(noticed.looks), "same": str(noticed.same)})
    office.changed(visit_id)


async def _write_broken(office: Office, visit_id: str, cue: ContinuityCue, seen: dict[str, str]) -> None:
    def write(connection: Connection) -> bool:
        visit = store.load(connection, visit_id)
        if visit.state not in WITH_CLERK or visit.broken is not None:
            return False
        failed = CheckView(name=CHECK, outcome=CheckOutcome.FAILED, why=_WHY[cue], clause="")

        def halted(before: Visit) -> Visit:
            return before.model_copy(update={"broken": cue, "checks": _with(before, failed)})

        store.note(connection, visit_id, store.COUNTER, "identity_lost", halted, {"cue": cue.value} | seen)
        return True

    if await office.db.run(write):
        log.info("visit %s: the person in the call is no longer certain: %s", visit_id, cue.value)
    await unfollow(office, visit_id)


async def wait_recognised(office: Office, visit_id: str) -> None:
    """Give the watch its first look, where somebody signs sooner than a busy machine has looked."""
    if (identity := office.continuity.get(visit_id)) is not None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(identity.recognised.wait(), RECOGNISED_WITHIN_S)


def require_held(office: Office, visit: Visit) -> None:
    """Nothing is signed by whom nobody has seen to be the one who passed.

    Raises:
        CounterError: IDENTITY_NOT_HELD after a break, or where the face was not yet recognised in this call.
    """
    require_unbroken(visit)
    identity = office.continuity.get(visit.visit_id)
    if identity is None or not identity.recognised.is_set() or identity.state is ContinuityState.BROKEN:
        raise CounterError(ErrorCode.IDENTITY_NOT_HELD, "the face was not yet recognised in this call")


def require_unbroken(visit: Visit) -> None:
    """As `require_held`, for acts of others than the customer.

    Raises:
        CounterError: IDENTITY_NOT_HELD.
    """
    if visit.broken is not None:
        raise CounterError(ErrorCode.IDENTITY_NOT_HELD, visit.broken.value)


def with_held_check(visit: Visit) -> Visit:
    """The visit with the check that its person was watched and stayed; after `require_held` only."""
    if visit.without_face:  # the same face throughout, but nobody has said whose
        unknown = CheckView(name=CHECK, outcome=CheckOutcome.NOT_POSSIBLE, why=_HELD_UNCHECKED, clause="")
        return visit.model_copy(update={"checks": _with(visit, unknown)})
    before = next((check for check in visit.checks if check.name == CHECK), None)
    why = _HELD if before is None or before.why == _HELD else _HELD_SINCE
    passed = CheckView(name=CHECK, outcome=CheckOutcome.PASSED, why=why, clause="")
    return visit.model_copy(update={"checks": _with(visit, passed)})


def _with(visit: Visit, check: CheckView) -> tuple[CheckView, ...]:
    return (*(one for one in visit.checks if one.name != check.name), check)


async def ask_again(office: Office, clerk: ClerkView, visit_id: str) -> None:
    """Back to card and face in this very call; also where nothing but the clerk's own eyes speak for it.

    Raises:
        CounterError: NOT_ALLOWED for another clerk's visit, WRONG_STEP outside a call.
    """

    def write(connection: Connection) -> None:
        visit = store.load(connection, visit_id)
        if visit.clerk_id != clerk.clerk_id:
            raise CounterError(ErrorCode.NOT_ALLOWED)
        card = needs_card(visit.channel, visit.broken)
        event = Event.CARD_ASKED_AGAIN if card else Event.FACE_ASKED_AGAIN
        actor = store.Actor("clerk", clerk.clerk_id)
        cue = "clerk" if visit.broken is None else visit.broken.value
        store.move(connection, visit_id, event, actor, _unidentified, {"cue": cue})

    await office.db.run(write)
    await unfollow(office, visit_id)
    office.evidence_of(visit_id).drop_document()
    office.changed(visit_id)


def _unidentified(visit: Visit) -> Visit:
    return visit.model_copy(
        update={
            "again": True,
            "face": None,
            "face_attempts": 0,
            "assurance": Assurance.NONE,
            "checklist": tuple(item.model_copy(update={"outcome": None, "note": ""}) for item in visit.checklist),
            "document": None,
            "signed": (),
            "approval": "none",
        }
    )


def identified_again(visit: Visit, referred_item: ChecklistItem, *, referred: bool) -> Visit:
    """Known again: nothing is broken any more, and the clerk's list says what the new comparison came to."""
    items = tuple(item for item in visit.checklist if item.item_id != referred_item.item_id)
    return visit.model_copy(
        update={"again": False, "broken": None, "checklist": (*items, referred_item) if referred else items}
    )


def to_the_desk(connection: Connection, visit: Visit) -> Event:
    """Back to the same clerk; or, where that clerk has gone meanwhile, to the head of the queue."""
    if visit.clerk_id is not None:
        return Event.IDENTIFIED_AGAIN
    queue.give_back(connection, visit.visit_id)
    return Event.BACK_IN_QUEUE
