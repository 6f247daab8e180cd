"""The signature sheet: one page a person can read, showing who signed which document, with the drawn signature."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from counter_server.signing.document import LANGUAGES, RenderedDocument, finished
from counter_server.signing.errors import TemplateUnknownError, UnprintableError
from counter_server.signing.fonts import PrintFonts
from counter_server.signing.statement import SignerRole
from counter_server.signing.strokes import Strokes
from counter_server.signing.typesetting import first_unprintable, typeset


@dataclass(frozen=True, slots=True, repr=False)
class SheetSigner:
    """One line of the sheet. `strokes` is the drawn signature; clerks and approvers sign by login and have none.

    An empty name is a customer whom no chip named; the sheet says so.
    """

    role: SignerRole
    name: str
    signed_at: datetime
    strokes: Strokes | None = None


def render_signature_sheet(
    *,
    language: str,
    document_number: str,
    document_title: str,
    document: RenderedDocument,
    signers: Sequence[SheetSigner],
    fonts: PrintFonts,
) -> RenderedDocument:
    """A second PDF beside the document, which itself is never changed after signing.

    Raises:
        UnprintableError: `field` is document_title, or name of the signer's role.
    """
    if language not in LANGUAGES:
        raise TemplateUnknownError(f"no signature sheet in {language[:8]!r}")
    printed = {"document_title": document_title, "document_number": document_number}
    printed |= {f"name of {signer.role.value}": signer.name for signer in signers}
    unprintable = first_unprintable(printed, fonts)
    if unprintable is not None:
        raise UnprintableError(unprintable)
    day = max(signer.signed_at for signer in signers).astimezone(UTC).date()
    filled: dict[str, object] = {
        "language": language,
        "document_number": document_number,
        "document_title": document_title,
        "document_sha256": document.sha256,
        "document_pages": document.pages,
        "issued_on": [day.year, day.month, day.day],
        "signers": [_line(signer) for signer in signers],
    }
    return finished(typeset("signature-sheet", filled, day, fonts), fonts)


def _line(signer: SheetSigner) -> dict[str, str | None]:
    return {
        "role": signer.role.value,
        "name": signer.name or None,
        "signed_at": f"{signer.signed_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "svg": None if signer.strokes is None else signer.strokes.svg(),
        "strokes_sha256": None if signer.strokes is None else signer.strokes.sha256(),
    }
