"""Signed notes (C2SP signed-note v1) and the keys that sign them (C2SP tlog-cosignature for witnesses).

A note is text, an empty line, and one line per signature: `— name base64(key id || signature)`. Text under a
signature of somebody unknown is nothing; a wrong signature under a known name refuses the whole note.
"""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from counter_server.records.log.errors import LogFormatError, LogUnprovenError

DASH = "\u2014 "  # signed-note: each signature line begins with an em dash and a space
KEY_ID_BYTES = 4
SEED_BYTES = 32
TIME_BYTES = 8
LARGEST_NOTE = 128 * 1024  # 16 post-quantum signatures of 3.3 KiB in base64, twice
MOST_SIGNATURES = 32  # signed-note asks for at least 16
LATEST_TIME = 2**63 - 1  # tlog-cosignature


class Algorithm(IntEnum):
    """Signature types of C2SP signed-note that a log and its witnesses use."""

    ED25519 = 0x01  # a log's own
    COSIGNATURE_ED25519 = 0x04
    COSIGNATURE_MLDSA44 = 0x06


PUBLIC_BYTES = {
    Algorithm.ED25519: 32,
    Algorithm.COSIGNATURE_ED25519: 32,
    Algorithm.COSIGNATURE_MLDSA44: 1312,  # FIPS 204 table 2
}


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Somebody's public key under its name; spelt `name+key id+base64` (signed-note, "vkey")."""

    name: str
    algorithm: Algorithm
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys apart; no security hangs on them."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:KEY_ID_BYTES]

    def spelling(self) -> str:
        """The vkey."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(bytes([self.algorithm]) + self.public)}"

    @classmethod
    def parse(cls, spelling: str) -> "VerifierKey":
        """The key of a vkey; `LogFormatError` for any other text."""
        name, key_id, material = _three(spelling)
        key = cls(name, _algorithm(material), material[1:])
        if len(key.public) != PUBLIC_BYTES[key.algorithm] or key.key_id.hex() != key_id:
            raise LogFormatError("the key does not belong to its name and number")
        return key

    def check(self, text: str, signature: bytes) -> int | None:
        """When the note's text was cosigned (POSIX seconds; None for a log's own); `LogUnprovenError` if never."""
        at_s: int | None = None
        message, raw = text.encode(), signature
        if self.algorithm is not Algorithm.ED25519:
            if len(signature) < TIME_BYTES:
                raise LogUnprovenError(f"the cosignature of {self.name} is too short")
            (at_s,) = struct.unpack(">Q", signature[:TIME_BYTES])
            if at_s > LATEST_TIME:
                raise LogUnprovenError(f"the cosignature of {self.name} has no time")
            message, raw = _cosigned(self, text, at_s), signature[TIME_BYTES:]
        try:
            if self.algorithm is Algorithm.COSIGNATURE_MLDSA44:
                MLDSA44PublicKey.from_public_bytes(self.public).verify(raw, message)
            else:
                Ed25519PublicKey.from_public_bytes(self.public).verify(raw, message)
        except (InvalidSignature, ValueError) as error:
            raise LogUnprovenError(f"the signature of {self.name} does not hold") from error
        except UnsupportedAlgorithm as error:
            raise LogUnprovenError(f"the signature of {self.name} cannot be checked with this OpenSSL") from error
        return at_s


class LogKey(Protocol):
    """What signs a log's checkpoints: a key in a file, or one that never leaves a token."""

    @property
    def name(self) -> str:
        """The log's origin."""

    @property
    def verifier(self) -> VerifierKey:
        """What to hand to whoever checks."""

    def sign(self, text: str) -> str:
        """A signature line over a note's text; `StoreError` when a token refuses."""


@dataclass(frozen=True, slots=True, repr=False)
class SignerKey:
    """A private key under its name; spelt as Go's `note` package does (`PRIVATE+KEY+…`). Never shown, never logged."""

    name: str
    algorithm: Algorithm
    seed: bytes

    @property
    def verifier(self) -> VerifierKey:
        """What to hand to whoever checks."""
        key = self._ed25519() if self.algorithm is not Algorithm.COSIGNATURE_MLDSA44 else self._mldsa()
        return VerifierKey(self.name, self.algorithm, key.public_key().public_bytes_raw())

    def spelling(self) -> str:
        """For the key file."""
        secret = _base64(bytes([self.algorithm]) + self.seed)
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{secret}"

    @classmethod
    def parse(cls, spelling: str) -> "SignerKey":
        """The key of a key file; `LogFormatError` for anything else, without repeating it."""
        prefix = "PRIVATE+KEY+"
        if not spelling.startswith(prefix):
            raise LogFormatError("no private key of a note")
        name, key_id, material = _three(spelling.removeprefix(prefix))
        key = cls(name, _algorithm(material), material[1:])
        if len(key.seed) != SEED_BYTES or key.verifier.key_id.hex() != key_id:
            raise LogFormatError("the private key does not belong to its name and number")
        return key

    def sign(self, text: str, at_s: int | None = None) -> str:
        """A signature line over a note's text. A witness says when; a log does not."""
        key_id = self.verifier.key_id
        if self.algorithm is Algorithm.ED25519:
            return _line(self.name, key_id, self._ed25519().sign(text.encode()))
        if at_s is None:
            raise ValueError("a cosignature says when")
        message = _cosigned(self, text, at_s)
        by_lattice = self.algorithm is Algorithm.COSIGNATURE_MLDSA44
        raw = self._mldsa().sign(message) if by_lattice else self._ed25519().sign(message)
        return _line(self.name, key_id, struct.pack(">Q", at_s) + raw)

    def _ed25519(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def _mldsa(self) -> MLDSA44PrivateKey:
        return MLDSA44PrivateKey.from_seed_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, not yet checked."""

    name: str
    key_id: bytes
    raw: bytes

    def line(self) -> str:
        """As it stands in a note."""
        return _line(self.name, self.key_id, self.raw)


@dataclass(frozen=True, slots=True)
class Note:
    """Text and what stands under it. Believe nothing of it before `signed_by`."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, stored: bytes) -> "Note":
        """Take a note apart; `LogFormatError` when it is none."""
        if len(stored) > LARGEST_NOTE:
            raise LogFormatError("the note is too large")
        try:
            whole = stored.decode("utf-8", errors="strict")
        except UnicodeDecodeError as error:
            raise LogFormatError("the note is not UTF-8") from error
        if any(character < " " and character != "\n" for character in whole):
            raise LogFormatError("control characters in a note")
        text, gap, block = whole.rpartition("\n\n")
        if not gap or not text or not block.endswith("\n"):
            raise LogFormatError("not a signed note")
        return cls(text + "\n", read_signatures(block))

    def spelling(self) -> str:
        """The whole note."""
        return self.text + "\n" + "".join(signature.line() for signature in self.signatures)

    def signed_by(self, key: VerifierKey) -> tuple[int | None] | None:
        """None when this key did not sign; else the time it states, in a tuple of one.

        Raises:
            LogUnprovenError: a signature under the key's name and number does not hold.
        """
        theirs = [each for each in self.signatures if each.name == key.name and each.key_id == key.key_id]
        if not theirs:
            return None
        times = [key.check(self.text, each.raw) for each in theirs]
        return (times[0],)


def read_signatures(block: str) -> tuple[Signature, ...]:
    """The signature lines of a note, or of a witness's answer; `LogFormatError` for anything between them."""
    lines = block.removesuffix("\n").split("\n")
    if not block.endswith("\n") or len(lines) > MOST_SIGNATURES:
        raise LogFormatError("not a block of signatures")
    return tuple(_read_line(line) for line in lines)


def is_key_name(name: str) -> bool:
    """Whether signed-note allows this as a key's name."""
    return bool(name) and "+" not in name and not any(each.isspace() or each < " " for each in name)


def read_base64(spelling: str) -> bytes:
    """The bytes of a spelling that is exactly what `base64` writes; `LogFormatError` otherwise."""
    try:
        plain = base64.b64decode(spelling, validate=True)
    except ValueError as error:
        raise LogFormatError("not base64") from error
    if _base64(plain) != spelling:  # unused low bits set: a second spelling of the same bytes
        raise LogFormatError("base64 in another spelling")
    return plain


def _read_line(line: str) -> Signature:
    name, gap, spelling = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH) or not gap or not is_key_name(name):
        raise LogFormatError("not a signature line")
    raw = read_base64(spelling)
    if len(raw) <= KEY_ID_BYTES:
        raise LogFormatError("a signature without content")
    return Signature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def _line(name: str, key_id: bytes, raw: bytes) -> str:
    return f"{DASH}{name} {_base64(key_id + raw)}\n"


def _cosigned(key: VerifierKey | SignerKey, text: str, at_s: int) -> bytes:
    """What a witness signs. ML-DSA signs the tree, not the text, and names the witness."""
    if key.algorithm is Algorithm.COSIGNATURE_ED25519:
        return f"cosignature/v1\ntime {at_s}\n{text}".encode()
    origin, size, root = _three_lines(text)
    return b"".join(
        (
            b"subtree/v1\n\0",
            _short(key.name),
            struct.pack(">Q", at_s),
            _short(origin),
            struct.pack(">QQ", 0, size),
            root,
        )
    )


def _three_lines(text: str) -> tuple[str, int, bytes]:
    lines: Sequence[str] = text.split("\n")
    if len(lines) < 4 or not lines[1].isascii() or not lines[1].isdigit() or int(lines[1]) > LATEST_TIME:
        raise LogUnprovenError("only a checkpoint can be cosigned")
    return lines[0], int(lines[1]), read_base64(lines[2])


def _short(word: str) -> bytes:
    spelt = word.encode()
    if not 0 < len(spelt) < 256:
        raise LogFormatError("a name of this length cannot be cosigned")
    return bytes([len(spelt)]) + spelt


def _three(spelling: str) -> tuple[str, str, bytes]:
    parts = spelling.split("+", 2)
    if len(parts) != 3 or not is_key_name(parts[0]):
        raise LogFormatError("not a key of a note")
    return parts[0], parts[1], read_base64(parts[2])


def _algorithm(material: bytes) -> Algorithm:
    try:
        return Algorithm(material[0])
    except (ValueError, IndexError) as error:
        raise LogFormatError("a key of a kind that is not known here") from error


def _base64(plain: bytes) -> str:
    return base64.b64encode(plain).decode()
