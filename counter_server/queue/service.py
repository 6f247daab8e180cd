"""Drawing, calling and giving back tickets. First come, first served; nobody loses a place to our faults."""

import secrets
import statistics
import time
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, insert, select, update

from counter_server.errors import CounterError
from counter_server.queue.tables import ticket
from webrtc.wire.catalogue import Channel
from webrtc.wire.message import ErrorCode, Language

USUAL_SERVICE_S = 300.0  # until this counter has served five people itself (Genesys' default is 90 s, of calls)
# An honest range around the mean: half to twice holds most of a log-normal service time with cv 0.6.
RANGE = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One customer in the queue."""

    ticket_id: str
    visit_id: str
    number: str
    service_id: str
    channel: Channel
    language: Language
    referred: bool
    drawn_at_s: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ticket stands."""

    number: str
    position: int
    waiting_s: int
    usual_service_s: float

    def estimate_s(self, clerks_ready: int) -> tuple[int, int] | None:
        """A range for the rest of the wait; None when nobody is there to serve."""
        if clerks_ready == 0:
            return None
        mean_s = self.usual_service_s * (self.position - 1) / clerks_ready
        return int(mean_s * RANGE[0]), int(mean_s * RANGE[1]) + 30


def draw(
    connection: Connection, visit_id: str, service_id: str, channel: Channel, language: Language, *, referred: bool
) -> str:
    """The number called out, such as A017; a visit that already has a ticket keeps it."""
    found = connection.execute(select(ticket.c.number).where(ticket.c.visit_id == visit_id)).scalar()
    if found is not None:
        return str(found)
    now_s = time.time()
    today_s = now_s - now_s % 86_400
    count = connection.execute(select(func.count()).where(ticket.c.drawn_at_s >= today_s)).scalar_one()
    number = f"{'ABCDEFGHJK'[count // 999 % 10]}{count % 999 + 1:03d}"
    connection.execute(
        insert(ticket).values(
            ticket_id=secrets.token_urlsafe(9),
            visit_id=visit_id,
            number=number,
            service_id=service_id,
            channel=channel.value,
            language=language.value,
            referred=int(referred),
            priority=1,
            drawn_at_s=now_s,
            state="waiting",
        )
    )
    return number


def waiting(connection: Connection) -> tuple[Ticket, ...]:
    """Who waits, in the order in which they will be called."""
    rows = connection.execute(
        select(ticket).where(ticket.c.state == "waiting").order_by(ticket.c.priority, ticket.c.drawn_at_s)
    )
    return tuple(_ticket(row) for row in rows)


def number_of(connection: Connection, visit_id: str) -> str:
    """The visit's number, or nothing if it never drew one."""
    return connection.execute(select(ticket.c.number).where(ticket.c.visit_id == visit_id)).scalar() or ""


def place(connection: Connection, visit_id: str) -> Place | None:
    """Where this visit stands; position 0 once a clerk has it, None without a ticket."""
    row = connection.execute(select(ticket).where(ticket.c.visit_id == visit_id)).first()
    if row is None or row.state == "gone":
        return None
    position = 0
    if row.state == "waiting":
        position = next(n for n, t in enumerate(waiting(connection), 1) if t.visit_id == visit_id)
    until_s = row.taken_at_s if row.state == "taken" else time.time()
    return Place(row.number, position, max(0, int(until_s - row.drawn_at_s)), usual_service_s(connection))


def usual_service_s(connection: Connection) -> float:
    """Mean service time of the last twenty served here."""
    rows = connection.execute(
        select(ticket.c.ended_at_s - ticket.c.taken_at_s)
        .where(ticket.c.state == "gone", ticket.c.taken_at_s.is_not(None))
        .order_by(ticket.c.ended_at_s.desc())
        .limit(20)
    )
    served_s = [row[0] for row in rows]
    return statistics.mean(served_s) if len(served_s) >= 5 else USUAL_SERVICE_S


def take(connection: Connection, clerk_id: str, ticket_id: str | None) -> Ticket:
    """Call a ticket to this clerk's desk: the given one, or the next.

    Raises:
        CounterError: TICKET_TAKEN when a colleague was quicker, NOT_FOUND when nobody waits.
    """
    rows = waiting(connection)
    chosen = next((t for t in rows if ticket_id in (None, t.ticket_id)), None)
    if chosen is None:
        raise CounterError(ErrorCode.NOT_FOUND if ticket_id is None else ErrorCode.TICKET_TAKEN)
    connection.execute(
        update(ticket)
        .where(ticket.c.ticket_id == chosen.ticket_id, ticket.c.state == "waiting")
        .values(state="taken", clerk_id=clerk_id, taken_at_s=time.time())
    )
    return chosen


def give_back(connection: Connection, visit_id: str) -> None:
    """The clerk is gone: back to the front, with the time it was first drawn at."""
    connection.execute(
        update(ticket)
        .where(ticket.c.visit_id == visit_id, ticket.c.state == "taken")
        .values(state="waiting", clerk_id=None, taken_at_s=None, priority=0)
    )


def leave(connection: Connection, visit_id: str) -> None:
    """This visit needs its place no longer."""
    connection.execute(
        update(ticket)
        .where(ticket.c.visit_id == visit_id, ticket.c.state != "gone")
        .values(state="gone", ended_at_s=time.time())
    )


def _ticket(row: Row[tuple[object, ...]]) -> Ticket:
    return Ticket(
        ticket_id=row.ticket_id,
        visit_id=row.visit_id,
        number=row.number,
        service_id=row.service_id,
        channel=Channel(row.channel),
        language=Language(row.language),
        referred=bool(row.referred),
        drawn_at_s=row.drawn_at_s,
    )
