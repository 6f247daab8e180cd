"""Opening age v1 files with `cryptography` alone, so that a record can be opened decades later without our tools.

What records use: X25519 recipients, which Debian's age opens, and hybrid post-quantum ones (mlkem768x25519), which
age 1.3 and later opens. Armor and passphrases are not read. Every official test vector of this profile is passed
(`tests/counter_server/records/test_age_vectors.py`). Format: C2SP age v1, https://c2sp.org/age. What writes is
`webrtc/agewriter.py`, because the media worker seals first and a library knows no application.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from counter_server.records import bech32
from counter_server.records.errors import NoKeyError, RecordFormatError, WithheldError, WrongKeyError

VERSION_LINE = b"age-encryption.org/v1\n"
X25519_LABEL = b"age-encryption.org/v1/X25519"
HYBRID_LABEL = b"age-encryption.org/mlkem768x25519"
FILE_KEY = 16
CHUNK = 64 * 1024  # age v1, "Payload"
TAG = 16
LARGEST_HEADER = 64 * 1024  # ours have one stanza, of 100 bytes or 1.6 KB
MLKEM_CIPHERTEXT, X25519_SHARE = 1088, 32  # FIPS 203 table 3; the hybrid's "enc" is both, one after the other
# any stanza, of which ours are tried: writers may add others ("grease") that readers must pass over
STANZA = re.compile(rb"-> ([!-~]+(?: [!-~]+)*)\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)")
MAC_LINE = re.compile(rb"--- ([A-Za-z0-9+/]{43})\n")

IDENTITY_PREFIX, RECIPIENT_PREFIX = "age-secret-key-", "age"
HYBRID_IDENTITY_PREFIX, HYBRID_RECIPIENT_PREFIX = "age-secret-key-pq-", "age1pq"
SEED = 32


@dataclass(frozen=True, slots=True)
class Stanza:
    """One wrapped file key in a header: for whom, and the wrapped bytes."""

    kind: bytes
    words: tuple[bytes, ...]
    body: bytes

    def share(self, length: int) -> bytes:
        """The one argument of our stanzas, decoded; `RecordFormatError` for another form."""
        if len(self.words) != 1 or len(self.body) != FILE_KEY + TAG:
            raise RecordFormatError(f"age {self.kind.decode()} stanza of another form")
        share = _base64(self.words[0])
        if len(share) != length:
            raise RecordFormatError(f"age {self.kind.decode()} share of another length")
        return share


@dataclass(frozen=True, slots=True, repr=False)
class AgeIdentity:
    """A private key that opens age files; never shown by repr. `mlkem` makes it a hybrid one."""

    key: X25519PrivateKey
    mlkem: MLKEM768PrivateKey | None = None
    seed: bytes = b""

    @classmethod
    def parse(cls, spelling: str) -> "AgeIdentity":
        """From "AGE-SECRET-KEY-1…" or "AGE-SECRET-KEY-PQ-1…"; `WrongKeyError` when it is none."""
        prefix, raw = bech32.decode(spelling)
        if prefix not in (IDENTITY_PREFIX, HYBRID_IDENTITY_PREFIX) or len(raw) != SEED:
            raise WrongKeyError("not an age identity")
        return cls.of(raw, post_quantum=prefix == HYBRID_IDENTITY_PREFIX)

    @classmethod
    def of(cls, secret: bytes, *, post_quantum: bool = False) -> "AgeIdentity":
        """From 32 random bytes."""
        if not post_quantum:
            return cls(X25519PrivateKey.from_private_bytes(secret))
        # draft-irtf-cfrg-concrete-hybrid-kems, MLKEM768-X25519: both keys from one seed
        expanded = hashlib.shake_256(secret).digest(96)
        classical = X25519PrivateKey.from_private_bytes(expanded[64:])
        return cls(classical, MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), secret)

    def spelling(self) -> str:
        """The secret "AGE-SECRET-KEY-…"."""
        if self.mlkem is not None:
            return bech32.encode(HYBRID_IDENTITY_PREFIX, self.seed).upper()
        return bech32.encode(IDENTITY_PREFIX, self.key.private_bytes_raw()).upper()

    def recipient(self) -> str:
        """The public "age1…" that others encrypt to."""
        classical = self.key.public_key().public_bytes_raw()
        if self.mlkem is not None:
            return bech32.encode(HYBRID_RECIPIENT_PREFIX, self.mlkem.public_key().public_bytes_raw() + classical)
        return bech32.encode(RECIPIENT_PREFIX, classical)

    def open(self, sealed: bytes) -> bytes:
        """The content of an age file; `WrongKeyError` when the key is another's or a bit is wrong."""
        key, payload_at = self.payload_key(sealed)
        return _open_payload(key, memoryview(sealed)[payload_at:])

    def payload_key(self, sealed: bytes) -> tuple[bytes, int]:
        """The key of a file's chunks and the byte at which the first begins, from the file's beginning."""
        return payload_key(sealed, (self,))

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, if the stanza is for this identity; `RecordFormatError` when it is malformed."""
        if self.mlkem is not None:
            return self._unwrap_hybrid(stanza) if stanza.kind == b"mlkem768x25519" else None
        return self._unwrap_x25519(stanza) if stanza.kind == b"X25519" else None

    def _unwrap_x25519(self, stanza: Stanza) -> bytes | None:
        """Zero nonce: the wrap key is used once (age v1, "X25519")."""
        share = stanza.share(X25519_SHARE)
        shared = _exchange(self.key, share)
        salt = share + self.key.public_key().public_bytes_raw()
        try:
            return ChaCha20Poly1305(_derive(shared, salt, X25519_LABEL)).decrypt(bytes(12), stanza.body, None)
        except InvalidTag:
            return None

    def _unwrap_hybrid(self, stanza: Stanza) -> bytes | None:
        """HPKE in base mode (age v1, "mlkem768x25519")."""
        share = stanza.share(MLKEM_CIPHERTEXT + X25519_SHARE)
        _exchange(self.key, share[MLKEM_CIPHERTEXT:])  # HPKE would not tell a low-order point from another's stanza
        assert self.mlkem is not None  # noqa: S101 - `unwrap` has looked
        private = hpke.MLKEM768X25519PrivateKey(self.mlkem, self.key)
        suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
        try:
            return suite.decrypt(share + stanza.body, private, info=HYBRID_LABEL)
        except InvalidTag:
            return None


@dataclass(frozen=True, slots=True, repr=False)
class AgeKeyring:
    """The keys of one record, of which each opens some of its objects.

    Attributes:
        partial: Whether some may be missing, erased or not handed over; what they would open is then `withheld`.
    """

    identities: tuple[AgeIdentity, ...]
    partial: bool = False

    @classmethod
    def parse(cls, text: str, whole: int) -> "AgeKeyring":
        """From an age identity file: a key a line, lines with # and empty ones aside; `whole` is how many all are."""
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if not lines:
            raise WrongKeyError("a key file without a key")
        return cls(tuple(AgeIdentity.parse(line) for line in lines), partial=len(lines) < whole)

    def open(self, sealed: bytes) -> bytes:
        """The content of an age file; `WithheldError` when it is for a key that is not among these."""
        try:
            key, payload_at = payload_key(sealed, self.identities)
        except NoKeyError as error:
            if self.partial:
                raise WithheldError("its key is not at hand") from error
            raise
        return _open_payload(key, memoryview(sealed)[payload_at:])


def payload_key(sealed: bytes, identities: Iterable[AgeIdentity]) -> tuple[bytes, int]:
    """As `AgeIdentity.payload_key`, for whoever holds several keys."""
    file_key, nonce_at = _file_key(sealed, tuple(identities))
    nonce = sealed[nonce_at : nonce_at + FILE_KEY]
    if len(nonce) != FILE_KEY:
        raise RecordFormatError("age file ends in its nonce")
    return _derive(file_key, nonce, b"payload"), nonce_at + FILE_KEY


def _file_key(sealed: bytes, identities: tuple[AgeIdentity, ...]) -> tuple[bytes, int]:
    if not sealed.startswith(VERSION_LINE):
        raise RecordFormatError("not an age v1 file")
    header, at = sealed[:LARGEST_HEADER], len(VERSION_LINE)
    stanzas = []
    while stanza := STANZA.match(header, at):
        at = stanza.end()
        kind, *words = stanza[1].split(b" ")
        stanzas.append(Stanza(kind, tuple(words), _base64(stanza[2].replace(b"\n", b""))))
    mac_line = MAC_LINE.match(header, at)
    if mac_line is None or not stanzas:
        raise RecordFormatError("age header of another form")
    mac_stated = _base64(mac_line[1])
    if len(stanzas) > 1 and any(each.kind == b"scrypt" for each in stanzas):
        raise RecordFormatError("age passphrase beside other recipients")  # whoever knows it could forge the rest
    found = [each.unwrap(stanza) for stanza in stanzas for each in identities]
    file_key = next((key for key in found if key is not None), None)
    if file_key is None:
        raise NoKeyError("the file is not encrypted to this key")
    mac = hmac.digest(_derive(file_key, b"", b"header"), header[: at + 3], "sha256")
    if not hmac.compare_digest(mac, mac_stated):
        raise WrongKeyError("age header was changed")
    return file_key, mac_line.end()


def _exchange(key: X25519PrivateKey, share: bytes) -> bytes:
    try:
        return key.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError as error:
        raise RecordFormatError("age share is a point of low order") from error


def _open_payload(key: bytes, payload: memoryview) -> bytes:
    """STREAM of Rogaway et al.: chunk counter and last-chunk flag in the nonce, so a cut file is refused."""
    cipher, plain, count = ChaCha20Poly1305(key), bytearray(), -(-len(payload) // (CHUNK + TAG))
    if count == 0:
        raise RecordFormatError("age file without payload")
    for index in range(count):
        last = index == count - 1
        chunk = payload[index * (CHUNK + TAG) : (index + 1) * (CHUNK + TAG)]
        try:
            piece = cipher.decrypt(index.to_bytes(11, "big") + (b"\x01" if last else b"\x00"), chunk, None)
        except InvalidTag as error:
            raise WrongKeyError(f"age chunk {index} does not hold") from error
        if last and index and not piece:
            raise RecordFormatError("age file ends in an empty chunk")
        plain += piece
    return bytes(plain)


def _derive(secret: bytes, salt: bytes, label: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt, label).derive(secret)


def _base64(spelling: bytes) -> bytes:
    try:
        raw = base64.b64decode(spelling + b"=" * (-len(spelling) % 4), validate=True)
    except binascii.Error as error:
        raise RecordFormatError("age header is not base64") from error
    if base64.b64encode(raw).rstrip(b"=") != spelling:
        raise RecordFormatError("age header base64 is not canonical")
    return raw
