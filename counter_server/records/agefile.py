"""Opening age v1 files with `cryptography` alone, so that a record can be opened decades later without our tools.

Only what records use: X25519 recipients. Writing is pyrage's; every file written here is also opened by the age
command line tool (`tests/counter_server/records/test_agefile.py`). Format: C2SP age v1, https://c2sp.org/age.
"""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from counter_server.records.errors import RecordFormatError, WrongKeyError

VERSION_LINE = b"age-encryption.org/v1\n"
X25519_LABEL = b"age-encryption.org/v1/X25519"
CHUNK = 64 * 1024  # age v1, "Payload"
TAG = 16
LARGEST_HEADER = 64 * 1024  # ours have one stanza of 100 bytes
# any stanza, of which X25519 ones are tried: writers may add others ("grease") that readers must pass over
STANZA = re.compile(rb"-> ([!-~]+(?: [!-~]+)*)\n((?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{0,63}\n)")
MAC_LINE = re.compile(rb"--- ([A-Za-z0-9+/]{43})\n")

BECH32_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # BIP 173
BECH32_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
IDENTITY_PREFIX = "age-secret-key-"
RECIPIENT_PREFIX = "age"


@dataclass(frozen=True, slots=True, repr=False)
class AgeIdentity:
    """A private key that opens age files; never shown by repr."""

    key: X25519PrivateKey

    @classmethod
    def parse(cls, spelling: str) -> "AgeIdentity":
        """From "AGE-SECRET-KEY-1…"; `WrongKeyError` when it is none."""
        prefix, raw = _bech32_decode(spelling)
        if prefix != IDENTITY_PREFIX or len(raw) != 32:
            raise WrongKeyError("not an age X25519 identity")
        return cls(X25519PrivateKey.from_private_bytes(raw))

    def spelling(self) -> str:
        """The secret "AGE-SECRET-KEY-1…"."""
        return _bech32_encode(IDENTITY_PREFIX, self.key.private_bytes_raw()).upper()

    def recipient(self) -> str:
        """The public "age1…" that others encrypt to."""
        return _bech32_encode(RECIPIENT_PREFIX, self.key.public_key().public_bytes_raw())

    def open(self, sealed: bytes) -> bytes:
        """The content of an age file; `WrongKeyError` when the key is another's or a bit is wrong."""
        key, payload_at = self.payload_key(sealed)
        return _open_payload(key, sealed[payload_at:])

    def payload_key(self, sealed: bytes) -> tuple[bytes, int]:
        """The key of a file's chunks and the byte at which the first begins, from the file's beginning."""
        file_key, nonce_at = self._file_key(sealed)
        nonce = sealed[nonce_at : nonce_at + 16]
        if len(nonce) != 16:
            raise RecordFormatError("age file ends in its nonce")
        return _derive(file_key, nonce, b"payload"), nonce_at + 16

    def _file_key(self, sealed: bytes) -> tuple[bytes, int]:
        if not sealed.startswith(VERSION_LINE):
            raise RecordFormatError("not an age v1 file")
        header, at, file_key = sealed[:LARGEST_HEADER], len(VERSION_LINE), None
        while stanza := STANZA.match(header, at):
            at = stanza.end()
            words = stanza[1].split(b" ")
            if words[0] == b"X25519" and file_key is None:
                file_key = self._unwrap(words[1:], _base64(stanza[2].replace(b"\n", b"")))
        mac_line = MAC_LINE.match(header, at)
        if mac_line is None:
            raise RecordFormatError("age header of another form")
        if file_key is None:
            raise WrongKeyError("the file is not encrypted to this key")
        mac = hmac.digest(_derive(file_key, b"", b"header"), header[: at + 3], "sha256")
        if not hmac.compare_digest(mac, _base64(mac_line[1])):
            raise WrongKeyError("age header was changed")
        return file_key, mac_line.end()

    def _unwrap(self, words: list[bytes], body: bytes) -> bytes | None:
        """The file key if the stanza is ours. Zero nonce: the wrap key is used once (age v1, "X25519")."""
        if len(words) != 1 or len(body) != 32:
            raise RecordFormatError("age X25519 stanza of another form")
        share = _base64(words[0])
        try:
            shared = self.key.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError as error:
            raise RecordFormatError("age share is a point of low order") from error
        salt = share + self.key.public_key().public_bytes_raw()
        try:
            return ChaCha20Poly1305(_derive(shared, salt, X25519_LABEL)).decrypt(bytes(12), body, None)
        except InvalidTag:
            return None


def _open_payload(key: bytes, payload: bytes) -> bytes:
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


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(BECH32_GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    return check


def _expand(prefix: str) -> list[int]:
    return [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]


def _bech32_encode(prefix: str, raw: bytes) -> str:
    bits = int.from_bytes(raw, "big") << (-len(raw) * 8 % 5)
    count = -(-len(raw) * 8 // 5)
    values = [bits >> 5 * (count - 1 - index) & 31 for index in range(count)]
    check = _polymod([*_expand(prefix), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [check >> 5 * (5 - index) & 31 for index in range(6)]
    return prefix + "1" + "".join(BECH32_LETTERS[value] for value in values)


def _bech32_decode(spelling: str) -> tuple[str, bytes]:
    if spelling != spelling.lower() and spelling != spelling.upper():
        raise WrongKeyError("mixed case in a key")
    prefix, _, letters = spelling.lower().rpartition("1")
    if not prefix or len(letters) < 6 or any(letter not in BECH32_LETTERS for letter in letters):
        raise WrongKeyError("not a bech32 key")
    values = [BECH32_LETTERS.index(letter) for letter in letters]
    if _polymod(_expand(prefix) + values) != 1:
        raise WrongKeyError("a letter of the key is wrong")
    bits = 0
    for value in values[:-6]:
        bits = bits << 5 | value
    spare = (len(values) - 6) * 5 % 8
    if bits & ((1 << spare) - 1):
        raise WrongKeyError("key has stray bits")
    return prefix, (bits >> spare).to_bytes((len(values) - 6) * 5 // 8, "big")
