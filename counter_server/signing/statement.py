"""Signing a statement: the server's word, at that very moment, that this person signed this document.

Thin: passkeys, PAdES and time stamps come with another issue and replace the server's word by the person's own key.
"""

import hashlib
from datetime import datetime
from enum import StrEnum

from counter_server.records.authority import SealingIdentity
from counter_server.records.journal import instant
from counter_server.records.statement import STATEMENT_FORMAT, SignedStatement, Statement


class SignerRole(StrEnum):
    """In what role somebody signs."""

    CUSTOMER = "customer"
    CLERK = "clerk"
    APPROVER = "approver"


def sign_statement(
    sealing: SealingIdentity,
    *,
    record_id: str,
    visit_id: str,
    role: SignerRole,
    actor: str,
    document_sha256: str,
    strokes_sha256: str | None,
    at: datetime,
) -> SignedStatement:
    """One act, signed. `actor` is "holder" for the customer, else the clerk's identifier; never a name."""
    said = Statement(
        STATEMENT_FORMAT, record_id, visit_id, role.value, actor, document_sha256, strokes_sha256, instant(at)
    )
    certificate_sha256 = hashlib.sha256(sealing.certificate_pem()).hexdigest()
    return SignedStatement(said, sealing.sign(said.signed_bytes()).hex(), certificate_sha256)
