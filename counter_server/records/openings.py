"""Who opened which record, when and why: a file of hash-chained lines, written before anything is decrypted.

A file and not a table, because the command line may open a record while the server holds the database, and SQLite as
Debian 12 ships it must have one writer.
"""

import fcntl
import getpass
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from counter_server.records.canonical import canonical_bytes, read_canonical
from counter_server.records.durable import PRIVATE_FILE, sync_folder
from counter_server.records.errors import RecordFormatError, StoreError
from counter_server.records.journal import JournalEntry, first_broken_entry, next_entry
from counter_server.records.plain import from_plain, to_plain

SHORTEST_REASON = 8  # "audit 12": three letters explain nothing to whoever reads the list later


def operator_name() -> str:
    """Who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


def read_reason(stated: str) -> str:
    """A reason that explains something; `StoreError` for a shorter one."""
    reason = stated.strip()
    if len(reason) < SHORTEST_REASON:
        raise StoreError("give a reason somebody can understand later")
    return reason


def note_opening(path: Path, *, at: datetime, actor: str, event: str, details: Mapping[str, str]) -> JournalEntry:
    """Append one durable line; `RecordFormatError` when the lines before do not hold: then nothing may be opened."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, PRIVATE_FILE)
    except OSError as error:
        raise StoreError(f"{path.name}: {error.strerror}") from error
    with os.fdopen(handle, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # given back when the file closes
        entries = _read_lines(file.read())
        entry = next_entry(
            entries[-1] if entries else None,
            at=at,
            actor_role="operator",
            actor_id=actor,
            event=event,
            details=details,
        )
        file.write(canonical_bytes(to_plain(entry)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return entry


def read_openings(path: Path) -> tuple[JournalEntry, ...]:
    """Every opening so far; `RecordFormatError` names the first line that does not follow."""
    return _read_lines(path.read_bytes()) if path.exists() else ()


def _read_lines(stored: bytes) -> tuple[JournalEntry, ...]:
    whole, _, torn = stored.rpartition(b"\n")
    if torn:
        # a line without its end was never answered for: the power went, or somebody cut the file
        raise RecordFormatError("the list of openings ends in half a line; look at it before opening anything")
    entries = tuple(from_plain(JournalEntry, read_canonical(line)) for line in whole.split(b"\n") if line)
    broken = first_broken_entry(entries)
    if broken is not None:
        raise RecordFormatError(f"line {broken + 1} of the list of openings does not follow from the one before")
    return entries
