"""Ways to build the safe wrongly. A proof that cannot catch these proves nothing, so each run shows that it does.

Each changes one step of the real code inside the process that seals, and nothing of what judges afterwards.
"""

import fcntl
import os
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from sqlite3 import Connection as RawConnection
from typing import Any

from sqlalchemy import create_engine

import counter_server.db as db
import counter_server.records.durable as durable
import counter_server.records.seal as seal
import counter_server.records.store as store
from counter_server.records.record import CERTIFICATE_FILE, MANIFEST_FILE, OBJECT_SUFFIX, SIGNATURE_FILE


class Sabotage(StrEnum):
    """One mistake each."""

    OBJECTS_NOT_SYNCED = "objects_not_synced"
    MANIFEST_NOT_SYNCED = "manifest_not_synced"
    SIGNATURE_NOT_SYNCED = "signature_not_synced"
    CERTIFICATE_NOT_SYNCED = "certificate_not_synced"
    SEGMENTS_TRUSTED = "segments_trusted"  # a file that merely exists is taken for durable
    FOLDERS_NOT_SYNCED = "folders_not_synced"
    RENAME_NOT_SYNCED = "rename_not_synced"
    ROW_BEFORE_FOLDER = "row_before_folder"
    RENAME_BEFORE_WRITTEN = "rename_before_written"
    ANSWER_BEFORE_COMMIT = "answer_before_commit"
    KEY_AFTER_ANSWER = "key_after_answer"
    SQLITE_NORMAL = "sqlite_normal"
    SQLITE_OFF = "sqlite_off"
    ROLLBACK_JOURNAL = "rollback_journal"
    RETRY_IS_ANOTHER_VISIT = "retry_is_another_visit"
    LEFT_OVER_SEAL_BELIEVED = "left_over_seal_believed"
    TWO_WRITERS = "two_writers"


# these change the order of the workload's own steps, see `workload.submit`
IN_THE_WORKLOAD = {
    Sabotage.ROW_BEFORE_FOLDER,
    Sabotage.ANSWER_BEFORE_COMMIT,
    Sabotage.KEY_AFTER_ANSWER,
    Sabotage.RETRY_IS_ANOTHER_VISIT,
    Sabotage.LEFT_OVER_SEAL_BELIEVED,
}


def apply_sabotage(kind: Sabotage) -> None:
    """Change this process for good; call it in a child that ends soon."""
    match kind:
        case Sabotage.OBJECTS_NOT_SYNCED:
            _leave_unsynced(lambda path: path.suffix == OBJECT_SUFFIX)
        case Sabotage.MANIFEST_NOT_SYNCED:
            _leave_unsynced(lambda path: path.name == MANIFEST_FILE)
        case Sabotage.SIGNATURE_NOT_SYNCED:
            _leave_unsynced(lambda path: path.name == SIGNATURE_FILE)
        case Sabotage.CERTIFICATE_NOT_SYNCED:
            _leave_unsynced(lambda path: path.name == CERTIFICATE_FILE)
        case Sabotage.SEGMENTS_TRUSTED:
            _without_fsync(seal, "_link_object")
        case Sabotage.FOLDERS_NOT_SYNCED:
            _instead(durable, "sync_folder", _nothing)
            _instead(store, "sync_folder", _nothing)
        case Sabotage.RENAME_NOT_SYNCED:
            _without_fsync(store.RecordStore, "commit")
        case Sabotage.RENAME_BEFORE_WRITTEN:
            _write_late()
        case Sabotage.SQLITE_NORMAL:
            _reword_pragma("synchronous=FULL", "synchronous=NORMAL")
        case Sabotage.SQLITE_OFF:
            _reword_pragma("synchronous=FULL", "synchronous=OFF")
        case Sabotage.ROLLBACK_JOURNAL:
            _reword_pragma("journal_mode=WAL", "journal_mode=DELETE")
        case Sabotage.TWO_WRITERS:
            _instead(fcntl, "flock", _nothing)
        case _:
            pass  # one of IN_THE_WORKLOAD


def _instead(owner: Any, name: str, stand_in: Any) -> Any:
    """Put something else in the place of a function; returns the right one."""
    rightly = getattr(owner, name)
    setattr(owner, name, stand_in)
    return rightly


def _nothing(*_words: Any) -> None:
    """Do nothing and say that it was done."""


def _write_unsynced(path: Path, content: bytes, mode: int = durable.PRIVATE_FILE) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, mode)
    os.write(handle, content)
    os.close(handle)


def _leave_unsynced(chosen: Callable[[Path], bool]) -> None:
    def write(path: Path, content: bytes, mode: int = durable.PRIVATE_FILE) -> None:
        (_write_unsynced if chosen(path) else rightly)(path, content, mode)

    rightly = _instead(seal, "write_new", write)


def _without_fsync(owner: Any, name: str) -> None:
    """Let one function run while fsync does nothing."""

    def run(*words: Any) -> Any:
        sync = _instead(os, "fsync", _nothing)
        try:
            return rightly(*words)
        finally:
            _instead(os, "fsync", sync)

    rightly = _instead(owner, name, run)


def _write_late() -> None:
    """Put the record in its place first and sync its files there."""
    unsynced: list[str] = []

    def write(path: Path, content: bytes, mode: int = durable.PRIVATE_FILE) -> None:
        _write_unsynced(path, content, mode)
        unsynced.append(str(path.relative_to(path.parents[2] if path.suffix == OBJECT_SUFFIX else path.parents[1])))

    def commit(self: store.RecordStore, record_id: str) -> Path:
        final: Path = rightly(self, record_id)
        for name in [name for name in unsynced if name.startswith(record_id)]:
            handle = os.open(final.parent / name, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)
            unsynced.remove(name)
        return final

    _instead(seal, "write_new", write)
    rightly = _instead(store.RecordStore, "commit", commit)


def _reword_pragma(right: str, wrong: str) -> None:
    class Reworded(RawConnection):
        """A connection that hears another pragma than was said."""

        def execute(self, sql: str, *words: Any) -> Any:
            return super().execute(sql.replace(right, wrong), *words)

    _instead(db, "create_engine", partial(create_engine, connect_args={"factory": Reworded}))
