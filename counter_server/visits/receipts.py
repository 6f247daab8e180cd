"""The public receipt check: number and code, few tries."""

import asyncio
import time

from sqlalchemy import Connection

from counter_server.errors import CounterError
from counter_server.records import service as records
from counter_server.records.codes import is_record_id
from counter_server.records.errors import RecordUnknownError
from counter_server.records.log.errors import NotPublishedError
from counter_server.records.log.proof import Proof
from counter_server.records.verify import numbered
from counter_server.visits import store
from counter_server.visits.office import Office
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import ReceiptCheck

TRIES_PER_RECORD, WITHIN_S = 10, 600.0  # 40-bit code: ten tries in ten minutes leave 1 in 10^11
TRIES_OF_ALL = 600  # each costs 40 ms of scrypt: bounds what strangers can make this door work

_tries: dict[str, list[float]] = {}


async def check_receipt(office: Office, record_id: str, code: str) -> ReceiptCheck:
    """Whether the record is known and still whole.

    Raises:
        CounterError: TOO_MANY_TRIES.
    """
    wanted = record_id.strip().upper()[:24]
    _count(wanted)
    row = await office.db.run(records.find_record, wanted) if is_record_id(wanted) else None
    found = await asyncio.to_thread(records.judge_receipt, office.safe, row, wanted, code[:40])
    service = None if found.service_id is None else office.catalogue.get(found.service_id)
    return ReceiptCheck(
        record_id=found.record_id,
        known=found.known,
        intact=found.intact,
        broken=None if found.first_broken is None else numbered(found.first_broken),
        outcome=found.outcome,
        service_title=None if service is None else service.title,
        sealed_at=found.sealed_at,
        manifest_sha256=found.manifest_sha256,
    )


async def prove(office: Office, record_id: str) -> Proof | None:
    """That a record is in the log; None until a checkpoint covers it, within about a second. Ask after the code."""
    try:
        return await office.db.run(records.inclusion_proof, record_id)
    except (NotPublishedError, RecordUnknownError):
        return None


async def hand_out_proofs(office: Office) -> None:
    """Put the proof on every receipt that waits for one and is covered by a checkpoint now."""
    for visit_id in tuple(office.unproven):
        try:
            await office.db.run(_write_proof, visit_id)
        except NotPublishedError:
            continue  # the next checkpoint has it
        office.unproven.discard(visit_id)
        office.changed(visit_id)


def _write_proof(connection: Connection, visit_id: str) -> None:
    visit = store.load(connection, visit_id)
    if visit.receipt is not None:
        proof = records.inclusion_proof(connection, visit.record_id).spelling()
        store.save(connection, visit.model_copy(update={"receipt": visit.receipt.model_copy(update={"proof": proof})}))


def _count(record_id: str) -> None:
    now_s = time.monotonic()
    for name in [name for name, tries in _tries.items() if now_s - tries[-1] > WITHIN_S]:
        del _tries[name]
    if sum(len(tries) for tries in _tries.values()) >= TRIES_OF_ALL:
        raise CounterError(ErrorCode.TOO_MANY_TRIES)
    tries = [t for t in _tries.get(record_id, []) if now_s - t < WITHIN_S]
    if len(tries) >= TRIES_PER_RECORD:
        raise CounterError(ErrorCode.TOO_MANY_TRIES)
    _tries[record_id] = [*tries, now_s]
