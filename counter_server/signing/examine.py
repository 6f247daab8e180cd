"""What pyHanko says of a signed contract: an opinion not ours on signatures, and on what each revision changed.

`records/verify_contract.py` asks whether the bytes are the signed ones; this asks whether what was appended between two
signatures is what may be appended: the filling of a signature's place and proof for later, never a page.
"""

import asyncio
import io
from dataclasses import dataclass

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
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


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is wrong with a contract, or nothing."""

    flaws: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.flaws


def examine(pdf: bytes, root: x509.Certificate) -> Opinion:
    """pyHanko's opinion, trusting this root alone and asking nobody."""
    try:
        return Opinion(tuple(asyncio.run(_examine(pdf, root))))
    except UNREADABLE as error:
        return Opinion((f"pyHanko cannot read it: {type(error).__name__}",))


async def _examine(pdf: bytes, root: x509.Certificate) -> list[str]:
    reader = PdfFileReader(io.BytesIO(pdf))
    found = list(reader.embedded_signatures)
    flaws = _whole(reader, found)
    store = DocumentSecurityStore.read_dss(reader)
    for one in found:
        status = await _judge(one, store, root)
        flaws += [f"{one.field_name}: {flaw}" for flaw in status]
    return flaws


def _whole(reader: PdfFileReader, found: list[EmbeddedPdfSignature]) -> list[str]:
    """What concerns the file and no single signature."""
    if not found or found[-1].sig_object_type != "/DocTimeStamp":
        return ["no time stamp covers the whole"]
    certification = read_certification_data(reader)
    if certification is None or certification.permission != MDPPerm.FILL_FORMS:
        return ["not certified, or for more than filling in"]
    if certification.author_sig is not found[0].sig_object and certification.author_sig != found[0].sig_object:
        return ["not certified by the first hand"]
    found[-1].compute_integrity_info()  # type: ignore[no-untyped-call]  # pyHanko's
    if found[-1].coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        return ["the last time stamp does not cover the whole"]
    return []


async def _judge(one: EmbeddedPdfSignature, store: DocumentSecurityStore, root: x509.Certificate) -> list[str]:
    encoded = bytes(one.pkcs7_content)
    stamped = one.sig_object_type == "/DocTimeStamp"
    token = encoded if stamped else read_signed_message(encoded).time_stamp
    if token is None:
        return ["no time stamp"]
    context = _context(store, root, token)
    if stamped:
        clock = await async_validate_pdf_timestamp(one, context)
        good = clock.valid and clock.intact and clock.trusted and _may(clock.modification_level)
        return [] if good else ["the time stamp does not hold"]
    status = await async_validate_pdf_signature(one, context)
    flaws = [] if status.bottom_line else ["the signature does not hold"]
    if not _may(status.modification_level):
        flaws.append("more was changed after it than may be")
    return flaws


def _context(store: DocumentSecurityStore, root: x509.Certificate, token: bytes) -> ValidationContext:
    """The world as of the time stamp: one root, the certificates and lists in the file, no network."""
    wishes = {
        "trust_roots": [asn1_x509.Certificate.load(root.public_bytes(Encoding.DER))],
        "moment": read_time_stamp(token).at,
        "allow_fetching": False,
        "revocation_mode": "hard-fail",
    }
    return store.as_validation_context(wishes)


def _may(level: ModificationLevel | None) -> bool:
    return level is not None and level <= ModificationLevel.FORM_FILLING
