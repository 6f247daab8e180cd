"""Hands on a contract: PAdES signatures (ETSI EN 319 142-1) inside the PDF, by revisions appended to the bytes shown.

The customer's signature certifies the document: from then on only the places that stand empty may be signed (DocMDP,
ISO 32000-2 §12.8.2.2, level 2). Each signature carries a time stamp, and certificates and the revocation list go into
the file in the same revision (B-LT); whoever works here closes with a time stamp over everything (B-LTA).

pyHanko writes the PDF; the CMS in it is ours (`cms_writer` says why). Every revision is written once.
"""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigAppearanceSetup, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp, SignatureObject
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.stamp import StaticStampStyle

from counter_server.records.verify_contract import time_stamps
from counter_server.signing.appearance import Place, draw_mark, draw_strokes, place_of
from counter_server.signing.authority import Act, Certified, ContractAuthority
from counter_server.signing.clock_lists import ClockLists
from counter_server.signing.cms_writer import sign_message
from counter_server.signing.signers import hash_name
from counter_server.signing.statement import SignerRole
from counter_server.signing.strokes import Strokes
from counter_server.signing.time_authority import TimeStamper

# Hexadecimal digits set aside. A signature with its certificate and time stamp has 2.6 kB, an operator's authority with
# three certificates adds up to 6; a place too small fails closed, one too large costs zeros.
SIGNATURE_DIGITS, STAMP_DIGITS = 20_000, 16_000
READABLE = {  # what screen readers say of the field
    SignerRole.CUSTOMER: "Customer's signature",
    SignerRole.CLERK: "Clerk's signature",
    SignerRole.APPROVER: "Approver's signature",
}


@dataclass(frozen=True, slots=True, repr=False)
class ContractDesk:
    """What signing needs: who vouches, and who says what time it is."""

    authority: ContractAuthority
    clock: TimeStamper
    clock_chain: tuple[x509.Certificate, ...]  # of our own time stamp authority; empty for an operator's
    clock_lists: ClockLists | None = None  # for an operator's: our own authority's list is in each signature's proof


class _Appended(IncrementalPdfFileWriter):
    """Revisions that leave the document's own description alone.

    pyHanko would write "modified now" into it with another XML library, and the words by which archives recognise
    PDF/A would then stand in another spelling. A private name of pyHanko 0.38, held by
    `test_the_document_stays_archival`.
    """

    def _update_meta(self) -> None:
        """Nothing: the signatures say when they were made."""


def sign_by_hand(
    desk: ContractDesk, pdf: bytes, strokes: Strokes, act: Act, others: Sequence[SignerRole], now: datetime
) -> bytes:
    """The customer's hand: certifies the document and leaves places for the others.

    Args:
        pdf: The bytes both sides saw.
        others: Who is to sign after.
    """
    writer = _Appended(io.BytesIO(pdf))
    for role in (SignerRole.CUSTOMER, *others):
        append_signature_field(writer, _field(role))
    place = place_of(SignerRole.CUSTOMER)
    certified = desk.authority.for_once(act, now)
    mdp = SigMDPSetup(
        md_algorithm=hash_name(certified.signer.public_key), certify=True, docmdp_perms=MDPPerm.FILL_FORMS
    )
    return _sign(desk, writer, SignerRole.CUSTOMER, certified, _style(draw_strokes(strokes, place), place), mdp, now)


def sign_by_staff(desk: ContractDesk, pdf: bytes, act: Act, now: datetime) -> bytes:
    """A clerk's or approver's signature in the place left for them, and a time stamp over everything."""
    role = SignerRole(act.role)
    place = place_of(role)
    writer = _Appended(io.BytesIO(pdf))
    lists = () if desk.clock_lists is None else desk.clock_lists.of(time_stamps(pdf), now)
    certified = desk.authority.for_staff(act, now)
    signed = _sign(desk, writer, role, certified, _style(draw_mark(place), place), None, now, lists)
    return _stamp(desk, signed)


def _sign(
    desk: ContractDesk,
    writer: IncrementalPdfFileWriter,
    role: SignerRole,
    certified: Certified,
    style: StaticStampStyle,
    mdp: SigMDPSetup | None,
    now: datetime,
    clock_lists: tuple[x509.CertificateRevocationList, ...] = (),
) -> bytes:
    chain = (desk.authority.root,)
    lists = (desk.authority.revocation_list(now), *clock_lists)
    _keep_proof(writer, (certified.certificate, *chain, *desk.clock_chain), lists)
    place = SignatureObject(timestamp=now, subfilter=SigSeedSubFilter.PADES, bytes_reserved=SIGNATURE_DIGITS)
    setup = SigObjSetup(place, mdp, SigAppearanceSetup(style, now, None))
    name = hash_name(certified.signer.public_key)

    def message(digest: bytes) -> bytes:
        return sign_message(
            digest,
            certified.signer,
            certified.certificate,
            chain,
            stamp_time=lambda signature: desk.clock.stamp(hashlib.sha256(signature).digest()),
        )

    return _embed(writer, role.value, setup, name, message, existing=True)


def _stamp(desk: ContractDesk, pdf: bytes) -> bytes:
    writer = _Appended(io.BytesIO(pdf))
    place = DocumentTimestamp(bytes_reserved=STAMP_DIGITS)  # type: ignore[no-untyped-call]  # pyHanko's
    setup = SigObjSetup(place)
    name = f"time-stamp-{hashlib.sha256(pdf).hexdigest()[:8]}"
    return _embed(writer, name, setup, "sha256", desk.clock.stamp, existing=False)


def _embed(
    writer: IncrementalPdfFileWriter,
    field_name: str,
    setup: SigObjSetup,
    md_algorithm: str,
    message: Callable[[bytes], bytes],
    *,
    existing: bool,
) -> bytes:
    """One more revision with a signature in it. pyHanko hands out the hash and takes the CMS as bytes."""
    steps = PdfCMSEmbedder(SigFieldSpec(field_name)).write_cms(field_name, writer, existing_fields_only=existing)
    next(steps)
    steps.send(setup)
    prepared, written = steps.send(SigIOSetup(md_algorithm))
    steps.send(message(prepared.document_digest))
    pdf: bytes = written.getvalue()
    return pdf


def _field(role: SignerRole) -> SigFieldSpec:
    place = place_of(role)
    box = (place.left, place.bottom, place.right, place.top)
    return SigFieldSpec(role.value, on_page=-1, box=box, readable_field_name=READABLE[role])


def _style(drawn: bytes, place: Place) -> StaticStampStyle:
    background = RawContent(drawn, box=BoxConstraints(place.width, place.height))
    return StaticStampStyle(border_width=0, background=background, background_opacity=1.0)


def _keep_proof(
    writer: IncrementalPdfFileWriter,
    certificates: Sequence[x509.Certificate],
    lists: Sequence[x509.CertificateRevocationList],
) -> None:
    """The document security store (EN 319 142-1 §5.4): what is needed to check the signature when we are gone."""
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        sig_contents=None,
        certs=[asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in certificates],
        crls=[asn1_crl.CertificateList.load(one.public_bytes(Encoding.DER)) for one in lists],
    )
