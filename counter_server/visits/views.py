"""A visit as its customer, its clerk, an approver and the public door see it. Reading only."""

import time
from collections.abc import Mapping

from sqlalchemy import Connection

from counter_server.calls.rooms import Calls
from counter_server.calls.seats import CLERK, CUSTOMER
from counter_server.catalogue.catalogue import Catalogue
from counter_server.queue import service as queue
from counter_server.visits import store
from counter_server.visits.call_identity import CallIdentity, continuity_view
from counter_server.visits.evidence import CHIP_PORTRAIT, LIVE_PICTURE, Evidence
from counter_server.visits.facts import Visit
from webrtc.wire.call import Line, ShownKind
from webrtc.wire.catalogue import CatalogueView, Channel
from webrtc.wire.console import ApprovalRow, ClerkView, ClerkVisit, ConsoleView, TicketRow
from webrtc.wire.passkey import PhoneKey
from webrtc.wire.third_person import RunningCall, ThirdPerson
from webrtc.wire.visit import TicketView, VisitState, VisitView


class Versions:
    """Numbers that rise with every look, also over a restart: milliseconds, never the same twice."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """A number above every one before."""
        self._last = max(self._last + 1, time.time_ns() // 1_000_000)
        return self._last


def ticket_view(connection: Connection, visit: Visit, clerks_ready: int) -> TicketView | None:
    """The customer's place; None while there is no ticket."""
    place = queue.place(connection, visit.visit_id)
    if place is None:
        return None
    estimate_s = place.estimate_s(clerks_ready)
    return TicketView(
        number=place.number,
        position=place.position,
        waiting_s=place.waiting_s,
        estimate_low_s=None if estimate_s is None else estimate_s[0],
        estimate_high_s=None if estimate_s is None else estimate_s[1],
        clerks_ready=clerks_ready,
    )


def customer_view(
    visit: Visit,
    ticket: TicketView | None,
    catalogue: Catalogue,
    calls: Calls,
    version: int,
    identity: CallIdentity | None = None,
    third: ThirdPerson | None = None,
    phone_key: PhoneKey = PhoneKey.NONE,
) -> VisitView:
    """What the customer's page draws."""
    service = catalogue[visit.service_id]
    return VisitView(
        visit_id=visit.visit_id,
        service_id=visit.service_id,
        service_title=service.title,
        channel=visit.channel,
        language=visit.language,
        state=visit.state,
        version=version,
        route=visit.route,
        assurance=visit.assurance,
        reason=visit.reason,
        note=visit.note,
        form=service.form,
        values=visit.values,
        holder_name=None if visit.holder is None else visit.holder.name,
        checks=visit.checks,
        face=visit.face,
        asks_finger=service.finger_task(visit.channel),
        finger=visit.finger,
        ticket=ticket,
        clerk_name=visit.clerk_name,
        document=visit.document,
        my_line=calls.line(CUSTOMER, visit.visit_id),
        clerk_line=Line.NONE if visit.clerk_id is None else calls.line(CLERK, visit.clerk_id),
        continuity=continuity_view(visit, identity),
        held=visit.held,
        clerk_muted=visit.muted,
        third=third,
        receipt=visit.receipt,
        phone_key=phone_key,
    )


def clerk_visit(
    visit: Visit,
    number: str,
    evidence: Evidence | None,
    catalogue: Catalogue,
    calls: Calls,
    version: int,
    identity: CallIdentity | None = None,
    third: ThirdPerson | None = None,
) -> ClerkVisit:
    """What the clerk who serves the visit sees of it."""
    service = catalogue[visit.service_id]
    held = {} if evidence is None else evidence.exhibits
    return ClerkVisit(
        visit_id=visit.visit_id,
        ticket_number=number,
        service_title=service.title,
        channel=visit.channel,
        language=visit.language,
        state=visit.state,
        version=version,
        assurance=visit.assurance,
        holder=visit.holder,
        checks=visit.checks,
        face=visit.face,
        finger=visit.finger,
        has_portrait=CHIP_PORTRAIT in held,
        has_live_picture=LIVE_PICTURE in held,
        form=service.form,
        values=visit.values,
        checklist=visit.checklist,
        checklist_complete=visit.checklist_complete,
        document=visit.document,
        needs_approval=service.needs_approval or visit.without_finger or visit.without_face,
        approval=visit.approval,
        customer_line=calls.line(CUSTOMER, visit.visit_id),
        my_line=Line.NONE if visit.clerk_id is None else calls.line(CLERK, visit.clerk_id),
        customer_trouble=visit.trouble,
        line_check=visit.line_check,
        continuity=continuity_view(visit, identity),
        held=visit.held,
        muted=visit.muted,
        third=third,
        shown=None if (what := calls.shown(visit.visit_id)) is None else ShownKind(what),
        reason=visit.reason,
        receipt=visit.receipt,
    )


def approval_row(visit: Visit, number: str, catalogue: Catalogue, clerk: ClerkView) -> ApprovalRow:
    """What the second person sees before deciding."""
    service = catalogue[visit.service_id]
    assert visit.document is not None  # noqa: S101 - APPROVING is only reached with a document
    return ApprovalRow(
        visit_id=visit.visit_id,
        ticket_number=number,
        service_title=service.title,
        clerk_name=visit.clerk_name or "",
        values=visit.values,
        form=service.form,
        holder=visit.holder,
        checks=visit.checks,
        face=visit.face,
        finger=visit.finger,
        checklist=visit.checklist,
        document=visit.document,
        mine=visit.clerk_id == clerk.clerk_id,
    )


def console_view(
    connection: Connection,
    clerk: ClerkView,
    evidence: dict[str, Evidence],
    catalogue: Catalogue,
    calls: Calls,
    version: int,
    identities: Mapping[str, CallIdentity],
    third: ThirdPerson | None = None,
    running: tuple[RunningCall, ...] = (),
) -> ConsoleView:
    """Everything this clerk's console draws."""
    now_s = time.time()
    mine = store.visit_of_clerk(connection, clerk.clerk_id)
    approving = store.in_states(connection, (VisitState.APPROVING,)) if "approver" in clerk.roles else ()
    return ConsoleView(
        clerk=clerk,
        version=version,
        waiting=tuple(
            TicketRow(
                ticket_id=ticket.ticket_id,
                number=ticket.number,
                service_title=catalogue[ticket.service_id].title,
                channel=ticket.channel,
                language=ticket.language,
                waiting_s=max(0, int(now_s - ticket.drawn_at_s)),
                referred=ticket.referred,
            )
            for ticket in queue.waiting(connection)
        ),
        visit=None
        if mine is None
        else clerk_visit(
            mine,
            queue.number_of(connection, mine.visit_id),
            evidence.get(mine.visit_id),
            catalogue,
            calls,
            version,
            identities.get(mine.visit_id),
            third,
        ),
        approvals=tuple(
            approval_row(visit, queue.number_of(connection, visit.visit_id), catalogue, clerk) for visit in approving
        ),
        media_ok=calls.healthy,
        calls=running,
    )


def catalogue_view(connection: Connection, catalogue: Catalogue, channel: Channel, clerks_ready: int) -> CatalogueView:
    """What this door offers now."""
    return CatalogueView(
        channel=channel,
        services=tuple(service.offer(channel) for service in catalogue.values()),
        waiting=len(queue.waiting(connection)),
        clerks_ready=clerks_ready,
    )
