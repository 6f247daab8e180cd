"""What the database does for deliveries. Plain functions on a connection; the caller owns the transaction."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Row, delete, exists, insert, select, update

from counter_server.outbox.messages import Occasion, event_for, memo_for
from counter_server.outbox.subscribers import MAIL, SMS, OutboxSettings
from counter_server.outbox.tables import delivery

KEEP_DELIVERED_S = 90 * 86_400.0  # who was told when, for questions about one quarter
KEEP_DEAD_S = 30 * 86_400.0  # a body nobody took within a month is personal data that lies about


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"  # given up; holds back what came after it for the same subject
    DROPPED = "dropped"  # given up by a supervisor


HOLDS_BACK = (DeliveryState.WAITING.value, DeliveryState.DEAD.value)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One thing to hand over now."""

    number: int
    event_id: str
    body: str
    attempts: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as it is shown: without its body."""

    number: int
    event_id: str
    subscriber: str
    record_id: str
    state: DeliveryState
    attempts: int
    next_at_s: float
    trouble: str | None
    made_at_s: float
    ended_at_s: float | None


def post(connection: Connection, settings: OutboxSettings, occasion: Occasion) -> int:
    """Put one delivery per subscriber into the box, in the transaction that acknowledges the record.

    Repeating it changes nothing. Returns how many were new.
    """
    bodies: dict[str, str | None] = {name: event_for(hook, occasion) for name, hook in settings.webhook.items()}
    if settings.mail is not None:
        bodies[MAIL] = memo_for(settings.mail.to_field, occasion)
    if settings.sms is not None:
        bodies[SMS] = memo_for(settings.sms.to_field, occasion)
    there = select(delivery.c.subscriber).where(delivery.c.event_id == occasion.event_id)
    known = set(connection.execute(there).scalars())
    now_s = time.time()
    rows = [
        {
            "event_id": occasion.event_id,
            "subscriber": subscriber,
            "subject": occasion.subject,
            "record_id": occasion.record_id,
            "body": body,
            "state": DeliveryState.WAITING.value,
            "attempts": 0,
            "next_at_s": now_s,
            "made_at_s": now_s,
        }
        for subscriber, body in bodies.items()
        if body is not None and subscriber not in known
    ]
    if rows:
        connection.execute(insert(delivery), rows)
    return len(rows)


def due(connection: Connection, subscriber: str, now_s: float, most: int = 16) -> tuple[Parcel, ...]:
    """What can be handed to this subscriber now: of each subject the oldest that has not arrived, oldest first."""
    earlier = delivery.alias()
    before = exists().where(
        earlier.c.subscriber == delivery.c.subscriber,
        earlier.c.subject == delivery.c.subject,
        earlier.c.number < delivery.c.number,
        earlier.c.state.in_(HOLDS_BACK),
    )
    rows = connection.execute(
        select(delivery.c.number, delivery.c.event_id, delivery.c.body, delivery.c.attempts)
        .where(
            delivery.c.state == DeliveryState.WAITING.value,
            delivery.c.subscriber == subscriber,
            delivery.c.next_at_s <= now_s,
            ~before,
        )
        .order_by(delivery.c.number)
        .limit(most)
    )
    return tuple(Parcel(row.number, row.event_id, row.body or "", row.attempts) for row in rows)


def arrived(connection: Connection, number: int) -> None:
    """The receiver took it: what it said is forgotten here."""
    connection.execute(
        update(delivery)
        .where(delivery.c.number == number)
        .values(
            state=DeliveryState.DELIVERED.value,
            attempts=delivery.c.attempts + 1,
            body=None,
            trouble=None,
            ended_at_s=time.time(),
        )
    )


def missed(connection: Connection, number: int, trouble: str, again_at_s: float | None) -> None:
    """The receiver did not take it; without another time it is given up, and somebody has to look."""
    outcome = {"next_at_s": again_at_s} if again_at_s is not None else {"state": DeliveryState.DEAD.value}
    connection.execute(
        update(delivery)
        .where(delivery.c.number == number, delivery.c.state == DeliveryState.WAITING.value)
        .values(attempts=delivery.c.attempts + 1, trouble=trouble, **outcome)
    )


def retry(connection: Connection, number: int) -> bool:
    """Try once more, now, as if for the first time; False for what waits for nobody."""
    waits = delivery.c.state.in_(HOLDS_BACK)
    fresh = {"state": DeliveryState.WAITING.value, "attempts": 0, "next_at_s": time.time()}
    mine = (delivery.c.number == number) & waits & delivery.c.body.is_not(None)
    return connection.execute(update(delivery).where(mine).values(fresh)).rowcount > 0


def drop(connection: Connection, number: int) -> bool:
    """Give it up for good and let what came after it go; False for what waits for nobody."""
    gone = {"state": DeliveryState.DROPPED.value, "body": None, "ended_at_s": time.time()}
    mine = (delivery.c.number == number) & delivery.c.state.in_(HOLDS_BACK)
    return connection.execute(update(delivery).where(mine).values(gone)).rowcount > 0


def tidy(connection: Connection, now_s: float) -> None:
    """Forget what was told long ago, and drop what nobody took for a month."""
    ended = delivery.c.ended_at_s < now_s - KEEP_DELIVERED_S
    connection.execute(delete(delivery).where(ended))
    stale = (delivery.c.state == DeliveryState.DEAD.value) & (delivery.c.made_at_s < now_s - KEEP_DEAD_S)
    gone = {"state": DeliveryState.DROPPED.value, "body": None, "ended_at_s": now_s, "trouble": "too_old"}
    connection.execute(update(delivery).where(stale).values(gone))


def list_deliveries(connection: Connection, *, limit: int = 200, record_id: str | None = None) -> list[DeliveryRow]:
    """Deliveries, newest first; all of one record if asked so."""
    query = select(delivery).order_by(delivery.c.number.desc()).limit(limit)
    if record_id is not None:
        query = query.where(delivery.c.record_id == record_id)
    return _shown(connection.execute(query).all())


def _shown(rows: Sequence[Row[tuple[object, ...]]]) -> list[DeliveryRow]:
    return [
        DeliveryRow(
            number=row.number,
            event_id=row.event_id,
            subscriber=row.subscriber,
            record_id=row.record_id,
            state=DeliveryState(row.state),
            attempts=row.attempts,
            next_at_s=row.next_at_s,
            trouble=row.trouble,
            made_at_s=row.made_at_s,
            ended_at_s=row.ended_at_s,
        )
        for row in rows
    ]
