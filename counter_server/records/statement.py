"""Who signed what: one person's act on one document, signed by the server at that very moment.

Thin by intent: passkeys, PAdES and time stamps join with another issue. What it already proves: the manifest's
signature comes at the end, this one comes when the finger left the pad, over the hash of the pages that were shown.
"""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from counter_server.records.canonical import canonical_bytes, read_canonical
from counter_server.records.errors import RecordFormatError
from counter_server.records.plain import from_plain, to_plain

STATEMENT_FORMAT = "visual-counter-statement/1"


@dataclass(frozen=True, slots=True)
class Statement:
    """One act: this actor, in this role, signed (or approved) the document with this hash."""

    format: str
    record_id: str
    visit_id: str
    role: str  # customer | clerk | approver
    actor: str  # "holder" or a clerk id
    document_sha256: str
    strokes_sha256: str | None
    at: str

    def signed_bytes(self) -> bytes:
        """What the signature covers; `format` keeps it apart from a manifest."""
        return canonical_bytes(to_plain(self))


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement with the server's signature (ECDSA, DER, hex) and which certificate made it."""

    statement: Statement
    signature: str
    certificate_sha256: str

    def to_bytes(self) -> bytes:
        """As an object of the record."""
        return canonical_bytes(to_plain(self))

    @classmethod
    def read(cls, stored: bytes) -> "SignedStatement":
        """From an object of the record; `RecordFormatError` when it is none. The signature is not judged here."""
        signed = from_plain(cls, read_canonical(stored))
        if signed.statement.format != STATEMENT_FORMAT:
            raise RecordFormatError("a statement format this checker does not know")
        return signed

    def is_signed_by(self, certificate_pem: bytes, key: ec.EllipticCurvePublicKey) -> bool:
        """Whether the certificate's key signed exactly this statement."""
        if hashlib.sha256(certificate_pem).hexdigest() != self.certificate_sha256:
            return False
        try:
            signature = bytes.fromhex(self.signature)
            key.verify(signature, self.statement.signed_bytes(), ec.ECDSA(hashes.SHA384()))
        except (ValueError, InvalidSignature):
            return False
        return True
