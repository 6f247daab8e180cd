"""Who is still there. A status says what was once true; a lease says what was true ten seconds ago.

Also what to do with visits that a counter left open when it stopped.
"""

import asyncio
import logging
from collections import Counter

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from counter_server.calls.seats import CLERK, CUSTOMER
from counter_server.errors import CounterError
from counter_server.hub import CONSOLES
from counter_server.queue import service as queue
from counter_server.records import service as records
from counter_server.records import slots
from counter_server.records.errors import RecordError
from counter_server.visits import continuity, store
from counter_server.visits.closing import end, seal_after_a_crash
from counter_server.visits.facts import Visit
from counter_server.visits.machine import AGAIN, OPEN, WITH_CLERK, Event
from counter_server.visits.office import Office
from webrtc.wire.call import Line
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import Reason, VisitState

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
UNSEALED_LOOKS = 5  # between the state and the work on it lies one turn of the loop; five seconds are no turn


async def watch_presence(office: Office) -> None:
    """End visits whose customer stays away, and give visits back whose clerk does."""
    unsealed: Counter[str] = Counter()
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await look_around(office, unsealed)
        except SQLAlchemyError as error:
            log.error("no look at the visits: %s", type(error).__name__)  # the disk refuses for now; the next look asks


async def look_around(office: Office, unsealed: Counter[str]) -> None:
    """One look; `unsealed` counts the looks at which a visit was to be sealed and nobody did."""
    patience = office.settings.patience
    visits = await office.db.run(store.in_states, OPEN)
    idle = {v.visit_id for v in visits if v.state is VisitState.SEALING} - office.being_sealed
    for visit_id in set(unsealed) - idle:
        del unsealed[visit_id]
    unsealed.update(idle)
    for visit in visits:
        try:
            if visit.state is VisitState.SEALING:
                if unsealed[visit.visit_id] >= UNSEALED_LOOKS:
                    log.error("visit %s was left unsealed; it is interrupted", visit.visit_id)
                    await end(office, visit.visit_id, Event.INTERRUPTED, Reason.MEDIA_FAILED, store.COUNTER)
            elif office.customers.gone(visit.visit_id, patience.customer_gone_s):
                await _end_left(office, visit.visit_id)
            elif (
                visit.state in WITH_CLERK | AGAIN
                and visit.clerk_id is not None
                and office.clerks.gone(visit.clerk_id, patience.clerk_gone_s)
            ):
                await give_back(office, visit)
        except (CounterError, RecordError, SQLAlchemyError) as error:
            # Somebody was quicker, or the disk refused: the next look sees the visit as it is then.
            log.warning("visit %s: %s", visit.visit_id, type(error).__name__)
    await _forget_the_gone(office, {visit.visit_id for visit in visits})


async def _end_left(office: Office, visit_id: str) -> None:
    def still_gone(connection: Connection) -> None:
        sealing = store.load(connection, visit_id).state is VisitState.SEALING  # the clerk's act came just before
        if sealing or not office.customers.gone(visit_id, office.settings.patience.customer_gone_s):
            raise CounterError(ErrorCode.WRONG_STEP, "not gone after all")

    await end(office, visit_id, Event.INTERRUPTED, Reason.CUSTOMER_LEFT, store.COUNTER, still_gone)


async def _forget_the_gone(office: Office, open_visits: set[str]) -> None:
    """Pages of ended visits go on speaking for a while, and so are remembered until they stop; consoles likewise."""
    patience = office.settings.patience
    for visit_id in [v for v in office.customers.heard_s if office.customers.gone(v, patience.customer_gone_s)]:
        if visit_id not in open_visits:
            await office.calls.leave(CUSTOMER, visit_id)
            if await _forget_person(office, visit_id):
                office.customers.forget(visit_id)
    for clerk_id in [c for c in office.clerks.heard_s if office.clerks.gone(c, patience.clerk_gone_s)]:
        if office.calls.line(CLERK, clerk_id) is not Line.NONE:
            await office.calls.leave(CLERK, clerk_id)
        office.clerks.forget(clerk_id)
        office.hub.changed(CONSOLES)


async def _forget_person(office: Office, visit_id: str) -> bool:
    """Whether the database says no longer whose visit it was, or has to go on saying it: the record is not sealed."""
    visit = await office.db.run(store.load, visit_id)
    if await office.db.run(records.find_record, visit.record_id) is None and (
        visit.state is VisitState.REFUSED or await asyncio.to_thread(office.safe.holds_recording, visit.record_id)
    ):
        return True  # refusals are contested, and waiting segments are sealed at the next start
    return await office.db.run(store.forget_person, visit_id)


async def give_back(office: Office, visit: Visit) -> None:
    """The clerk is gone: the customer keeps the place, the next clerk begins with the proofs that are there."""
    visit_id = visit.visit_id

    def write(connection: Connection) -> None:
        if store.load(connection, visit_id).clerk_id != visit.clerk_id:
            raise CounterError(ErrorCode.WRONG_STEP, "another clerk has it")
        store.move(
            connection,
            visit_id,
            Event.CLERK_LOST,
            store.COUNTER,
            lambda v: v.model_copy(
                update={
                    "clerk_id": None,
                    "clerk_name": None,
                    "checklist": (),
                    "document": None,
                    "signed": (),
                    "approval": "none",
                }
            ),
            {"clerk": visit.clerk_id or ""},
        )
        if visit.state in WITH_CLERK:  # who is being identified again comes back to the queue afterwards
            queue.give_back(connection, visit_id)

    await office.db.run(write)
    await continuity.unfollow(office, visit_id)
    evidence = office.evidence_of(visit_id)
    evidence.drop_document()
    try:
        evidence.tracks += await office.calls.part(visit_id)
    finally:
        office.changed(visit_id)


async def recover(office: Office) -> None:
    """Interrupt what was open when the last process stopped, seal what it had recorded, tidy the safe.

    Pictures and files of those visits were in its memory only; nobody was told "done" of them.
    """
    for visit in await office.db.run(store.in_states, OPEN):
        log.warning("visit %s was open when the counter stopped; it is interrupted", visit.visit_id)

        def write(connection: Connection, visit_id: str = visit.visit_id) -> None:
            store.move(
                connection,
                visit_id,
                Event.INTERRUPTED,
                store.COUNTER,
                lambda v: v.model_copy(update={"reason": Reason.SERVER_RESTARTED}),
                {"reason": Reason.SERVER_RESTARTED.value},
            )
            queue.leave(connection, visit_id)

        await office.db.run(write)
    swept = await office.db.run(office.safe.sweep)
    for record_id in swept.waiting:
        visit_or_none = await office.db.run(store.by_record, record_id)
        if visit_or_none is None:
            continue
        try:
            kept = await office.db.run(slots.read_slots, record_id)
            await seal_after_a_crash(office, visit_or_none, kept.open(office.master))
        except RecordError as error:
            log.error("record %s of an interrupted visit could not be sealed: %s", record_id, error)
    for visit_id in await office.db.run(store.ended_with_people):
        office.customers.left(visit_id)
    for record_id in swept.missing:
        log.error("record %s is in the database and not on the disk: restore it from a backup", record_id)
