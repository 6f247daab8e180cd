"""What a passkey signed when somebody of the staff acted: checkable later with the standard library and `cryptography`.

The challenge is SHA-256(nonce || action), where the action names record, role, actor and the document's hash: whoever
holds the authenticator was there, was verified by it (PIN or body), and approved this act and no other. A customer's
own passkey is kept in the same form: the action is to be recognised in this record's visit, and there is no document.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from counter_server.records.canonical import canonical_bytes, read_canonical
from counter_server.records.errors import RecordFormatError
from counter_server.records.plain import from_plain, to_plain

PASSKEY_FORMAT = "visual-counter-passkey/1"
PASSKEY_POLICY = "staff-passkey-1"  # in a manifest's policies: no act of the staff without one
POSSESSOR = "customer"  # whose passkey proves what they hold; it signs nothing
NONCE_BYTES = 32
USER_PRESENT, USER_VERIFIED = 0x01, 0x04  # WebAuthn Level 3 §6.1, flags
RP_HASH_BYTES, SHORTEST_DATA = 32, 37  # rpIdHash, flags, signCount


def passkey_object(role: str) -> str:
    """Under which name the record keeps it."""
    return f"passkeys/{role}.json"


@dataclass(frozen=True, slots=True)
class Action:
    """What is approved."""

    action: str  # countersign | approve | decline | recognise
    record_id: str
    role: str
    actor: str
    document_sha256: str

    def challenge(self, nonce: bytes) -> bytes:
        """What the authenticator is asked to sign."""
        digest = hashlib.sha256(canonical_bytes({"format": PASSKEY_FORMAT, "action": to_plain(self)})).digest()
        return hashlib.sha256(nonce + digest).digest()


def recognition(record_id: str) -> Action:
    """What a customer's phone signs to be recognised in this record's visit."""
    return Action("recognise", record_id, POSSESSOR, POSSESSOR, "")


@dataclass(frozen=True, slots=True)
class PasskeyAct:
    """One act with its assertion; bytes in hex."""

    format: str
    act: Action
    nonce: str
    rp_id: str
    origin: str
    credential_id: str
    public_key: str  # SubjectPublicKeyInfo, DER
    client_data: str
    authenticator_data: str
    signature: str

    def to_bytes(self) -> bytes:
        """As an object of the record."""
        return canonical_bytes(to_plain(self))

    @classmethod
    def read(cls, stored: bytes) -> "PasskeyAct":
        """From an object of the record; `RecordFormatError` when it is none. Nothing is judged here."""
        read = from_plain(cls, read_canonical(stored))
        if read.format != PASSKEY_FORMAT:
            raise RecordFormatError("a passkey format this checker does not know")
        return read

    def first_flaw(self) -> str | None:
        """Why this is no assertion of that key for that act; None when it is. WebAuthn Level 3 §7.2, steps 11 to 21."""
        try:
            nonce, client = bytes.fromhex(self.nonce), bytes.fromhex(self.client_data)
            about, signature = bytes.fromhex(self.authenticator_data), bytes.fromhex(self.signature)
            said = json.loads(client)
        except ValueError:
            return "it cannot be read"
        if len(nonce) != NONCE_BYTES or not isinstance(said, dict):
            return "it cannot be read"
        wanted = urlsafe_b64encode(self.act.challenge(nonce)).rstrip(b"=").decode()
        if said.get("type") != "webauthn.get" or said.get("challenge") != wanted:
            return "it was given for another act"
        if said.get("origin") != self.origin or said.get("crossOrigin") not in (None, False):
            return "it was given to another page"
        if len(about) < SHORTEST_DATA or about[:RP_HASH_BYTES] != hashlib.sha256(self.rp_id.encode()).digest():
            return "it was given to another counter"
        flags = about[RP_HASH_BYTES]
        if not flags & USER_PRESENT or not flags & USER_VERIFIED:
            return "nobody was verified by the authenticator"
        return (
            None if self._is_signed(about + hashlib.sha256(client).digest(), signature) else "the key did not sign it"
        )

    def _is_signed(self, signed: bytes, signature: bytes) -> bool:
        try:
            key = load_der_public_key(bytes.fromhex(self.public_key))
            if isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
            elif isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, signed)
            elif isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
            else:
                return False
        except (ValueError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return True
