"""Who is still there. A status says what was once true; a lease says what was true ten seconds ago.

Also what to do with visits that a counter left open when it stopped.
"""

import asyncio
import logging

from sqlalchemy import Connection

from counter_server.calls.rooms import CLERK
from counter_server.errors import CounterError
from counter_server.hub import CONSOLES
from counter_server.queue import service as queue
from counter_server.records import service as records
from counter_server.records.errors import RecordError
from counter_server.visits import store
from counter_server.visits.closing import end, seal_after_a_crash
from counter_server.visits.facts import Visit
from counter_server.visits.machine import OPEN, WITH_CLERK, Event
from counter_server.visits.office import Office
from webrtc.wire import Line, Reason, VisitState

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0


async def watch_presence(office: Office) -> None:
    """End visits whose customer stays away, and give visits back whose clerk does."""
    patience = office.settings.patience
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        for visit in await office.db.run(store.in_states, OPEN):
            try:
                if visit.state is VisitState.SEALING:
                    continue
                if office.customers.gone(visit.visit_id, patience.customer_gone_s):
                    await end(office, visit.visit_id, Event.INTERRUPTED, Reason.CUSTOMER_LEFT, store.COUNTER)
                elif (
                    visit.state in WITH_CLERK
                    and visit.clerk_id is not None
                    and office.clerks.gone(visit.clerk_id, patience.clerk_gone_s)
                ):
                    await give_back(office, visit)
            except CounterError as error:
                log.info("visit %s moved on by itself: %s", visit.visit_id, error)
        for clerk_id in [c for c in office.clerks.heard_s if office.clerks.gone(c, patience.clerk_gone_s)]:
            if office.calls.line(CLERK, clerk_id) is not Line.NONE:
                await office.calls.leave(CLERK, clerk_id)
            office.clerks.forget(clerk_id)
            office.hub.changed(CONSOLES)


async def give_back(office: Office, visit: Visit) -> None:
    """The clerk is gone: the customer keeps the place, the next clerk begins with the proofs that are there."""
    visit_id = visit.visit_id

    def write(connection: Connection) -> None:
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
        queue.give_back(connection, visit_id)

    await office.db.run(write)
    evidence = office.evidence[visit_id]
    evidence.drop_document()
    evidence.tracks += await office.calls.part(visit_id)
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
            slot = await office.db.run(records.load_slot, record_id)
            await seal_after_a_crash(office, visit_or_none, office.master.unwrap(record_id, slot))
        except RecordError as error:
            log.error("record %s of an interrupted visit could not be sealed: %s", record_id, error)
    for record_id in swept.missing:
        log.error("record %s is in the database and not on the disk: restore it from a backup", record_id)
