"""Once a day, and at the start: what has been kept for as long as it may be is erased."""

import asyncio
import logging
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from counter_server.records import erasure
from counter_server.records.errors import RecordError
from counter_server.visits.office import Office

log = logging.getLogger(__name__)

EVERY_S = 86_400.0  # spans are counted in days


async def keep_retention(office: Office) -> None:
    """Enforce until cancelled. Trouble is told and tried again a day later; nothing is half erased meanwhile."""
    while True:
        try:
            await enforce(office)
        except (RecordError, SQLAlchemyError, OSError) as error:
            log.error("retention was not enforced: %s", type(error).__name__)
        await asyncio.sleep(EVERY_S)


async def enforce(office: Office) -> erasure.Erasure:
    """Erase what is due, in one transaction, then destroy the master key of before."""
    masters = office.master
    if masters.next_id is not None:  # a crash, or a failed commit, left a change of keys unfinished
        await office.db.run(erasure.rotate_master, masters, datetime.now(UTC))
        await _finish(office)
    done = await office.db.run(erasure.enforce_retention, masters, datetime.now(UTC))
    await _finish(office)
    if done.erased:
        log.warning("%d parts of records reached the end of their time and were erased", len(done.erased))
    return done


async def _finish(office: Office) -> None:
    if await office.db.run(erasure.needs_finish, office.master):
        await asyncio.to_thread(office.master.promote)
