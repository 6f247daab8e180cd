"""What pyHanko says of a signed contract: an opinion not ours on signatures, and on what each revision changed.

`records/verify_contract.py` asks whether the bytes are the signed ones; this asks whether what was appended between two
signatures is what may be appended: the filling of a signature's place and proof for later, never a page.
"""

import asyncio
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.generic import DictionaryObject
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    EmbeddedPdfSignature,
    SignatureCoverageLevel,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
    read_certification_data,
)
from pyhanko.sign.validation.errors import SignatureValidationError, ValidationInfoReadingError
from pyhanko_certvalidator import ValidationContext

from counter_server.records.cms import read_signed_message, read_time_stamp
from counter_server.records.errors import RecordFormatError

logging.getLogger("pyhanko").setLevel(logging.CRITICAL)  # it would log what it compares, values of forms among it

Roots = tuple[x509.Certificate, ...]

# whatever a stranger's file makes pyHanko stumble over; ValueError and friends come out of its parsers
UNREADABLE = (
    PdfError,
    SignatureValidationError,
    ValidationInfoReadingError,
    RecordFormatError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RecursionError,
)

# What the first hand may change in what was shown: places for signatures on a page, and in the catalogue the form they
# belong to, the proof, and that it certifies. pyHanko's own policy has no rule for a document that had no form before.
MAY_CHANGE = {
    "/Catalog": {"/AcroForm", "/DSS", "/Perms", "/Extensions", "/Version"},
    "/Page": {"/Annots"},
}


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is wrong with a contract, or nothing."""

    flaws: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.flaws


def examine(
    pdf: bytes, root: x509.Certificate, clocks: Sequence[x509.Certificate] = (), *, closed: bool = True
) -> Opinion:
    """pyHanko's opinion, trusting this root alone and asking nobody.

    Args:
        clocks: Who vouches for time stamp authorities, and for nobody else; the root where nobody is named.
        closed: Whether somebody who works here countersigned: then a time stamp covers all.
    """
    try:
        return Opinion(tuple(asyncio.run(_examine(pdf, root, tuple(clocks) or (root,), closed=closed))))
    except UNREADABLE as error:
        return Opinion((f"pyHanko cannot read it: {type(error).__name__}",))


async def _examine(pdf: bytes, root: x509.Certificate, clocks: Roots, *, closed: bool) -> list[str]:
    reader = PdfFileReader(io.BytesIO(pdf))
    found = list(reader.embedded_signatures)
    flaws = _whole(reader, found, closed=closed)
    store = DocumentSecurityStore.read_dss(reader)
    for one in found:
        status = await _judge(one, store, root, clocks)
        flaws += [f"{one.field_name}: {flaw}" for flaw in status]
    return flaws


def _whole(reader: PdfFileReader, found: list[EmbeddedPdfSignature], *, closed: bool) -> list[str]:
    """What concerns the file and no single signature."""
    if not found or (closed and found[-1].sig_object_type != "/DocTimeStamp"):
        return ["no time stamp covers the whole"]
    if [one.signed_revision for one in found] != list(range(1, reader.xrefs.total_revisions)):
        return ["a revision that nobody signed"]
    if not _only_places_were_added(reader):
        return ["more was changed before the first hand than was to be signed"]
    certification = read_certification_data(reader)
    if certification is None or certification.permission != MDPPerm.FILL_FORMS:
        return ["not certified, or for more than filling in"]
    if certification.author_sig is not found[0].sig_object and certification.author_sig != found[0].sig_object:
        return ["not certified by the first hand"]
    found[-1].compute_integrity_info()  # type: ignore[no-untyped-call]  # pyHanko's
    if found[-1].coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        return ["the last signature does not cover the whole"]
    return []


def _only_places_were_added(reader: PdfFileReader) -> bool:
    """Whether the revision of the first hand leaves every object of the shown document alone, but for `MAY_CHANGE`."""
    shown, certified = reader.get_historical_resolver(0), reader.get_historical_resolver(1)
    both = certified.explicit_refs_in_revision() & shown.explicit_refs_in_revision()  # type: ignore[no-untyped-call]
    for reference in both:
        before, after = shown.get_object(reference), certified.get_object(reference)
        if not isinstance(before, DictionaryObject) or not isinstance(after, DictionaryObject):
            return False
        may = MAY_CHANGE.get(str(before.get("/Type")), set())
        for key in {*before, *after} - may:
            if key not in before or key not in after or before.raw_get(key) != after.raw_get(key):
                return False
    return True


async def _judge(
    one: EmbeddedPdfSignature, store: DocumentSecurityStore, root: x509.Certificate, clocks: Roots
) -> list[str]:
    encoded = bytes(one.pkcs7_content)
    stamped = one.sig_object_type == "/DocTimeStamp"
    token = encoded if stamped else read_signed_message(encoded).time_stamp
    if token is None:
        return ["no time stamp"]
    timely = _context(store, clocks, token, proven=clocks == (root,))
    if stamped:
        clock = await async_validate_pdf_timestamp(one, timely)
        good = clock.valid and clock.intact and clock.trusted and _may(clock.modification_level)
        return [] if good else ["the time stamp does not hold"]
    status = await async_validate_pdf_signature(one, _context(store, (root,), token, proven=True), timely)
    flaws = [] if status.bottom_line else ["the signature does not hold"]
    if not _may(status.modification_level):
        flaws.append("more was changed after it than may be")
    return flaws


def _context(store: DocumentSecurityStore, roots: Roots, token: bytes, *, proven: bool) -> ValidationContext:
    """The world as of the time stamp: these roots, the certificates and lists in the file, no network.

    Args:
        proven: Whether the file holds what proves that nothing was revoked. An operator's authority publishes its
            lists elsewhere.
    """
    wishes = {
        "trust_roots": [asn1_x509.Certificate.load(root.public_bytes(Encoding.DER)) for root in roots],
        "moment": read_time_stamp(token).at,
        "allow_fetching": False,
        "revocation_mode": "hard-fail" if proven else "soft-fail",
    }
    return store.as_validation_context(wishes)


def _may(level: ModificationLevel | None) -> bool:
    return level is not None and level <= ModificationLevel.FORM_FILLING
