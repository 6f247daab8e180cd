"""From a filled form to the one document both sides see: rendered once, hashed, shown as those very bytes."""

import hashlib
from dataclasses import dataclass
from datetime import date

import pypdfium2

from counter_server.signing.errors import TemplateUnknownError, UnprintableError
from counter_server.signing.fonts import PrintFonts
from counter_server.signing.statement import SignerRole
from counter_server.signing.typesetting import first_unprintable, typeset

DOCUMENT_TEMPLATES = ("change-address", "replace-card", "raise-limit", "enrol-finger", "reset-pin")
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class FormRow:
    """One line of the form in the document: the field's name, its label in the document's language, its value."""

    field: str
    label: str
    value: str


@dataclass(frozen=True, slots=True, repr=False)
class DocumentValues:
    """What goes into a document. `document_number` is the record's number: it makes every document unique.

    The holder is None (or empty) where no chip proved one (a phone); the document then says so in the holder's place.
    """

    document_number: str
    holder_name: str | None
    holder_document: str | None
    issued_on: date
    rows: tuple[FormRow, ...]
    signers: tuple[SignerRole, ...]  # who signs, in order; nobody where the customer confirms on the screen

    @property
    def self_service(self) -> bool:
        """Confirmed on the screen, or signed by hand and countersigned; the document says which."""
        return not self.signers


@dataclass(frozen=True, slots=True, repr=False)
class RenderedDocument:
    """A PDF/A-3a, its hash and the fonts it was set in."""

    pdf: bytes
    sha256: str
    pages: int
    font_sha256: dict[str, str]


def render_document(template_id: str, language: str, values: DocumentValues, fonts: PrintFonts) -> RenderedDocument:
    """The document of a service in one language.

    Raises:
        UnprintableError: `field` is the form's field, or holder_name, holder_document, document_number; checked in
            this order: holder first, then the form from top to bottom.
        TemplateUnknownError: No such template or language.
    """
    if template_id not in DOCUMENT_TEMPLATES or language not in LANGUAGES:
        raise TemplateUnknownError(f"no template {template_id[:40]!r} in {language[:8]!r}")
    printed = {
        "holder_name": values.holder_name or "",
        "holder_document": values.holder_document or "",
        "document_number": values.document_number,
        **{row.field: row.value for row in values.rows},
        **{f"label of {row.field}": row.label for row in values.rows},
    }
    filled: dict[str, object] = {
        "language": language,
        "document_number": values.document_number,
        "holder_name": values.holder_name or None,
        "holder_document": values.holder_document or None,
        "issued_on": [values.issued_on.year, values.issued_on.month, values.issued_on.day],
        "self_service": values.self_service,
        "signers": [role.value for role in values.signers],
        "rows": [[row.label, row.value] for row in values.rows],
    }
    return _printed(template_id, filled, printed, values.issued_on, fonts)


def _printed(
    template: str, filled: dict[str, object], printed: dict[str, str], day: date, fonts: PrintFonts
) -> RenderedDocument:
    unprintable = first_unprintable(printed, fonts)
    if unprintable is not None:
        raise UnprintableError(unprintable)
    return finished(typeset(template, filled, day, fonts), fonts)


def finished(pdf: bytes, fonts: PrintFonts) -> RenderedDocument:
    """A PDF with its hash and number of pages."""
    opened = pypdfium2.PdfDocument(pdf)
    try:
        return RenderedDocument(pdf, hashlib.sha256(pdf).hexdigest(), len(opened), dict(fonts.sha256))
    finally:
        opened.close()
