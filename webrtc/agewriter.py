"""Sealing into age v1 (C2SP, https://c2sp.org/age): ChaCha20-Poly1305 in chunks of 64 KiB, for one recipient.

Written on `cryptography`, whose `encrypt_into` runs without Python's lock and without a copy: several times quicker
than pyrage, which only tests use now, as one of three other implementations that open what is written here.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from webrtc.errors import RecordingFailedError

VERSION_LINE = b"age-encryption.org/v1\n"
X25519_LABEL = b"age-encryption.org/v1/X25519"
HYBRID_LABEL = b"age-encryption.org/mlkem768x25519"
CHUNK, TAG, FILE_KEY, NONCE = 64 * 1024, 16, 16, 16  # age v1, "Payload"
LINE = 64  # letters of base64 per line of a stanza's body
MLKEM_PUBLIC, MLKEM_CIPHERTEXT, X25519_PUBLIC = 1184, 1088, 32  # FIPS 203 table 3, RFC 7748

# BIP 173. The counter's reader has the same twenty lines: its record checker must run without this library.
LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


@dataclass(frozen=True, slots=True)
class AgeRecipient:
    """Whom to seal for: an X25519 key ("age1…"), or one with ML-KEM-768 beside it ("age1pq1…")."""

    key: X25519PublicKey
    mlkem: MLKEM768PublicKey | None = None

    @classmethod
    def parse(cls, spelling: str) -> "AgeRecipient":
        """Read the public key; `RecordingFailedError` when it is none."""
        prefix, raw = _bech32_decode(spelling)
        if prefix == "age" and len(raw) == X25519_PUBLIC:
            return cls(X25519PublicKey.from_public_bytes(raw))
        if prefix == "age1pq" and len(raw) == MLKEM_PUBLIC + X25519_PUBLIC:
            try:
                mlkem = MLKEM768PublicKey.from_public_bytes(raw[:MLKEM_PUBLIC])
            except ValueError as error:
                raise RecordingFailedError("the recipient is no ML-KEM-768 key") from error
            return cls(X25519PublicKey.from_public_bytes(raw[MLKEM_PUBLIC:]), mlkem)
        raise RecordingFailedError("the recipient is no age public key")

    def _stanza(self, file_key: bytes) -> bytes:
        if self.mlkem is not None:
            suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
            public = hpke.MLKEM768X25519PublicKey(self.mlkem, self.key)
            wrapped = suite.encrypt(file_key, public, info=HYBRID_LABEL)
            share_end = MLKEM_CIPHERTEXT + X25519_PUBLIC
            return b"-> mlkem768x25519 " + _base64(wrapped[:share_end]) + b"\n" + _body(wrapped[share_end:])
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        wrap_key = _derive(ephemeral.exchange(self.key), share + self.key.public_bytes_raw(), X25519_LABEL)
        # zero nonce: the wrap key is used once (age v1, "X25519")
        return (
            b"-> X25519 " + _base64(share) + b"\n" + _body(ChaCha20Poly1305(wrap_key).encrypt(bytes(12), file_key, b""))
        )

    def header(self, file_key: bytes) -> bytes:
        """The header that gives the recipient this file key."""
        header = VERSION_LINE + self._stanza(file_key) + b"---"
        return header + b" " + _base64(hmac.digest(_derive(file_key, b"", b"header"), header, "sha256")) + b"\n"


@dataclass(frozen=True, slots=True, repr=False)
class SealingFile:
    """One age file about to be written: its key is drawn, its size is known."""

    header: bytes
    cipher: ChaCha20Poly1305
    clear: memoryview

    @classmethod
    def begin(cls, clear: bytes | bytearray | memoryview, recipient: AgeRecipient) -> "SealingFile":
        """Draw the file's key and nonce."""
        file_key, nonce = secrets.token_bytes(FILE_KEY), secrets.token_bytes(NONCE)
        return cls(
            recipient.header(file_key) + nonce,
            ChaCha20Poly1305(_derive(file_key, nonce, b"payload")),
            memoryview(clear),
        )

    @property
    def chunks(self) -> int:
        """Empty content has one chunk, too."""
        return max(1, -(-len(self.clear) // CHUNK))

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return len(self.header) + len(self.clear) + self.chunks * TAG

    def write_into(self, target: memoryview) -> None:
        """Fill the first `size` bytes of a buffer."""
        at = len(self.header)
        target[:at] = self.header
        for index in range(self.chunks):
            chunk = self.clear[index * CHUNK : (index + 1) * CHUNK]
            final = b"\x01" if index == self.chunks - 1 else b"\x00"
            end = at + len(chunk) + TAG
            self.cipher.encrypt_into(index.to_bytes(11, "big") + final, chunk, None, target[at:end])
            at = end


def seal(clear: bytes | bytearray | memoryview, recipient: AgeRecipient) -> bytes:
    """A whole age file in memory."""
    file = SealingFile.begin(clear, recipient)
    sealed = bytearray(file.size)
    file.write_into(memoryview(sealed))
    return bytes(sealed)


def _derive(secret: bytes, salt: bytes, label: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt, label).derive(secret)


def _base64(raw: bytes) -> bytes:
    return base64.b64encode(raw).rstrip(b"=")


def _body(raw: bytes) -> bytes:
    """Lines of 64 letters; the last is shorter, if need be empty, which is how a reader knows it."""
    letters = _base64(raw)
    return b"".join(letters[at : at + LINE] + b"\n" for at in range(0, len(letters) + 1, LINE))


def _bech32_decode(spelling: str) -> tuple[str, bytes]:
    prefix, _, letters = spelling.lower().rpartition("1")
    mixed = spelling not in (spelling.lower(), spelling.upper())
    if mixed or not prefix or len(letters) < 6 or any(letter not in LETTERS for letter in letters):
        raise RecordingFailedError("the recipient is no age public key")
    values = [LETTERS.index(letter) for letter in letters]
    check, bits = 1, 0
    for value in [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix), *values]:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    for value in values[:-6]:
        bits = bits << 5 | value
    spare = (len(values) - 6) * 5 % 8
    if check != 1 or bits & ((1 << spare) - 1):
        raise RecordingFailedError("a letter of the recipient is wrong")
    return prefix, (bits >> spare).to_bytes((len(values) - 6) * 5 // 8, "big")
