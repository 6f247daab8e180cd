"""What a clerk does for a visit, and the second person after."""

import asyncio
from datetime import UTC, datetime

from sqlalchemy import Connection

from counter_server.calls.seats import Recording
from counter_server.errors import CounterError
from counter_server.queue import service as queue
from counter_server.signing.statement import SignerRole
from counter_server.visits import continuity, stepup, store
from counter_server.visits.closing import close, refuse
from counter_server.visits.documents import announce, put_staff, render, state
from counter_server.visits.facts import Signed, Visit
from counter_server.visits.machine import FINAL, Event
from counter_server.visits.office import Office
from webrtc.wire.catalogue import Assurance
from webrtc.wire.check import CheckOutcome, Verdict
from webrtc.wire.console import Approve, ChecklistItem, ClerkView, Countersign, SetChecklistItem
from webrtc.wire.finger import FingerTask
from webrtc.wire.message import ErrorCode, Text
from webrtc.wire.visit import Reason, VisitState

FACE_REFERRED = ChecklistItem(
    item_id="face-referred",
    text=Text(
        zh="人脸比对未达自动通过标准：已仔细比较芯片照片与本人，确认是同一人",
        en="The face comparison did not pass by itself: compared chip portrait and person with care; they are one",
    ),
)

FINGER_MISSING = ChecklistItem(
    item_id="finger-missing",
    text=Text(
        zh="客户无法按指纹：请在备注中写明所见情况；仔细比较芯片照片与本人。之后需第二人复核",
        en="No finger can be given: write what you saw into the note, compare portrait and person with care;"
        " a second person approves afterwards",
    ),
)
FINGER_REFERRED = ChecklistItem(
    item_id="finger-referred",
    text=Text(
        zh="指纹未达自动通过标准：请客户对镜头展示手指，无胶膜、无异物；结合照片与本人判断",
        en="The finger did not pass by itself: have it shown to the camera, bare and without any film;"
        " judge by portrait and person",
    ),
)


async def take(office: Office, clerk: ClerkView, ticket_id: str | None) -> None:
    """Call the next ticket, or a given one, to this desk.

    Raises:
        CounterError: NOT_ALLOWED for somebody who serves nobody (an auditor, an approver only), NOT_FOUND or
            TICKET_TAKEN; WRONG_STEP while another visit is on the desk.
    """
    if "clerk" not in clerk.roles:
        raise CounterError(ErrorCode.NOT_ALLOWED)

    def write(connection: Connection) -> Visit:
        current = store.visit_of_clerk(connection, clerk.clerk_id)
        if current is not None and current.state not in FINAL:
            raise CounterError(ErrorCode.WRONG_STEP, "finish the visit on your desk first")
        store.clear_desk(connection, clerk.clerk_id)
        ticket = queue.take(connection, clerk.clerk_id, ticket_id)
        service = office.catalogue[ticket.service_id]
        items = tuple(ChecklistItem(item_id=i.item_id, text=i.text) for i in service.checklist)

        def with_clerk(visit: Visit) -> Visit:
            face = visit.face
            referred = visit.without_face or (face is not None and face.compared and face.verdict is Verdict.REFER)
            return visit.model_copy(
                update={
                    "clerk_id": clerk.clerk_id,
                    "clerk_name": clerk.name,
                    "held": False,
                    "muted": False,
                    "checklist": (*items, *((FACE_REFERRED,) if referred else ()), *finger_items(visit)),
                    "assurance": Assurance.LIVE_PERSON if referred and not visit.without_face else visit.assurance,
                    "document": None,
                    "signed": (),
                    "approval": "none",
                }
            )

        return store.move(connection, ticket.visit_id, Event.TAKEN, _actor(clerk), with_clerk)

    visit = await office.db.run(write)
    evidence = office.evidence_of(visit.visit_id)
    evidence.drop_document()
    part = await office.db.run(store.count_journal, visit.visit_id, Event.TAKEN.value)
    folder = await asyncio.to_thread(office.safe.recording_folder, visit.record_id)
    office.changed(visit.visit_id)
    await office.calls.bring_together(visit.visit_id, clerk.clerk_id, Recording(folder, evidence.keys.recipient, part))
    now = await office.db.run(store.load, visit.visit_id)
    if now.state in FINAL or now.clerk_id != clerk.clerk_id:
        # It ended or was given back while the call was made: nobody else would part it, and the clerk be recorded on.
        evidence.tracks += await office.calls.part(visit.visit_id)
        return
    await continuity.follow(office, now)


def finger_items(visit: Visit) -> tuple[ChecklistItem, ...]:
    """What a clerk looks at where a finger did not decide."""
    if visit.without_finger:
        return (FINGER_MISSING,)
    given = visit.finger
    if given is not None and given.task is FingerTask.COMPARE and given.verdict is not Verdict.ACCEPT:
        return (FINGER_REFERRED,)
    return ()


async def set_item(office: Office, clerk: ClerkView, visit_id: str, item_id: str, request: SetChecklistItem) -> None:
    """The clerk's answer to one item of the checklist."""

    def write(connection: Connection) -> None:
        visit = _mine(connection, clerk, visit_id, VisitState.SERVING)
        if item_id not in {item.item_id for item in visit.checklist}:
            raise CounterError(ErrorCode.NOT_FOUND)
        unexplained = request.outcome is CheckOutcome.PASSED and not request.note.strip()
        if item_id == FINGER_MISSING.item_id and unexplained:
            raise CounterError(ErrorCode.FORM_INVALID, "what was seen instead of a finger must be written down", "note")

        def answered(before: Visit) -> Visit:
            items = tuple(
                item.model_copy(update={"outcome": request.outcome, "note": request.note})
                if item.item_id == item_id
                else item
                for item in before.checklist
            )
            changed = before.model_copy(update={"checklist": items})
            if not any(i.item_id == FACE_REFERRED.item_id for i in items):
                return changed
            # The clerk's own eyes compare: while they have, and say so, the referred face counts as the chip's.
            seen = Assurance.NONE if before.without_face else Assurance.LIVE_PERSON
            proven = Assurance.CHIP_AND_FACE if changed.checklist_complete else seen
            return changed.model_copy(update={"assurance": proven})

        details = {"item": item_id, "outcome": request.outcome.value}
        store.note(connection, visit_id, _actor(clerk), "checklist_item", answered, details)

    await office.db.run(write)
    office.changed(visit_id)


async def push_document(office: Office, clerk: ClerkView, visit_id: str) -> None:
    """Open the filled document on both screens.

    Raises:
        CounterError: CHECKLIST_OPEN until every item passed; UNPRINTABLE.
    """
    visit = await office.db.run(_mine, clerk, visit_id, VisitState.SERVING)
    continuity.require_unbroken(visit)
    if not visit.checklist_complete:
        raise CounterError(ErrorCode.CHECKLIST_OPEN)
    document = await render(office, visit)
    shown = announce(office, visit, document)

    def write(connection: Connection) -> None:
        continuity.require_unbroken(_mine(connection, clerk, visit_id, VisitState.SERVING))
        store.move(
            connection,
            visit_id,
            Event.DOCUMENT_PUSHED,
            _actor(clerk),
            lambda v: v.model_copy(update={"document": shown}),
            {"document_sha256": shown.sha256, "pages": str(shown.pages)},
        )

    await office.db.run(write)
    office.evidence_of(visit_id).add_document(document)  # not before: pressed twice, the first one's stands
    office.changed(visit_id)


async def countersign(office: Office, clerk: ClerkView, visit_id: str, request: Countersign) -> None:
    """The clerk's own act on the signed document; then the record, or a second person first.

    Answered only when the record is durable, or when the approval is asked for.
    """

    def judged(connection: Connection) -> tuple[Visit, Signed]:
        visit = _mine(connection, clerk, visit_id, VisitState.COUNTERSIGNING)
        continuity.require_unbroken(visit)
        return visit, _act("clerk", clerk, visit, request.document_sha256)

    before, _ = await office.db.run(judged)
    proof = await stepup.prove(
        office,
        clerk,
        before,
        "countersign",
        request.document_sha256,
        password=request.password,
        passkey=request.passkey,
    )
    signed = await put_staff(office, before, SignerRole.CLERK, clerk)

    def write(connection: Connection) -> Visit:
        visit, act = judged(connection)
        needs_approval = office.catalogue[visit.service_id].needs_approval or visit.without_finger or visit.without_face
        document = visit.document
        assert document is not None  # noqa: S101 - _act has looked
        return store.move(
            connection,
            visit_id,
            Event.APPROVAL_ASKED if needs_approval else Event.CLERK_SIGNED,
            _actor(clerk),
            lambda v: v.model_copy(
                update={
                    "signed": (*v.signed, act),
                    "document": document.model_copy(update={"signed_by_clerk": True}),
                    "approval": "waiting" if needs_approval else "none",
                }
            ),
            {"document_sha256": act.document_sha256},
        )

    moved = await office.db.run(write)
    office.evidence_of(visit_id).add_signed(signed, "clerk", proof)
    state(office, moved, moved.signed[-1])
    await continuity.unfollow(office, visit_id)  # the customer's part is done
    office.changed(visit_id)
    if moved.state is VisitState.SEALING:
        await close(office, visit_id)


async def decide_approval(office: Office, approver: ClerkView, visit_id: str, request: Approve) -> None:
    """The second person's yes or no; never the one who signed.

    Raises:
        CounterError: NOT_ALLOWED without the role, SAME_PERSON for the clerk of the visit.
    """
    if "approver" not in approver.roles:
        raise CounterError(ErrorCode.NOT_ALLOWED)
    actor = store.Actor("approver", approver.clerk_id)

    def judged(connection: Connection) -> Signed:
        visit = store.load(connection, visit_id)
        if visit.state is not VisitState.APPROVING:
            raise CounterError(ErrorCode.WRONG_STEP)
        if visit.clerk_id == approver.clerk_id:
            raise CounterError(ErrorCode.SAME_PERSON)
        return _act("approver", approver, visit, request.document_sha256)

    def decline(connection: Connection) -> None:
        store.note(
            connection,
            visit_id,
            actor,
            "declined",
            lambda v: v.model_copy(update={"approval": "declined", "note": request.note or None}),
            {"document_sha256": judged(connection).document_sha256},
        )

    def approve(connection: Connection) -> Visit:
        act = judged(connection)
        return store.move(
            connection,
            visit_id,
            Event.APPROVED,
            actor,
            lambda v: v.model_copy(update={"signed": (*v.signed, act), "approval": "approved"}),
            {"document_sha256": act.document_sha256},
        )

    await office.db.run(judged)
    proof = await stepup.prove(
        office,
        approver,
        await office.db.run(store.load, visit_id),
        request.decision,
        request.document_sha256,
        password=request.password,
        passkey=request.passkey,
    )
    if request.decision == "decline":
        await refuse(office, visit_id, Reason.BY_APPROVER, actor, decline)
        return
    await office.db.run(judged)
    signed = await put_staff(office, await office.db.run(store.load, visit_id), SignerRole.APPROVER, approver)
    approved = await office.db.run(approve)
    office.evidence_of(visit_id).add_signed(signed, "approver", proof)
    state(office, approved, approved.signed[-1])
    office.changed(visit_id)
    await close(office, visit_id)


async def refuse_visit(office: Office, clerk: ClerkView, visit_id: str, note: str) -> None:
    """The clerk ends the visit without a result and tells the customer why."""

    def explain(connection: Connection) -> None:
        visit = store.load(connection, visit_id)
        if visit.clerk_id != clerk.clerk_id:
            raise CounterError(ErrorCode.NOT_ALLOWED)
        store.note(
            connection, visit_id, _actor(clerk), "refusal_explained", lambda v: v.model_copy(update={"note": note})
        )

    await refuse(office, visit_id, Reason.BY_CLERK, _actor(clerk), explain)


async def clear(office: Office, clerk: ClerkView) -> None:
    """Put the ended visit aside; the desk is free."""
    await office.db.run(store.clear_desk, clerk.clerk_id)
    office.hub.changed("consoles")


def may_see(visit: Visit, clerk: ClerkView) -> bool:
    """Whether this clerk may look at the visit's pictures and document."""
    if visit.clerk_id == clerk.clerk_id:
        return True
    return visit.state is VisitState.APPROVING and "approver" in clerk.roles


def _mine(connection: Connection, clerk: ClerkView, visit_id: str, state: VisitState) -> Visit:
    visit = store.load(connection, visit_id)
    if visit.clerk_id != clerk.clerk_id:
        raise CounterError(ErrorCode.NOT_ALLOWED)
    if visit.state is not state:
        raise CounterError(ErrorCode.WRONG_STEP, f"the visit is at {visit.state.value}")
    return visit


def _act(role: str, clerk: ClerkView, visit: Visit, document_sha256: str) -> Signed:
    if visit.document is None or document_sha256 != visit.document.sha256:
        raise CounterError(ErrorCode.DOCUMENT_CHANGED)
    return Signed(role=role, actor=clerk.clerk_id, at=datetime.now(UTC), document_sha256=document_sha256)


def _actor(clerk: ClerkView) -> store.Actor:
    return store.Actor("clerk", clerk.clerk_id)
