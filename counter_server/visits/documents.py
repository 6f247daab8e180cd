"""The document of a visit: filled from its facts, rendered once, the same bytes for everybody."""

import asyncio

from counter_server.errors import CounterError
from counter_server.signing.document import DocumentValues, FormRow, RenderedDocument, render_document
from counter_server.signing.errors import UnprintableError
from counter_server.signing.pages import page_png
from counter_server.signing.statement import SignerRole, sign_statement
from counter_server.visits.facts import Signed, Visit
from counter_server.visits.office import Office
from webrtc.wire import DocumentView, ErrorCode, FieldKind, FormField, Route

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
        self_service=visit.route is Route.SELF_SERVICE,
    )
    try:
        async with office.pdf_lock:
            return await asyncio.to_thread(render_document, service.document, language, values, office.fonts)
    except UnprintableError as error:
        raise CounterError(ErrorCode.UNPRINTABLE, "a character the document's fonts lack", error.field) from error


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
