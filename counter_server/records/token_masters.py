"""Master keys inside a PKCS#11 token: made there, used there, destroyed there, never seen outside.

Unlike a file's, a token's key is gone when it is destroyed: nothing in the depths of a disk brings back what an erasure
took. The mechanism is AES-GCM, which SoftHSM 2 and every current module have.
"""

import secrets
import threading
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass

from counter_server.records.errors import KeyFileError, StoreError, WrongKeyError
from counter_server.records.keys import MASTER_BYTES, NONCE_BYTES, KeyWrapper, WrappedKey
from counter_server.signing.tokens import open_session, turn_at

CURRENT, NEXT = "counter-master", "counter-master-next"
KEY_ID_BYTES = 8
TAG_BITS = 128  # NIST SP 800-38D §5.2.1.2, the longest


class TokenWrapper:
    """One AES key of the token. The token's library is not for several threads, hence the lock that all share."""

    def __init__(self, key: Any, lock: threading.RLock) -> None:
        self._key, self._lock = key, lock  # the binding types its keys without their methods
        self._key_id = bytes(key[Attribute.ID]).hex()

    @property
    def key_id(self) -> str:
        """As in `KeyWrapper`."""
        return self._key_id

    def wrap(self, secret: bytes, bound_to: str) -> WrappedKey:
        """As in `KeyWrapper`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        with self._lock:
            try:
                sealed = self._key.encrypt(
                    secret, mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(nonce, bound_to.encode(), TAG_BITS)
                )
            except pkcs11.PKCS11Error as error:
                raise StoreError(f"the token: {type(error).__name__}") from error
        return WrappedKey(self._key_id, nonce, bytes(sealed))

    def unwrap(self, wrapped: WrappedKey, bound_to: str) -> bytes:
        """As in `KeyWrapper`."""
        with self._lock:
            try:
                opened = self._key.decrypt(
                    wrapped.ciphertext,
                    mechanism=Mechanism.AES_GCM,
                    mechanism_param=GCMParams(wrapped.nonce, bound_to.encode(), TAG_BITS),
                )
            except pkcs11.PKCS11Error as error:
                raise WrongKeyError(f"the slot does not belong here or was changed ({type(error).__name__})") from error
        return bytes(opened)

    def destroy(self) -> None:
        """Out of the token, for ever."""
        with self._lock:
            self._key.destroy()

    def rename(self, label: str) -> None:
        """Give it another label."""
        with self._lock:
            self._key[Attribute.LABEL] = label


class TokenMasterKeys:
    """`MasterKeys` in a token."""

    def __init__(self, module: Path, token_label: str, pin: str) -> None:
        self._lock = turn_at(module)
        try:
            with self._lock:
                self._session = open_session(module, token_label, pin)
                self._following = self._find(NEXT)
                # a crash between destroying the old and renaming the next one leaves the next alone
                self._current = self._find(CURRENT) or self._following or self._make(CURRENT)
                if self._current is self._following:
                    self._current.rename(CURRENT)
                    self._following = None
        except (pkcs11.PKCS11Error, RuntimeError) as error:
            raise KeyFileError(f"the token {token_label!r}: {type(error).__name__}") from error

    @property
    def key_id(self) -> str:
        """As in `MasterKeys`."""
        return self._current.key_id

    @property
    def next_id(self) -> str | None:
        """As in `MasterKeys`."""
        return None if self._following is None else self._following.key_id

    def wrap(self, secret: bytes, bound_to: str) -> WrappedKey:
        """As in `MasterKeys`."""
        return (self._following or self._current).wrap(secret, bound_to)

    def unwrap(self, wrapped: WrappedKey, bound_to: str) -> bytes:
        """As in `MasterKeys`."""
        for key in (self._current, self._following):
            if key is not None and key.key_id == wrapped.key_id:
                return key.unwrap(wrapped, bound_to)
        raise WrongKeyError("the slot was made with a master key that is not here any more")

    def begin_next(self) -> KeyWrapper:
        """As in `MasterKeys`."""
        if self._following is None:
            self._following = self._make(NEXT)
        return self._following

    def promote(self) -> None:
        """As in `MasterKeys`."""
        if self._following is None:
            return
        try:
            self._current.destroy()
            self._following.rename(CURRENT)
        except pkcs11.PKCS11Error as error:
            raise StoreError(f"the token: {type(error).__name__}") from error
        self._current, self._following = self._following, None

    def _find(self, label: str) -> TokenWrapper | None:
        wanted = {Attribute.LABEL: label, Attribute.KEY_TYPE: KeyType.AES, Attribute.CLASS: ObjectClass.SECRET_KEY}
        found = list(self._session.get_objects(wanted))
        if len(found) > 1:
            raise KeyFileError(f"the token holds several keys named {label!r}")
        return TokenWrapper(found[0], self._lock) if found else None

    def _make(self, label: str) -> TokenWrapper:
        try:
            with self._lock:
                key = self._session.generate_key(
                    KeyType.AES,
                    MASTER_BYTES * 8,
                    id=secrets.token_bytes(KEY_ID_BYTES),
                    label=label,
                    store=True,
                    template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
                )
        except pkcs11.PKCS11Error as error:
            raise StoreError(f"the token: {type(error).__name__}") from error
        return TokenWrapper(key, self._lock)
