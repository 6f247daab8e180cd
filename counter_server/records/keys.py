"""Keys of the safe: one master key, one key per record under it, one server identity that signs.

A record's own key lies in one place only, the slot table, wrapped by the master key. The record on disk never holds
it, so that deleting the slot erases the content and leaves the proof. Hardware modules come behind `MasterKey` and
`SealingIdentity` with another issue; both are handed in, nobody reaches for a file.
"""

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from counter_server.records.agefile import AgeIdentity
from counter_server.records.codes import Randomness, draw_record_id
from counter_server.records.durable import make_folder, write_once
from counter_server.records.errors import KeyFileError, WrongKeyError

MASTER_HEADER = "visual-counter-master-key/1"
MASTER_BYTES = 32  # AES-256
NONCE_BYTES = 12  # NIST SP 800-38D §5.2.1.1


@dataclass(frozen=True, slots=True, repr=False)
class RecordKeys:
    """A record's number and its own key pair; `recipient` is public and all that the media worker needs."""

    record_id: str
    recipient: str
    identity: str


def new_record_keys(now: datetime, rng: Randomness = secrets.token_bytes) -> RecordKeys:
    """Number and keys for a visit that is about to be recorded. Store the wrapped identity before using them."""
    identity = AgeIdentity.of(rng(32))
    return RecordKeys(draw_record_id(rng, now), identity.recipient(), identity.spelling())


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A record's identity under the master key: the content of its slot."""

    key_id: str
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    """The key that wraps every record's key. Never shown, never logged; `key_id` is its public name."""

    secret: bytes
    key_id: str

    @classmethod
    def of(cls, secret: bytes) -> "MasterKey":
        """From 32 random bytes."""
        if len(secret) != MASTER_BYTES:
            raise KeyFileError("master key has the wrong length")
        return cls(secret, hashlib.sha256(MASTER_HEADER.encode() + b"\0" + secret).hexdigest()[:16])

    @classmethod
    def load(cls, path: Path) -> "MasterKey":
        """Read a key file; `KeyFileError` when it is missing, damaged, or readable by others."""
        lines = read_private(path).decode("ascii", errors="replace").split("\n")
        try:
            header, key_id, secret, end = lines
            key = cls.of(base64.b64decode(secret, validate=True))
        except ValueError as error:
            raise KeyFileError(f"{path.name} is no master key file") from error
        if header != MASTER_HEADER or end or key.key_id != key_id:
            raise KeyFileError(f"{path.name} is damaged")
        return key

    @classmethod
    def load_or_create(cls, path: Path, rng: Randomness = secrets.token_bytes) -> "MasterKey":
        """The key of this installation, made at first use. Losing this file loses every record's content."""
        if not path.exists():
            key = cls.of(rng(MASTER_BYTES))
            make_folder(path.parent)
            text = f"{MASTER_HEADER}\n{key.key_id}\n{base64.b64encode(key.secret).decode()}\n"
            write_once(path, text.encode())  # a second process that was quicker wins; read what is there
        return cls.load(path)

    def wrap(self, keys: RecordKeys, rng: Randomness = secrets.token_bytes) -> WrappedKey:
        """A record's identity for its slot, bound to the record's number."""
        nonce = rng(NONCE_BYTES)
        sealed = AESGCM(self.secret).encrypt(nonce, keys.identity.encode(), keys.record_id.encode())
        return WrappedKey(self.key_id, nonce, sealed)

    def unwrap(self, record_id: str, wrapped: WrappedKey) -> RecordKeys:
        """The record's keys out of its slot; `WrongKeyError` for another master key or a swapped slot."""
        if wrapped.key_id != self.key_id:
            raise WrongKeyError("the slot was made with another master key")
        try:
            identity = AESGCM(self.secret).decrypt(wrapped.nonce, wrapped.ciphertext, record_id.encode())
        except InvalidTag as error:
            raise WrongKeyError("the slot does not belong to this record or was changed") from error
        spelling = identity.decode()
        return RecordKeys(record_id, AgeIdentity.parse(spelling).recipient(), spelling)


def read_private(path: Path) -> bytes:
    """Content of a key file that is nobody else's; `KeyFileError` otherwise."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise KeyFileError(f"{path.name}: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if status.st_mode & 0o077:
            raise KeyFileError(f"{path.name} is readable by others: chmod 600 it, and think who may have read it")
        if status.st_uid != os.geteuid():
            raise KeyFileError(f"{path.name} belongs to another user")
        return file.read(64 * 1024)  # a key with its certificate takes 3 KiB
