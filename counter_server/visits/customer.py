"""What a customer does in a visit, from opening it to the signature."""

import secrets
from datetime import UTC, datetime

from sqlalchemy import Connection

from counter_server.catalogue.catalogue import check_form
from counter_server.errors import CounterError
from counter_server.people import phones
from counter_server.queue import service as queue
from counter_server.records import slots
from counter_server.records.keys import new_record_keys
from counter_server.signing.errors import SignatureEmptyError
from counter_server.signing.strokes import Strokes
from counter_server.visits import continuity, store
from counter_server.visits.closing import close, end
from counter_server.visits.documents import announce, page_picture, put_hand, render, state
from counter_server.visits.evidence import CONTRACT, Evidence
from counter_server.visits.facts import Signed, Visit
from counter_server.visits.machine import FINAL, Event
from counter_server.visits.office import Office
from webrtc.wire.catalogue import Channel, Route
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import DocumentView, OpenVisit, PageSeen, Reason, SignDocument, SubmitForm, VisitState

# Visits open at once. One person stands at a kiosk; what was left behind there ends after `customer_gone_s`.
MOST_AT_A_KIOSK, MOST_ON_PHONES = 20, 500


async def open_visit(
    office: Office, request: OpenVisit, channel: Channel, *, kiosk_id: str | None, phone_token: str | None
) -> tuple[str, Visit]:
    """A new visit and its token.

    Raises:
        CounterError: NOT_FOUND for an unknown service, SERVICE_NEEDS_KIOSK where this door proves too little,
            NOT_LOGGED_IN or LINK_USED for a phone without a good link, TOO_MANY_TRIES while too many are open.
    """
    service = office.catalogue.get(request.service_id)
    if service is None:
        raise CounterError(ErrorCode.NOT_FOUND, "no such service")
    offer = service.offer(channel)
    if offer.route is Route.NOT_HERE:
        raise CounterError(ErrorCode.SERVICE_NEEDS_KIOSK)
    most = MOST_AT_A_KIOSK if kiosk_id else MOST_ON_PHONES
    if sum(held.door == (kiosk_id or "") for held in office.evidence.values()) >= most:
        raise CounterError(ErrorCode.TOO_MANY_TRIES, "too many visits are open here")
    now = datetime.now(UTC)
    keys = new_record_keys(now, post_quantum=office.settings.records_sealed.post_quantum)
    token = secrets.token_urlsafe(24)
    visit = Visit(
        visit_id=secrets.token_urlsafe(12),
        record_id=keys.record_id,
        service_id=service.service_id,
        channel=channel,
        kiosk_id=kiosk_id,
        language=request.language,
        opened_at=now,
        route=offer.route,
    )

    def write(connection: Connection) -> None:
        if phone_token is not None:
            spend_phone(connection, phone_token, visit.visit_id)
        slots.store_keys(connection, keys, office.master, now)
        store.insert_visit(connection, visit, token, store.Actor("kiosk", kiosk_id) if kiosk_id else store.CUSTOMER)

    # Before the row: nobody may find a visit without its evidence, nor one whose page was never heard.
    office.evidence[visit.visit_id] = Evidence(keys, door=kiosk_id or "")
    office.customers.heard(visit.visit_id)
    try:
        await office.db.run(write)
    except BaseException:
        del office.evidence[visit.visit_id]
        office.customers.forget(visit.visit_id)
        raise
    return token, visit


def spend_phone(connection: Connection, phone_token: str, visit_id: str) -> None:
    """A phone's link is good for one visit; only if that one ended without a result may it open another."""
    before = phones.visit_of(connection, phone_token)
    if before is not None:
        state = store.load(connection, before).state
        if state not in (VisitState.INTERRUPTED, VisitState.CANCELLED):
            raise CounterError(ErrorCode.LINK_USED)
    phones.use(connection, phone_token, visit_id)


async def consent(office: Office, visit_id: str) -> None:
    """The customer agrees to recording and biometrics."""
    visit = await office.db.run(store.load, visit_id)
    event = Event.CONSENTED_AT_KIOSK if visit.channel is Channel.KIOSK else Event.CONSENTED_ON_PHONE
    await office.db.run(store.move, visit_id, event, store.CUSTOMER, details={"recording": "yes", "biometrics": "yes"})
    office.changed(visit_id)


async def submit_form(office: Office, visit_id: str, form: SubmitForm) -> None:
    """Take the form: on to confirming it, or to the queue."""
    visit = await office.db.run(store.load, visit_id)
    values = check_form(office.catalogue[visit.service_id].form, form.values)
    alone = visit.route is Route.SELF_SERVICE
    # A name or address that the document cannot print is refused now, before anybody waits for a clerk.
    await render(office, visit.model_copy(update={"values": values}))

    def write(connection: Connection) -> None:
        event = Event.FORM_FOR_SELF_SERVICE if alone else Event.FORM_FOR_CLERK
        moved = store.move(
            connection, visit_id, event, store.CUSTOMER, lambda v: v.model_copy(update={"values": values})
        )
        if not alone:
            face = moved.face
            referred = moved.without_face or (face is not None and face.verdict.value == "refer" and face.compared)
            number = queue.draw(
                connection, visit_id, moved.service_id, moved.channel, moved.language, referred=referred
            )
            store.write_journal(connection, visit_id, store.COUNTER, "ticket_drawn", {"number": number})

    await office.db.run(write)
    office.changed(visit_id)


async def confirm(office: Office, visit_id: str) -> None:
    """Low risk: do it now. Answered only when the record is durable."""
    visit = await office.db.run(store.load, visit_id)
    document = await render(office, visit)
    shown = announce(office, visit, document)
    await office.db.run(
        store.move,
        visit_id,
        Event.CONFIRMED,
        store.CUSTOMER,
        lambda v: v.model_copy(update={"document": shown}),
        {"document_sha256": shown.sha256},
    )
    office.evidence_of(visit_id).add_document(document)  # not before: it may be another document that stands
    office.changed(visit_id)
    await close(office, visit_id)


async def correct(office: Office, visit_id: str) -> None:
    """Back from confirming to the form."""
    await office.db.run(store.move, visit_id, Event.CORRECTED, store.CUSTOMER)
    office.changed(visit_id)


async def see_page(office: Office, visit_id: str, seen: PageSeen) -> None:
    """One more page was on the customer's screen."""

    def write(connection: Connection) -> None:
        visit = store.load(connection, visit_id)
        document = visit.document
        if visit.state is not VisitState.READING or document is None:
            raise CounterError(ErrorCode.WRONG_STEP)
        if seen.document_sha256 != document.sha256:
            raise CounterError(ErrorCode.DOCUMENT_CHANGED)
        if not 1 <= seen.page <= document.pages:
            raise CounterError(ErrorCode.BAD_REQUEST, "no such page", "page")
        if seen.page in document.seen_pages:
            return
        pages = tuple(sorted({*document.seen_pages, seen.page}))
        changed = document.model_copy(update={"seen_pages": pages})
        store.note(
            connection,
            visit_id,
            store.CUSTOMER,
            "page_seen",
            lambda v: v.model_copy(update={"document": changed}),
            {"page": str(seen.page), "document_sha256": document.sha256},
        )

    await office.db.run(write)
    office.changed(visit_id)


async def sign(office: Office, visit_id: str, request: SignDocument) -> None:
    """The customer's hand on the document that was shown.

    Raises:
        CounterError: DOCUMENT_CHANGED, PAGES_UNSEEN or SIGNATURE_EMPTY.
    """
    try:
        strokes = Strokes.of(request.strokes, request.pad_ratio)
    except SignatureEmptyError as error:
        raise CounterError(ErrorCode.SIGNATURE_EMPTY) from error

    def may_sign(connection: Connection) -> tuple[Visit, DocumentView]:
        visit = store.load(connection, visit_id)
        document = visit.document
        if visit.state is not VisitState.READING or document is None:
            raise CounterError(ErrorCode.WRONG_STEP)
        if request.document_sha256 != document.sha256:
            raise CounterError(ErrorCode.DOCUMENT_CHANGED)
        if len(document.seen_pages) < document.pages:
            raise CounterError(ErrorCode.PAGES_UNSEEN)
        continuity.require_held(office, visit)
        return continuity.with_held_check(visit), document

    await continuity.wait_recognised(office, visit_id)
    before, _ = await office.db.run(may_sign)
    signed, summary = await put_hand(office, before, strokes)

    def write(connection: Connection) -> Visit:
        _, document = may_sign(connection)  # asked again: signing took a moment, and another request may have won
        act = Signed(
            role="customer",
            actor="customer",
            at=datetime.now(UTC),
            document_sha256=document.sha256,
            strokes_sha256=strokes.sha256(),
        )
        return store.move(
            connection,
            visit_id,
            Event.CUSTOMER_SIGNED,
            store.CUSTOMER,
            lambda v: v.model_copy(
                update={
                    "signed": (act,),
                    "checks": continuity.with_held_check(v).checks,
                    "document": document.model_copy(update={"signed_by_customer": True}),
                }
            ),
            {"document_sha256": document.sha256, "strokes_sha256": strokes.sha256()},
        )

    visit = await office.db.run(write)
    evidence = office.evidence_of(visit_id)
    evidence.strokes, evidence.summary = strokes, summary
    evidence.add_signed(signed)
    state(office, visit, visit.signed[-1])
    office.changed(visit_id)


async def cancel(office: Office, visit_id: str) -> None:
    """The customer stops; fine at any time before the record is being sealed, and twice is fine too."""
    visit = await office.db.run(store.load, visit_id)
    if visit.state in FINAL:
        return
    await end(office, visit_id, Event.CANCELLED, Reason.CUSTOMER_CANCELLED, store.CUSTOMER)


async def page_png(office: Office, visit_id: str, page: int) -> bytes:
    """One page of the very bytes that are signed, as a picture 1200 px wide."""
    visit = await office.db.run(store.load, visit_id)
    if visit.document is None or not 1 <= page <= visit.document.pages:
        raise CounterError(ErrorCode.NOT_FOUND)
    evidence = office.evidence.get(visit_id)
    if evidence is None:
        raise CounterError(ErrorCode.NOT_FOUND)
    return await page_picture(office, evidence.get(CONTRACT).content, page)
