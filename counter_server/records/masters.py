"""The installation's master key and its generations: a new one takes over, the old one is destroyed.

<home>/keys/master.key          the one in force
<home>/keys/master-next.key     the one that is taking over, from before the slots are wrapped anew until after

A backup of the database made before holds slots under the old key, which nobody has any more: that is what makes an
erasure reach the backups. So keep backups of the key folder apart from the database's, and replace them (never add to
them) after every change of generation.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from counter_server.records.codes import Randomness
from counter_server.records.durable import sync_folder
from counter_server.records.errors import StoreError, WrongKeyError
from counter_server.records.keys import KeyWrapper, MasterKey, WrappedKey

CURRENT, NEXT = "master.key", "master-next.key"


class MasterKeys(Protocol):
    """Generations of the key that customers' keys are kept under."""

    def wrap(self, secret: bytes, bound_to: str) -> WrappedKey:
        """Under the newest generation."""

    def unwrap(self, wrapped: WrappedKey, bound_to: str) -> bytes:
        """Under the one it was wrapped with; `WrongKeyError` when that was destroyed or never ours."""

    @property
    def key_id(self) -> str:
        """The generation in force; the one to be destroyed while another takes over."""

    @property
    def next_id(self) -> str | None:
        """The generation that is taking over, if one is."""

    def begin_next(self) -> KeyWrapper:
        """A durable next generation; repeated until `promote`, it is the same one."""

    def promote(self) -> None:
        """The next generation is in force from now on, and the one before is destroyed."""


@dataclass(slots=True, repr=False)
class FileMasterKeys:
    """Master keys in files of the key folder. What a disk once held may be found in its depths: a module is better."""

    folder: Path
    current: MasterKey
    following: MasterKey | None
    rng: Randomness = secrets.token_bytes

    @classmethod
    def load_or_create(cls, folder: Path, rng: Randomness = secrets.token_bytes) -> "FileMasterKeys":
        """The keys of this installation, the first made at first use."""
        return cls._of(folder, MasterKey.load_or_create(folder / CURRENT, rng), rng)

    @classmethod
    def load(cls, folder: Path) -> "FileMasterKeys":
        """The keys of an installation that has some; `KeyFileError` otherwise."""
        return cls._of(folder, MasterKey.load(folder / CURRENT), secrets.token_bytes)

    @classmethod
    def _of(cls, folder: Path, current: MasterKey, rng: Randomness) -> "FileMasterKeys":
        following = MasterKey.load(folder / NEXT) if (folder / NEXT).exists() else None
        return cls(folder, current, following, rng)

    @property
    def key_id(self) -> str:
        """As in `MasterKeys`."""
        return self.current.key_id

    def wrap(self, secret: bytes, bound_to: str) -> WrappedKey:
        """As in `MasterKeys`: the next one as soon as there is one, so that nothing new hangs on the old."""
        return (self.following or self.current).wrap(secret, bound_to)

    def unwrap(self, wrapped: WrappedKey, bound_to: str) -> bytes:
        """As in `MasterKeys`."""
        for key in (self.current, self.following):
            if key is not None and key.key_id == wrapped.key_id:
                return key.unwrap(wrapped, bound_to)
        raise WrongKeyError("the slot was made with a master key that is not here any more")

    @property
    def next_id(self) -> str | None:
        """As in `MasterKeys`."""
        return None if self.following is None else self.following.key_id

    def begin_next(self) -> KeyWrapper:
        """As in `MasterKeys`."""
        self.following = MasterKey.load_or_create(self.folder / NEXT, self.rng)
        return self.following

    def promote(self) -> None:
        """As in `MasterKeys`."""
        if self.following is None:
            return
        try:
            size = (self.folder / CURRENT).stat().st_size
            with (self.folder / CURRENT).open("r+b") as old:
                old.write(bytes(size))
                old.flush()
                os.fsync(old.fileno())
            (self.folder / NEXT).replace(self.folder / CURRENT)
        except OSError as error:
            raise StoreError(f"the master key could not be replaced: {error.strerror}") from error
        sync_folder(self.folder)
        self.current, self.following = self.following, None
