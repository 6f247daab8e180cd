"""Visits in the database: every change is one row and one journal entry, in one transaction."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from counter_server.errors import CounterError
from counter_server.people.clerks import hash_token
from counter_server.records.journal import JournalEntry, next_entry
from counter_server.records.log import ledger
from counter_server.visits.facts import Visit
from counter_server.visits.machine import FINAL, Event, after
from counter_server.visits.tables import answered, journal, visit
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import VisitState

_ENDED = [state.value for state in FINAL]

REMEMBER_ANSWERS_S = 86_400


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: customer, clerk, approver, kiosk or counter; `actor_id` is an identifier of ours, never a name."""

    role: str
    actor_id: str


CUSTOMER = Actor("customer", "customer")
COUNTER = Actor("counter", "counter")


def insert_visit(connection: Connection, opened: Visit, token: str, actor: Actor) -> None:
    """A new visit with the first entry of its journal."""
    connection.execute(
        insert(visit).values(
            visit_id=opened.visit_id,
            record_id=opened.record_id,
            token_hash=hash_token(token),
            state=opened.state.value,
            opened_at_s=opened.opened_at.timestamp(),
            facts=opened.model_dump_json(),
        )
    )
    write_journal(
        connection, opened.visit_id, actor, "opened", {"service": opened.service_id, "channel": opened.channel.value}
    )
    _log_state(connection, opened, "opened")


def load(connection: Connection, visit_id: str) -> Visit:
    """The visit as it is.

    Raises:
        CounterError: NOT_FOUND.
    """
    facts = connection.execute(select(visit.c.facts).where(visit.c.visit_id == visit_id)).scalar()
    if facts is None:
        raise CounterError(ErrorCode.NOT_FOUND)
    return Visit.model_validate_json(facts)


def load_for(connection: Connection, visit_id: str, token: str) -> Visit:
    """The visit, for whoever holds its token. A wrong token and an unknown visit look alike.

    Raises:
        CounterError: NOT_LOGGED_IN.
    """
    row = connection.execute(
        select(visit.c.facts).where(visit.c.visit_id == visit_id, visit.c.token_hash == hash_token(token))
    ).scalar()
    if row is None:
        raise CounterError(ErrorCode.NOT_LOGGED_IN)
    return Visit.model_validate_json(row)


def visit_of_clerk(connection: Connection, clerk_id: str) -> Visit | None:
    """The visit on this clerk's desk: still open, or ended and not yet put aside."""
    facts = connection.execute(select(visit.c.facts).where(visit.c.clerk_id == clerk_id)).scalar()
    return None if facts is None else Visit.model_validate_json(facts)


def by_record(connection: Connection, record_id: str) -> Visit | None:
    """The visit that this record number was drawn for."""
    facts = connection.execute(select(visit.c.facts).where(visit.c.record_id == record_id)).scalar()
    return None if facts is None else Visit.model_validate_json(facts)


def in_states(connection: Connection, states: Iterable[VisitState]) -> tuple[Visit, ...]:
    """Visits in these states, oldest first."""
    rows = connection.execute(
        select(visit.c.facts).where(visit.c.state.in_([s.value for s in states])).order_by(visit.c.opened_at_s)
    )
    return tuple(Visit.model_validate_json(row[0]) for row in rows)


def save(connection: Connection, changed: Visit) -> Visit:
    """Replace the visit's facts. The desk keeps a visit that ended until the clerk puts it aside."""
    connection.execute(
        update(visit)
        .where(visit.c.visit_id == changed.visit_id)
        .values(state=changed.state.value, clerk_id=changed.clerk_id, facts=changed.model_dump_json())
    )
    return changed


def clear_desk(connection: Connection, clerk_id: str) -> None:
    """Put the clerk's ended visit aside, for good: the receipt's proof may come after it and save the visit again."""
    mine = select(visit.c.facts).where(visit.c.clerk_id == clerk_id, visit.c.state.in_(_ENDED))
    for facts in connection.execute(mine).scalars().all():
        save(connection, Visit.model_validate_json(facts).model_copy(update={"clerk_id": None}))


def ended_with_people(connection: Connection) -> tuple[str, ...]:
    """Ended visits that still say whose they were, or what somebody on a phone wrote whom no card named."""
    named = visit.c.facts.not_like('%"holder":null%') | visit.c.facts.not_like('%"values":{}%')
    return tuple(connection.execute(select(visit.c.visit_id).where(visit.c.state.in_(_ENDED), named)).scalars())


def forget_person(connection: Connection, visit_id: str) -> bool:
    """Take names and answers out of an ended visit: its record holds them, under a key that can be erased.

    Returns:
        False while a clerk still looks at the result.
    """
    row = connection.execute(select(visit.c.clerk_id, visit.c.facts).where(visit.c.visit_id == visit_id)).first()
    if row is None or row.clerk_id is not None:
        return row is None
    blank: dict[str, object] = {"holder": None, "values": {}, "note": None, "checklist": ()}
    facts = Visit.model_validate_json(row.facts).model_copy(update=blank).model_dump_json()
    connection.execute(update(visit).where(visit.c.visit_id == visit_id).values(facts=facts))
    return True


def move(
    connection: Connection,
    visit_id: str,
    event: Event,
    actor: Actor,
    change: Callable[[Visit], Visit] = lambda unchanged: unchanged,
    details: dict[str, str] | None = None,
) -> Visit:
    """Move the visit by one event, with `change` applied and the journal written.

    Raises:
        CounterError: WRONG_STEP when the event does not belong to the state the visit is in *now*.
    """
    now = load(connection, visit_id)
    following = after(now.state, event)
    changed = change(now).model_copy(update={"state": following})
    write_journal(connection, visit_id, actor, event.value, details)
    _log_state(connection, changed, event.value)
    return save(connection, changed)


def note(
    connection: Connection,
    visit_id: str,
    actor: Actor,
    event: str,
    change: Callable[[Visit], Visit] = lambda unchanged: unchanged,
    details: dict[str, str] | None = None,
) -> Visit:
    """Something that happened without moving the visit.

    Raises:
        CounterError: WRONG_STEP when the visit has ended: its journal is sealed, and nothing happens in it any more.
    """
    now = load(connection, visit_id)
    if now.state in FINAL:
        raise CounterError(ErrorCode.WRONG_STEP, f"{event} after the end")
    changed = change(now)
    write_journal(connection, visit_id, actor, event, details)
    return save(connection, changed)


def _log_state(connection: Connection, moved: Visit, event: str) -> None:
    """A leaf of the public log: which record's visit, what happened, where it stands; nobody's name, nothing said."""
    details = {"event": event, "state": moved.state.value}
    ledger.append_event(connection, kind="visit", subject=moved.record_id, at=datetime.now(UTC), details=details)


def write_journal(
    connection: Connection, visit_id: str, actor: Actor, event: str, details: dict[str, str] | None = None
) -> None:
    """One more entry, chained to the one before."""
    last = connection.execute(
        select(journal.c.entry).where(journal.c.visit_id == visit_id).order_by(journal.c.seq.desc()).limit(1)
    ).scalar()
    entry = next_entry(
        None if last is None else JournalEntry(**json.loads(last)),
        at=datetime.now(UTC),
        actor_role=actor.role,
        actor_id=actor.actor_id,
        event=event,
        details=details,
    )
    connection.execute(insert(journal).values(visit_id=visit_id, seq=entry.seq, entry=json.dumps(asdict(entry))))


def read_journal_of(connection: Connection, visit_id: str) -> tuple[JournalEntry, ...]:
    """The whole journal, in order."""
    rows = connection.execute(select(journal.c.entry).where(journal.c.visit_id == visit_id).order_by(journal.c.seq))
    return tuple(JournalEntry(**json.loads(row[0])) for row in rows)


def count_journal(connection: Connection, visit_id: str, event: str) -> int:
    """How often this happened in the visit."""
    return sum(entry.event == event for entry in read_journal_of(connection, visit_id))


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer given before to the same request."""

    request_sha256: bytes
    status: int
    body: str


def remembered(connection: Connection, scope: str, key: str) -> Remembered | None:
    """What this key was answered before."""
    row = connection.execute(
        select(answered).where(answered.c.scope == scope, answered.c.idempotency_key == key)
    ).first()
    return None if row is None else Remembered(row.request_sha256, row.status, row.body)


def remember(connection: Connection, scope: str, key: str, answer: Remembered) -> None:
    """Keep an answer for a day, for whoever asks the same again."""
    now_s = time.time()
    connection.execute(delete(answered).where(answered.c.at_s < now_s - REMEMBER_ANSWERS_S))
    connection.execute(
        insert(answered)
        .prefix_with("OR REPLACE", dialect="sqlite")
        .values(
            scope=scope,
            idempotency_key=key,
            request_sha256=answer.request_sha256,
            status=answer.status,
            body=answer.body,
            at_s=now_s,
        )
    )
