"""Every step of a visit, each entry holding the hash of the one before.

The visits room stores the entries as rows and hands them over at sealing; nobody can then take one out, change one
or swap two without the head's hash, which the signed manifest carries, coming out different.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from counter_server.records.canonical import canonical_bytes, read_canonical
from counter_server.records.errors import RecordFormatError
from counter_server.records.plain import from_plain, to_plain

FIRST_PREVIOUS = "0" * 64


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One thing that happened. `details` holds identifiers and codes, no personal data where it can be helped."""

    seq: int
    at: str
    actor_role: str
    actor_id: str
    event: str
    details: dict[str, str]
    prev: str
    hash: str


def next_entry(
    previous: JournalEntry | None,
    *,
    at: datetime,
    actor_role: str,
    actor_id: str,
    event: str,
    details: Mapping[str, str] | None = None,
) -> JournalEntry:
    """The entry that follows `previous` (None for the first), its hash filled in."""
    open_entry = JournalEntry(
        seq=0 if previous is None else previous.seq + 1,
        at=instant(at),
        actor_role=actor_role,
        actor_id=actor_id,
        event=event,
        details=dict(details or {}),
        prev=FIRST_PREVIOUS if previous is None else previous.hash,
        hash="",
    )
    return replace(open_entry, hash=_hash(open_entry))


def first_broken_entry(entries: Sequence[JournalEntry]) -> int | None:
    """Index of the first entry that does not follow from the one before it; None when all do."""
    previous = FIRST_PREVIOUS
    for index, entry in enumerate(entries):
        if entry.seq != index or entry.prev != previous or entry.hash != _hash(entry):
            return index
        previous = entry.hash
    return None


def journal_bytes(entries: Sequence[JournalEntry]) -> bytes:
    """The journal as an object of the record."""
    return canonical_bytes(to_plain(tuple(entries)))


def read_journal(stored: bytes) -> tuple[JournalEntry, ...]:
    """Entries of a journal object; `RecordFormatError` when it is none. The chain is not judged here."""
    plain = read_canonical(stored)
    if not isinstance(plain, list):
        raise RecordFormatError("a journal is a list")
    return tuple(from_plain(JournalEntry, item) for item in plain)


def instant(at: datetime) -> str:
    """A moment as records spell it: UTC, milliseconds, Z. A time without zone is refused."""
    if at.tzinfo is None:
        raise RecordFormatError("a time without zone")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_instant(spelling: str) -> datetime:
    """The moment of a record's spelling; `RecordFormatError` for any other."""
    try:
        at = datetime.fromisoformat(spelling)
    except ValueError as error:
        raise RecordFormatError("not a time") from error
    if instant(at) != spelling:
        raise RecordFormatError("a time in another spelling")
    return at


def _hash(entry: JournalEntry) -> str:
    return hashlib.sha256(canonical_bytes(to_plain(replace(entry, hash="")))).hexdigest()
