"""The document of a visit: filled from its facts, rendered once, the same bytes for everybody, and signed in place."""

import asyncio
import hashlib
import logging

import rfc8785

from counter_server.errors import CounterError
from counter_server.signing.authority import Act
from counter_server.signing.document import DocumentValues, FormRow, RenderedDocument, render_document
from counter_server.signing.errors import SigningError, UnprintableError
from counter_server.signing.pages import page_png
from counter_server.signing.statement import SignerRole, sign_statement
from counter_server.signing.strokes import Strokes
from counter_server.signing.worker import ByHand, ByStaff, Order
from counter_server.visits.evidence import CONTRACT, Evidence
from counter_server.visits.facts import Signed, Visit
from counter_server.visits.office import Office
from webrtc.wire.catalogue import FieldKind, FormField, Route
from webrtc.wire.console import ClerkView
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import DocumentView

log = logging.getLogger(__name__)

EVIDENCE_FORMAT = "visual-counter-evidence/1"
PAGE_WIDTH_PX = 1200  # readable on a kiosk's 1080 px screen without enlarging


async def render(office: Office, visit: Visit) -> RenderedDocument:
    """The filled document.

    Raises:
        CounterError: UNPRINTABLE naming the field with a character the document's fonts lack.
    """
    service = office.catalogue[visit.service_id]
    language = visit.language.value
    rows = tuple(
        FormRow(field.name, str(getattr(field.label, language)), printed_value(field, visit.values, language))
        for field in service.form
    )
    holder = visit.holder
    values = DocumentValues(
        document_number=visit.record_id,
        holder_name="" if holder is None else holder.name,
        holder_document="" if holder is None else holder.document_number,
        issued_on=visit.opened_at.date(),
        rows=rows,
        signers=signers_of(office, visit),
    )
    try:
        async with office.pdf_lock:
            return await asyncio.to_thread(render_document, service.document, language, values, office.fonts)
    except UnprintableError as error:
        raise CounterError(ErrorCode.UNPRINTABLE, "a character the document's fonts lack", error.field) from error


def signers_of(office: Office, visit: Visit) -> tuple[SignerRole, ...]:
    """Who signs this visit's document, in order; nobody where the customer confirms on the screen."""
    if visit.route is Route.SELF_SERVICE:
        return ()
    needs_approval = office.catalogue[visit.service_id].needs_approval or visit.without_finger or visit.without_face
    return (SignerRole.CUSTOMER, SignerRole.CLERK, *((SignerRole.APPROVER,) if needs_approval else ()))


def announce(office: Office, visit: Visit, document: RenderedDocument) -> DocumentView:
    """How the document is announced to both screens."""
    return DocumentView(title=office.catalogue[visit.service_id].title, sha256=document.sha256, pages=document.pages)


def state(office: Office, visit: Visit, act: Signed) -> None:
    """The server's signed statement of this act, made at the moment of the act and kept for the record."""
    office.evidence_of(visit.visit_id).statements[act.role] = sign_statement(
        office.sealing,
        record_id=visit.record_id,
        visit_id=visit.visit_id,
        role=SignerRole(act.role),
        actor="holder" if act.role == "customer" else act.actor,
        document_sha256=act.document_sha256,
        strokes_sha256=act.strokes_sha256,
        at=act.at,
    )


async def put_hand(office: Office, visit: Visit, strokes: Strokes) -> tuple[bytes, bytes]:
    """The customer's signature in the document: (signed PDF, the evidence its certificate was issued on).

    Nothing is changed yet; `CounterError` INTERNAL when it could not be made.
    """
    evidence = office.evidence_of(visit.visit_id)
    summary = summarise(visit, evidence, strokes)
    act = _act(visit, "customer", "holder", "" if visit.holder is None else visit.holder.name, summary)
    others = tuple(role for role in signers_of(office, visit) if role is not SignerRole.CUSTOMER)
    return await _sign(office, ByHand(evidence.get(CONTRACT).content, strokes, act, others)), summary


async def put_staff(office: Office, visit: Visit, role: SignerRole, clerk: ClerkView) -> bytes:
    """A clerk's or approver's signature in the contract that the customer signed; errors as above."""
    evidence = office.evidence_of(visit.visit_id)
    if not evidence.summary:
        raise CounterError(ErrorCode.WRONG_STEP, "the customer has not signed")
    act = _act(visit, role.value, clerk.clerk_id, clerk.name, evidence.summary)
    return await _sign(office, ByStaff(evidence.get(CONTRACT).content, act))


def summarise(visit: Visit, evidence: Evidence, strokes: Strokes) -> bytes:
    """What was known when the customer signed, as hashes and outcomes; the certificates carry the hash of this."""
    held = {name: hashlib.sha256(kept.content).hexdigest() for name, kept in evidence.exhibits.items()}
    return rfc8785.dumps(
        {
            "format": EVIDENCE_FORMAT,
            "record_id": visit.record_id,
            "exhibits": held,  # the document as it was shown among them
            "strokes_sha256": strokes.sha256(),
            "assurance": visit.assurance.value,
            "checks": {check.name: check.outcome.value for check in visit.checks},
            "face": None if visit.face is None else visit.face.verdict.value,
        }
    )


def _act(visit: Visit, role: str, actor: str, name: str, summary: bytes) -> Act:
    return Act(visit.record_id, role, actor, name, hashlib.sha256(summary).hexdigest())


async def _sign(office: Office, order: Order) -> bytes:
    try:
        return await office.signing.sign(order)
    except SigningError as error:
        log.error("no signature: %s", error)
        raise CounterError(ErrorCode.INTERNAL, "the document could not be signed; nothing was done") from error


async def page_picture(office: Office, pdf: bytes, page: int) -> bytes:
    """PNG of one page, counted from 1."""
    async with office.pdf_lock:
        return await asyncio.to_thread(page_png, pdf, page, PAGE_WIDTH_PX)


def printed_value(field: FormField, values: dict[str, str], language: str) -> str:
    """A form value as people read it: a choice by its label, money in groups of three."""
    value = values.get(field.name, "")
    if field.kind is FieldKind.CHOICE:
        return next((str(getattr(c.label, language)) for c in field.choices if c.value == value), value)
    if field.kind is FieldKind.MONEY and value:
        return f"{int(value):,}"
    return value
