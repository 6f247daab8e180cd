"""From committed leaves to a checkpoint that anybody can fetch: sign, write tiles, write checkpoint, ask witnesses.

Order: the signed checkpoint is committed in the database; then tiles, each durable; then the checkpoint's file, so
that nobody finds a checkpoint without its tiles. A crash in between is made good by the next publication, which takes
up from the file. The file never goes back: an older size than the published one is a fork.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from counter_server.records.durable import PRIVATE_FILE, PUBLIC_FILE, replace_file
from counter_server.records.errors import StoreError
from counter_server.records.log import ledger
from counter_server.records.log.checkpoint import Checkpoint, open_checkpoint
from counter_server.records.log.errors import LogForkError, NotPublishedError
from counter_server.records.log.files import LogFiles
from counter_server.records.log.merkle import consistency_path, root_of
from counter_server.records.log.note import LogKey, Note
from counter_server.records.log.tiles import Tile, tiles_between, write_tile

MOST_AT_ONCE = 65_536  # leaves in one publication: 2 MiB of tiles; the next follows at once


@dataclass(frozen=True, slots=True)
class Publication:
    """A signed checkpoint and the tiles that must be in place before it. `more` when leaves are still waiting."""

    note: Note
    checkpoint: Checkpoint
    tiles: tuple[tuple[Tile, bytes], ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes one log. `prepare` belongs in the database's writer, `put` off the event loop."""

    files: LogFiles
    key: LogKey

    def prepare(self, conn: Connection) -> Publication | None:
        """Sign what has been committed; None when everything is published.

        Raises:
            LogForkError: the database contradicts what was signed or published.
        """
        published = self.published()
        before = 0 if published is None else published[1].size
        if ledger.size_of(conn) == before and (published is None or ledger.note_of_size(conn, before) is not None):
            return None  # the usual case, once a second
        checkpoint = ledger.sign_checkpoint(conn, self.key, MOST_AT_ONCE)
        if published is not None:
            self._refuse_fork(conn, published[1], checkpoint)
        note = ledger.note_of_size(conn, checkpoint.size)
        if note is None:
            raise LogForkError("a checkpoint that was just signed is not there")
        tiles = tuple(
            (tile, b"".join(ledger.read_hashes(conn, tile.places()))) for tile in tiles_between(before, checkpoint.size)
        )
        return Publication(note, checkpoint, tiles, ledger.size_of(conn) > checkpoint.size)

    def put(self, publication: Publication) -> None:
        """Write tiles, then the checkpoint; durable when it returns.

        Raises:
            LogForkError: something else was published meanwhile or before.
            StoreError: the disk refused; publish again later.
        """
        try:
            with self._alone():
                published = self.published()
                if published is not None and published[1].size > publication.checkpoint.size:
                    raise LogForkError("a larger checkpoint was published already")
                for tile, content in publication.tiles:
                    write_tile(self.files.folder, tile, content)
                replace_file(self.files.checkpoint, publication.note.spelling().encode(), PUBLIC_FILE)
        except OSError as error:
            raise StoreError(f"the log could not be published: {error.strerror}") from error

    def put_cosigned(self, note: Note, checkpoint: Checkpoint) -> None:
        """The published checkpoint again, with cosignatures under it, unless a newer one is there by now."""
        try:
            with self._alone():
                published = self.published()
                if published is not None and published[1] == checkpoint:
                    replace_file(self.files.checkpoint, note.spelling().encode(), PUBLIC_FILE)
        except OSError as error:
            raise StoreError(f"the log could not be published: {error.strerror}") from error

    def published(self) -> tuple[Note, Checkpoint] | None:
        """The checkpoint in its file, under our own signature."""
        try:
            note = Note.parse(self.files.checkpoint.read_bytes())
        except FileNotFoundError:
            return None
        return note, open_checkpoint(note, self.key.verifier)

    def _refuse_fork(self, conn: Connection, published: Checkpoint, now: Checkpoint) -> None:
        known = now.size >= published.size and published.root == root_of(
            lambda places: ledger.read_hashes(conn, places), published.size
        )
        if not known:
            raise LogForkError("the database holds another history than the published log")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One publisher at a time, also when an old process is still ending."""
        handle = os.open(self.files.folder / ".publishing", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def consistency_since(conn: Connection, old: int, new: int) -> tuple[bytes, ...]:
    """Proof that what the log has at `new` begins with what it had at `old`."""
    if ledger.size_of(conn) < new:
        raise NotPublishedError("the log is not that long yet")
    return consistency_path(lambda places: ledger.read_hashes(conn, places), old, new)
