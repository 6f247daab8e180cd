"""Keys of the safe: a master key over a key per customer over the keys of each record.

A record's own keys lie in one place only, the slot table (`slots.py`). The record on disk never holds them, so that
deleting a slot erases content and leaves the proof. Every wrapping key is handed in; nobody reaches for a file.
"""

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from counter_server.records.agefile import AgeIdentity, AgeKeyring
from counter_server.records.codes import Randomness, draw_record_id
from counter_server.records.durable import make_folder, write_once
from counter_server.records.errors import KeyFileError, WrongKeyError
from counter_server.records.keeping import KeepClass

MASTER_HEADER = "visual-counter-master-key/1"
MASTER_BYTES = 32  # AES-256
NONCE_BYTES = 12  # NIST SP 800-38D §5.2.1.1


@dataclass(frozen=True, slots=True, repr=False)
class RecordKeys:
    """A record's number and its own keys, one per class of what expires together; erased ones are not there."""

    record_id: str
    identities: dict[KeepClass, str]

    @property
    def recipient(self) -> str:
        """The public key that the media worker seals segments for."""
        return self.recipient_of(KeepClass.RECORDING)

    def recipient_of(self, kept: KeepClass) -> str:
        """The public key for objects of this class."""
        return AgeIdentity.parse(self.identities[kept]).recipient()

    @property
    def identity(self) -> str:
        """The secret keys as age's own tool takes them, a line each."""
        return "\n".join(self.identities.values())

    def keyring(self) -> AgeKeyring:
        """What opens the record."""
        return AgeKeyring.parse(self.identity, len(KeepClass))


def new_record_keys(now: datetime, rng: Randomness = secrets.token_bytes, *, post_quantum: bool = False) -> RecordKeys:
    """Number and keys for a visit that is about to be recorded. Store them wrapped before using them.

    Args:
        post_quantum: Hybrid keys (X25519 with ML-KEM-768): age opens those from 1.3 on, Debian 12's does not.
    """
    number = draw_record_id(rng, now)
    return RecordKeys(
        number, {kept: AgeIdentity.of(rng(32), post_quantum=post_quantum).spelling() for kept in KeepClass}
    )


def read_keyring(text: str) -> AgeKeyring:
    """The keys in a file that an auditor was given."""
    return AgeKeyring.parse(text, len(KeepClass))


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A key under another: the content of a slot."""

    key_id: str
    nonce: bytes
    ciphertext: bytes


class KeyWrapper(Protocol):
    """What other keys are kept under. A file holds it, or a hardware module that never shows it."""

    @property
    def key_id(self) -> str:
        """Its public name."""

    def wrap(self, secret: bytes, bound_to: str) -> WrappedKey:
        """The secret for its slot, bound to what the slot is of."""

    def unwrap(self, wrapped: WrappedKey, bound_to: str) -> bytes:
        """The secret out of its slot; `WrongKeyError` for another key or a swapped slot."""


@dataclass(frozen=True, slots=True, repr=False)
class WrappingKey:
    """An AES-256 key that wraps others. Never shown, never logged; `key_id` is its public name."""

    secret: bytes
    key_id: str

    @classmethod
    def of(cls, secret: bytes) -> Self:
        """From 32 random bytes."""
        if len(secret) != MASTER_BYTES:
            raise KeyFileError("master key has the wrong length")
        return cls(secret, hashlib.sha256(MASTER_HEADER.encode() + b"\0" + secret).hexdigest()[:16])

    def wrap(self, secret: bytes, bound_to: str) -> WrappedKey:
        """As `KeyWrapper.wrap`: AES-GCM with what it is bound to as its additional data."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return WrappedKey(self.key_id, nonce, AESGCM(self.secret).encrypt(nonce, secret, bound_to.encode()))

    def unwrap(self, wrapped: WrappedKey, bound_to: str) -> bytes:
        """As `KeyWrapper.unwrap`."""
        if wrapped.key_id != self.key_id:
            raise WrongKeyError("the slot was made with another master key")
        try:
            return AESGCM(self.secret).decrypt(wrapped.nonce, wrapped.ciphertext, bound_to.encode())
        except InvalidTag as error:
            raise WrongKeyError("the slot does not belong here or was changed") from error


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey(WrappingKey):
    """The wrapping key of an installation, in a file."""

    @classmethod
    def load(cls, path: Path) -> Self:
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
    def load_or_create(cls, path: Path, rng: Randomness = secrets.token_bytes) -> Self:
        """The key of this installation, made at first use. Losing this file loses every record's content."""
        if not path.exists():
            key = cls.of(rng(MASTER_BYTES))
            make_folder(path.parent)
            text = f"{MASTER_HEADER}\n{key.key_id}\n{base64.b64encode(key.secret).decode()}\n"
            write_once(path, text.encode())  # a second process that was quicker wins; read what is there
        return cls.load(path)


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
