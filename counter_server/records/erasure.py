"""Who may be erased, and erasing: decided, done and logged in one transaction; then the old master key is destroyed.

Erasing deletes slots, never objects. Copies of the database made before still hold those slots, but under the master
key of then: every surviving slot is wrapped under a new one and the old one is destroyed, so that no copy opens what
was erased (`masters.py`). The log keeps its leaves: they are hashes of ciphertext and salted commitments.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, or_, select, update

from counter_server.records import slots
from counter_server.records.errors import KeepingError, RecordUnknownError
from counter_server.records.journal import instant, read_instant
from counter_server.records.keeping import KeepClass
from counter_server.records.log import ledger
from counter_server.records.masters import MasterKeys
from counter_server.records.tables import legal_hold, record_slot

ERASED, ROTATED, HELD, LIFTED = "erased", "rotated", "held", "hold_lifted"
WISH, TIME = "customer", "retention"


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of a record that may not be erased, and why."""

    record_id: str
    keep_class: KeepClass
    why: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased and what had to stay."""

    erased: tuple[tuple[str, KeepClass], ...]
    kept: tuple[Kept, ...]
    customers_gone: tuple[str, ...]


def erase_customer(conn: Connection, masters: MasterKeys, customer_id: str, now: datetime) -> Erasure:
    """Everything of a customer that no law and no hold keeps. Afterwards `finish` destroys the old master key.

    Raises:
        RecordUnknownError: nobody of that number.
        KeepingError: nothing of theirs may be erased yet.
    """
    rows = conn.execute(select(record_slot).where(record_slot.c.customer_id == customer_id)).all()
    if not rows:
        raise RecordUnknownError("no customer of that number")
    reasons = {(row.record_id, row.keep_class): _why_kept(conn, row, now) for row in rows}
    kept = tuple(Kept(record_id, KeepClass(name), why) for (record_id, name), why in reasons.items() if why is not None)
    free = [(record_id, KeepClass(name)) for (record_id, name), why in reasons.items() if why is None]
    if not free:
        raise KeepingError("; ".join(sorted({f"{each.record_id} {each.keep_class}: {each.why}" for each in kept})))
    return Erasure(tuple(free), kept, _erase(conn, masters, free, WISH, now))


def enforce_retention(conn: Connection, masters: MasterKeys, now: datetime) -> Erasure:
    """Erase whatever has been kept for as long as it may be. Nothing to do changes nothing."""
    due = conn.execute(select(record_slot).where(record_slot.c.at_most <= instant(now))).all()
    reasons = [(row, _why_kept(conn, row, now)) for row in due]
    kept = tuple(Kept(row.record_id, KeepClass(row.keep_class), why) for row, why in reasons if why is not None)
    free = [(row.record_id, KeepClass(row.keep_class)) for row, why in reasons if why is None]
    return Erasure(tuple(free), kept, _erase(conn, masters, free, TIME, now) if free else ())


def rotate_master(conn: Connection, masters: MasterKeys, now: datetime) -> int:
    """Put every slot under a new master key; returns how many. Afterwards `finish` destroys the old one."""
    count = slots.rotate(conn, masters, masters.begin_next())
    ledger.append_event(conn, kind=ROTATED, subject="master-key", at=now, details={"slots": str(count)})
    return count


def expire(conn: Connection, record_id: str, kept: KeepClass, now: datetime) -> None:
    """From now on this part is kept no longer: the next enforcing of retention erases it, and its key in backups."""
    mine = (record_slot.c.record_id == record_id) & (record_slot.c.keep_class == kept.value)
    conn.execute(update(record_slot).where(mine).values(at_most=instant(now)))


def needs_finish(conn: Connection, masters: MasterKeys) -> bool:
    """Whether a rotation was committed whose old key is still there: the caller then calls `masters.promote`.

    Ask in a transaction of its own, after the rotation's was committed; also at every start, for a crash in between.
    """
    following = masters.next_id
    return following is not None and slots.uses_key(conn, following) and not slots.uses_key(conn, masters.key_id)


def place_hold(conn: Connection, subject: str, case_number: str, by: str, now: datetime) -> None:
    """Keep a record, or all of a customer, until the hold is lifted; `RecordUnknownError` for nobody's number."""
    mine = or_(record_slot.c.record_id == subject, record_slot.c.customer_id == subject)
    if conn.execute(select(record_slot.c.record_id).where(mine).limit(1)).first() is None:
        raise RecordUnknownError("no record and no customer of that number, or it was erased already")
    row = {"subject": subject, "case_number": case_number, "placed_at": instant(now), "placed_by": by}
    conn.execute(insert(legal_hold).values(**row))
    _log(conn, HELD, [subject], now, {}, case_number)


def lift_hold(conn: Connection, subject: str, case_number: str, by: str, now: datetime) -> None:
    """End a hold; another on the same subject goes on holding. `RecordUnknownError` when there is none."""
    mine = (legal_hold.c.subject == subject) & (legal_hold.c.case_number == case_number)
    active = mine & legal_hold.c.lifted_at.is_(None)
    if conn.execute(update(legal_hold).where(active).values(lifted_at=instant(now), lifted_by=by)).rowcount == 0:
        raise RecordUnknownError("no such hold")
    _log(conn, LIFTED, [subject], now, {}, case_number)


def customer_of(conn: Connection, record_id: str) -> str:
    """Whose a record is; `RecordUnknownError` when it is nobody's or erased."""
    found = conn.execute(select(record_slot.c.customer_id).where(record_slot.c.record_id == record_id)).scalar()
    if found is None:
        raise RecordUnknownError("no customer of that record")
    return str(found)


def _erase(
    conn: Connection, masters: MasterKeys, victims: list[tuple[str, KeepClass]], why: str, now: datetime
) -> tuple[str, ...]:
    gone = slots.erase_slots(conn, masters, set(victims))
    for record_id, kept in victims:
        _log(conn, ERASED, [record_id], now, {"class": kept.value, "why": why}, None)
    rotate_master(conn, masters, now)
    return tuple(sorted(gone))


def _why_kept(conn: Connection, row: Row[tuple[object, ...]], now: datetime) -> str | None:
    held = legal_hold.c.subject.in_([row.record_id, row.customer_id]) & legal_hold.c.lifted_at.is_(None)
    if conn.execute(select(legal_hold.c.hold_id).where(held).limit(1)).first() is not None:
        return "under a legal hold"
    if row.at_least is None:
        return "its visit is not sealed yet"
    if read_instant(row.at_least) > now:
        return f"to be kept until {row.at_least[:10]}"
    return None


def _log(
    conn: Connection, kind: str, subjects: Iterable[str], now: datetime, details: dict[str, str], secret: str | None
) -> None:
    for subject in subjects:
        ledger.append_event(
            conn,
            kind=kind,
            subject=subject,
            at=now,
            details=details,
            secret=None if secret is None else secret.encode(),
        )
