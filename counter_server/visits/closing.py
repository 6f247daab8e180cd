"""How a visit ends: with a sealed record before anybody reads "done", or without a result and with a reason."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from counter_server.calls.seats import CUSTOMER
from counter_server.errors import CounterError
from counter_server.outbox import service as outbox
from counter_server.outbox.messages import Occasion
from counter_server.people import customer_passkeys
from counter_server.queue import service as queue
from counter_server.records import service as records
from counter_server.records import slots
from counter_server.records.errors import RecordError
from counter_server.records.keeping import keep_until
from counter_server.records.keys import RecordKeys
from counter_server.records.seal import SealedRecord, seal_record
from counter_server.signing.authority import ROOT_FILE
from counter_server.signing.errors import SigningError
from counter_server.visits import enrolments, store
from counter_server.visits.compose import compose
from counter_server.visits.evidence import Evidence
from counter_server.visits.facts import Visit
from counter_server.visits.machine import FINAL, Event
from counter_server.visits.office import Office
from webrtc.engine import RecordedTrack
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import Reason, Receipt, VisitState

log = logging.getLogger(__name__)

# What may keep a record from being sealed: its content, the call's recording, the disk.
NotSealed = (RecordError, SigningError, CounterError, SQLAlchemyError, OSError)


async def close(office: Office, visit_id: str) -> None:
    """Seal the visit's record and finish it; returns when both are durable.

    Raises:
        CounterError: INTERNAL when the record could not be sealed; the visit is then interrupted, nothing was done.
    """
    office.being_sealed.add(visit_id)
    try:
        await _close(office, visit_id)
    finally:
        office.being_sealed.discard(visit_id)  # still sealing, for whatever reason: `presence` interrupts it


async def _close(office: Office, visit_id: str) -> None:
    evidence = office.evidence_of(visit_id)
    try:
        evidence.tracks += await office.calls.part(visit_id)
        visit = await office.db.run(store.load, visit_id)
        shown = None if visit.document is None else visit.document.sha256
        if shown != (None if evidence.document is None else evidence.document.sha256):
            raise CounterError(ErrorCode.DOCUMENT_CHANGED, "the document kept is not the one that was shown")
        sealed = await _seal(office, visit, evidence, "done", evidence.tracks)
        receipt = Receipt(
            record_id=sealed.record_id,
            check_code=sealed.check_code,
            check_url=_check_url(office, sealed),
            sealed_at=sealed.sealed_at,
        )

        def write(connection: Connection) -> None:
            _register(connection, office, visit, sealed)
            store.move(
                connection,
                visit_id,
                Event.SEALED,
                store.COUNTER,
                lambda v: v.model_copy(update={"receipt": receipt}),
                {"record_id": sealed.record_id, "manifest_sha256": sealed.manifest_sha256},
            )
            queue.leave(connection, visit_id)

        await office.db.run(write)
        office.unproven.add(visit_id)
    except NotSealed as error:
        log.error("visit %s could not be sealed: %s", visit_id, type(error).__name__)
        await office.db.run(office.safe.set_aside_unclaimed, evidence.keys.record_id)
        await end(office, visit_id, Event.INTERRUPTED, Reason.MEDIA_FAILED, store.COUNTER)
        raise CounterError(ErrorCode.INTERNAL, "the record could not be sealed; nothing was done") from error
    await _forget(office, visit_id)


async def refuse(
    office: Office,
    visit_id: str,
    reason: Reason,
    actor: store.Actor,
    first: Callable[[Connection], object] = lambda _: None,
) -> None:
    """End the visit without a result; what led to it is sealed too, because refusals are contested."""
    await end(office, visit_id, Event.REFUSED, reason, actor, first)


async def end(
    office: Office,
    visit_id: str,
    event: Event,
    reason: Reason,
    actor: store.Actor,
    first: Callable[[Connection], object] = lambda _: None,
) -> None:
    """End the visit by this event. Everybody is told first; the record of a refusal follows.

    A cancelled or interrupted visit leaves its journal and no pictures, unless a clerk had been in the call: then
    what was recorded is sealed.

    Args:
        first: What is checked and written before, in the same transaction; its exception leaves the visit as it is.
    """

    def write(connection: Connection) -> Visit:
        first(connection)
        moved = store.move(
            connection,
            visit_id,
            event,
            actor,
            lambda v: v.model_copy(update={"reason": reason}),
            {"reason": reason.value},
        )
        queue.leave(connection, visit_id)
        return moved

    visit = await office.db.run(write)
    office.changed(visit_id)
    evidence = office.evidence.get(visit_id)
    try:
        tracks = await office.calls.part(visit_id)
        if evidence is not None:
            evidence.tracks += tracks
            if evidence.tracks or visit.state is VisitState.REFUSED:
                sealed = await _seal(office, visit, evidence, visit.state.value, evidence.tracks)
                await office.db.run(_register, office, visit, sealed)
    except NotSealed as error:
        kind = type(error).__name__  # a database's error may repeat what it was given
        log.error("visit %s ended as %s, but its record could not be sealed: %s", visit_id, visit.state.value, kind)
    finally:
        await _forget(office, visit_id)


async def seal_after_a_crash(office: Office, visit: Visit, keys: RecordKeys) -> None:
    """Seal what a crashed counter had already recorded of this visit: its journal and the segments on the disk."""
    sealed = await _seal(office, visit, Evidence(keys), visit.state.value, ())
    await office.db.run(_register, office, visit, sealed)
    await asyncio.to_thread(office.safe.release_recording, visit.record_id)


async def _seal(
    office: Office, visit: Visit, evidence: Evidence, outcome: str, tracks: tuple[RecordedTrack, ...]
) -> SealedRecord:
    journal = await office.db.run(store.read_journal_of, visit.visit_id)
    now = datetime.now(UTC)

    def work() -> SealedRecord:
        folder = office.safe.recording_folder(visit.record_id)
        draft = compose(visit, evidence, journal, outcome, tracks, folder, office.settings.keys / ROOT_FILE)
        return seal_record(draft, evidence.keys, office.sealing, office.safe, now)

    async with office.pdf_lock:
        return await asyncio.to_thread(work)


def _register(connection: Connection, office: Office, visit: Visit, sealed: SealedRecord) -> None:
    """The row that acknowledges a record, its leaf, and its keys under the key of whose it is."""
    records.insert_record(connection, sealed)
    holder = visit.holder
    customer_id = f"V-{sealed.record_id}"  # nobody was identified: the visit stands for itself
    if holder is not None:
        customer_id = slots.name_customer(connection, office.master, holder.issuing_state, holder.document_number)
    elif visit.known_phone is not None:  # whose phone it is, as long as that was not erased meanwhile
        customer_id = customer_passkeys.customer_of(connection, visit.known_phone.record_id) or customer_id
    until = keep_until(office.keeping, sealed.sealed_at)
    slots.give_to_customer(connection, office.master, sealed.record_id, customer_id, until, sealed.sealed_at)
    if holder is not None:
        enrolments.register(connection, visit, customer_id, sealed)
    outbox.post(connection, office.outbox, _occasion(office, visit, sealed, customer_id))


def _occasion(office: Office, visit: Visit, sealed: SealedRecord, customer_id: str) -> Occasion:
    """What others may be told of the record. Each is told only the fields it is configured for."""
    holder = (
        {} if visit.holder is None else visit.holder.model_dump(include={"name", "document_number", "issuing_state"})
    )
    title = office.catalogue[visit.service_id].title
    return Occasion(
        record_id=sealed.record_id,
        subject=customer_id,
        service_id=visit.service_id,
        service_title=str(getattr(title, visit.language.value)),
        language=visit.language.value,
        channel=visit.channel.value,
        outcome=sealed.manifest.outcome,
        sealed_at=sealed.sealed_at,
        manifest_sha256=sealed.manifest_sha256,
        values=visit.values | {f"holder.{name}": value for name, value in holder.items()},
        check_code=sealed.check_code,
        check_url=_check_url(office, sealed),
    )


def _check_url(office: Office, sealed: SealedRecord) -> str:
    return f"{office.settings.url}/check?record={sealed.record_id}&code={sealed.check_code}"


async def _forget(office: Office, visit_id: str) -> None:
    """Evidence out of memory, the customer's camera off. The clerk's desk keeps the result until it is put aside."""
    visit = await office.db.run(store.load, visit_id)
    office.continuity.pop(visit_id, None)
    office.faces.end(visit_id)
    office.guidance.pop(visit_id, None)
    office.chip_questions.pop(visit_id, None)
    office.challenges.pop(visit_id, None)
    if visit.state in FINAL:
        office.evidence.pop(visit_id, None)
        await office.calls.leave(CUSTOMER, visit_id)
        office.customers.forget(visit_id)
        await asyncio.to_thread(office.safe.release_recording, visit.record_id)
    office.changed(visit_id)
