"""The log in the database. Plain functions on a connection; the caller owns the transaction.

A leaf counts when its transaction does: a record's row and its leaf are committed together or not at all, and the
index is drawn inside, so that there are no gaps. The one writer (`counter_server/db.py`) keeps two from drawing the
same; where there are more, the primary key refuses the second.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, func, insert, select, update

from counter_server.records.canonical import canonical_bytes, read_canonical
from counter_server.records.errors import RecordUnknownError
from counter_server.records.journal import JournalEntry, instant, read_instant
from counter_server.records.log.checkpoint import Checkpoint, open_checkpoint
from counter_server.records.log.errors import LogForkError, NotPublishedError
from counter_server.records.log.merkle import Place, inclusion_path, leaf_hash, node_hash, root_of
from counter_server.records.log.note import LogKey, Note
from counter_server.records.log.proof import Proof
from counter_server.records.log.tables import log_checkpoint, log_hash, log_leaf

RECORD = "record"
OPENING = "opening"
EVENT_FORMAT = "visual-counter-log-event/1"
SALT_BYTES = 32  # as long as the hash it protects
READ_AT_ONCE = 500  # SQLite before 3.32 takes 999 variables


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf as the database keeps it."""

    index: int
    kind: str
    subject: str
    entry: bytes | None
    salt: bytes | None


def append_record(conn: Connection, record_id: str, manifest_leaf: bytes) -> int:
    """A sealed record's leaf: the RFC 6962 hash of its manifest. Returns the leaf's index."""
    return _append(conn, RECORD, record_id, manifest_leaf, None, None)


def append_event(
    conn: Connection,
    *,
    kind: str,
    subject: str,
    at: datetime,
    details: Mapping[str, str] | None = None,
    secret: bytes | None = None,
) -> int:
    """Something that happened to a record or visit, as a leaf. Returns the leaf's index.

    Args:
        subject: Number of the record or visit.
        details: Codes and numbers of ours. No personal data: what is in the log stays for ever.
        secret: What the event commits to without telling it; the salt stays outside of the leaf and can be erased.
    """
    salt = None if secret is None else secrets.token_bytes(SALT_BYTES)
    committed = None if secret is None or salt is None else sha256(salt + secret).hexdigest()
    entry = canonical_bytes(
        {
            "format": EVENT_FORMAT,
            "event": kind,
            "subject": subject,
            "at": instant(at),
            "details": dict(details or {}),
            "commitment": committed,
        }
    )
    return _append(conn, kind, subject, leaf_hash(entry), entry, salt)


def append_openings(conn: Connection, openings: Sequence[JournalEntry]) -> int:
    """Leaves for those openings of records that have none yet; returns how many were added.

    The list of openings is a file, because the command line writes it beside the running server (`openings.py`).
    Who opened and why is personal: the leaf commits to the line's hash under a salt.
    """
    known = count_of(conn, OPENING)
    for line in openings[known:]:
        append_event(
            conn,
            kind=OPENING,
            subject=line.details.get("record_id", ""),
            at=read_instant(line.at),
            details={"line": str(line.seq), "event": line.event},
            secret=bytes.fromhex(line.hash),
        )
    return max(0, len(openings) - known)


def commits_to(leaf: Leaf, secret: bytes) -> bool:
    """Whether an event's leaf was made over this secret."""
    event = read_canonical(leaf.entry or b"null")
    if not isinstance(event, dict) or leaf.salt is None:
        return False
    return event.get("commitment") == sha256(leaf.salt + secret).hexdigest()


def size_of(conn: Connection) -> int:
    """Leaves so far."""
    last = conn.execute(select(func.max(log_leaf.c.leaf_index))).scalar()
    return 0 if last is None else int(last) + 1


def count_of(conn: Connection, kind: str) -> int:
    """Leaves of one kind."""
    return conn.execute(select(func.count()).select_from(log_leaf).where(log_leaf.c.kind == kind)).scalar_one()


def read_leaves(conn: Connection, start: int, end: int) -> tuple[Leaf, ...]:
    """Leaves from `start` up to and without `end`."""
    span = (log_leaf.c.leaf_index >= start) & (log_leaf.c.leaf_index < end)
    rows = conn.execute(select(log_leaf).where(span).order_by(log_leaf.c.leaf_index))
    return tuple(Leaf(row.leaf_index, row.kind, row.subject, row.entry, row.salt) for row in rows)


def index_of(conn: Connection, record_id: str) -> int:
    """Where a record's leaf is; `RecordUnknownError` when there is none."""
    mine = (log_leaf.c.subject == record_id) & (log_leaf.c.kind == RECORD)
    index = conn.execute(select(log_leaf.c.leaf_index).where(mine)).scalar()
    if index is None:
        raise RecordUnknownError("no record of that number in the log")
    return int(index)


def read_hashes(conn: Connection, places: Sequence[Place]) -> tuple[bytes, ...]:
    """Hashes of complete subtrees; `LogForkError` when one that must be there is gone."""
    numbers = [number_of(place) for place in places]
    found: dict[int, bytes] = {}
    for first in range(0, len(numbers), READ_AT_ONCE):
        wanted = numbers[first : first + READ_AT_ONCE]
        rows = conn.execute(select(log_hash.c.number, log_hash.c.hash).where(log_hash.c.number.in_(wanted)))
        found.update((row.number, row.hash) for row in rows)
    if any(number not in found for number in numbers):
        raise LogForkError("hashes of the log are missing from the database")
    return tuple(found[number] for number in numbers)


def number_of(place: Place) -> int:
    """One number per complete subtree: its place when the tree is read from left to right."""
    return (1 << place.level) * (2 * place.position + 1) - 1


def sign_checkpoint(conn: Connection, key: LogKey, most: int) -> Checkpoint:
    """Sign the log as it is, at most `most` leaves beyond the last checkpoint, and keep what was signed.

    Raises:
        LogForkError: the leaves no longer lead to what was signed before.
    """
    last = newest_note(conn)
    before = Checkpoint(key.name, 0, b"") if last is None else open_checkpoint(last, key.verifier)
    size = min(size_of(conn), before.size + most)
    if last is not None:
        if size < before.size or _root(conn, before.size) != before.root:
            raise LogForkError("the database holds another history than the log has signed")
        if size == before.size:
            return before
    checkpoint = Checkpoint(key.name, size, _root(conn, size))
    note = checkpoint.sign(key).spelling()
    conn.execute(insert(log_checkpoint).values(size=size, note=note, witnessed=False))
    return checkpoint


def keep_cosigned(conn: Connection, checkpoint: Checkpoint, note: Note, *, witnessed: bool) -> None:
    """Keep the signatures that witnesses added."""
    here = log_checkpoint.c.size == checkpoint.size
    conn.execute(update(log_checkpoint).where(here).values(note=note.spelling(), witnessed=witnessed))


def newest_note(conn: Connection, *, over: int = -1, witnessed: bool = False) -> Note | None:
    """The newest signed checkpoint; with `over`, only one that covers this leaf."""
    wanted = select(log_checkpoint.c.note).where(log_checkpoint.c.size > over)
    if witnessed:
        wanted = wanted.where(log_checkpoint.c.witnessed)
    found = conn.execute(wanted.order_by(log_checkpoint.c.size.desc()).limit(1)).scalar()
    return None if found is None else Note.parse(found.encode())


def note_of_size(conn: Connection, size: int) -> Note | None:
    """The checkpoint that was signed at this size, if one was."""
    found = conn.execute(select(log_checkpoint.c.note).where(log_checkpoint.c.size == size)).scalar()
    return None if found is None else Note.parse(found.encode())


def prove_record(conn: Connection, record_id: str, note: Note | None = None) -> Proof:
    """That a record is in the log: under this checkpoint, or else the newest witnessed one, or the newest.

    Raises:
        RecordUnknownError: no such record.
        NotPublishedError: no checkpoint covers it yet.
    """
    index = index_of(conn, record_id)
    chosen = note or newest_note(conn, over=index, witnessed=True) or newest_note(conn, over=index)
    if chosen is None:
        raise NotPublishedError("the record is not published yet; ask again in a moment")
    checkpoint = Checkpoint.parse(chosen.text)
    if checkpoint.size <= index:
        raise NotPublishedError("this checkpoint is older than the record")
    path = inclusion_path(lambda places: read_hashes(conn, places), index, checkpoint.size)
    return Proof(index, path, chosen)


def _append(conn: Connection, kind: str, subject: str, leaf: bytes, entry: bytes | None, salt: bytes | None) -> int:
    index = size_of(conn)
    row = {"leaf_index": index, "kind": kind, "subject": subject, "entry": entry, "salt": salt}
    conn.execute(insert(log_leaf).values(row))
    place, hashed = Place(0, index), leaf
    hashes = [{"number": number_of(place), "hash": hashed}]
    while place.position & 1:  # this one completes a larger subtree
        (left,) = read_hashes(conn, (Place(place.level, place.position - 1),))
        place, hashed = Place(place.level + 1, place.position >> 1), node_hash(left, hashed)
        hashes.append({"number": number_of(place), "hash": hashed})
    conn.execute(insert(log_hash), hashes)
    return index


def _root(conn: Connection, size: int) -> bytes:
    return root_of(lambda places: read_hashes(conn, places), size)
