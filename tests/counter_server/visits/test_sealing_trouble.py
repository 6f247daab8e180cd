"""Records that are not sealed: nobody is stuck, and nothing else is sealed than what was shown."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from counter_server.config import Patience
from counter_server.errors import CounterError
from counter_server.signing.authority import ROOT_FILE
from counter_server.visits import customer, desk, presence, store
from counter_server.visits.facts import Visit
from counter_server.visits.machine import Event
from tests.counter_server.builders import (
    ADDRESS,
    PASSWORD,
    add_clerk,
    now,
    office_in,
    sha_of,
    signed,
    until,
    waiting,
    with_card_and_face,
)
from webrtc.wire.console import Countersign
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import SubmitForm, VisitState


async def test_a_record_that_cannot_be_sealed_interrupts_the_visit_and_frees_the_desk(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await signed(office, clerk, "replace-card")
        (office.settings.keys / ROOT_FILE).unlink()  # it belongs into every record
        with pytest.raises(CounterError) as failed:
            await desk.countersign(
                office, clerk, visit.visit_id, Countersign(document_sha256=sha_of(visit), password=PASSWORD)
            )
        assert failed.value.code is ErrorCode.INTERNAL
        ended = await now(office, visit)
        assert (ended.state, ended.receipt) == (VisitState.INTERRUPTED, None)
        assert visit.visit_id not in office.evidence
        await waiting(office, "replace-card")
        await desk.take(office, clerk, None)


async def test_a_visit_that_nobody_seals_is_interrupted(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await signed(office, clerk, "replace-card")
        office.clerks.heard(clerk.clerk_id)
        await office.db.run(store.move, visit.visit_id, Event.CLERK_SIGNED, store.COUNTER)
        unsealed: Counter[str] = Counter()
        office.being_sealed.add(visit.visit_id)
        for _ in range(presence.UNSEALED_LOOKS + 1):
            await presence.look_around(office, unsealed)
        assert (await now(office, visit)).state is VisitState.SEALING  # somebody is at it
        office.being_sealed.clear()
        for _ in range(presence.UNSEALED_LOOKS):
            await presence.look_around(office, unsealed)
        assert (await now(office, visit)).state is VisitState.INTERRUPTED


async def test_cancelling_whoever_waits_for_the_seal_leaves_a_whole_record_or_none(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit = await with_card_and_face(office, "change-address")
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=ADDRESS))
        asking = asyncio.create_task(customer.confirm(office, visit.visit_id))
        async with asyncio.timeout(10):
            await until(lambda: bool(office.being_sealed))
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert office.being_sealed == set()
        unsealed: Counter[str] = Counter()
        for _ in range(presence.UNSEALED_LOOKS):
            await presence.look_around(office, unsealed)
        assert (await now(office, visit)).state is VisitState.INTERRUPTED


async def test_a_look_does_not_interrupt_what_a_clerk_has_just_signed(tmp_path: Path) -> None:
    async with office_in(tmp_path, Patience(customer_gone_s=0)) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await signed(office, clerk, "replace-card")
        seen = store.in_states

        def seen_before(connection: Connection, states: tuple[VisitState, ...]) -> tuple[Visit, ...]:
            found = seen(connection, states)
            store.move(connection, visit.visit_id, Event.CLERK_SIGNED, store.COUNTER)
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "in_states", seen_before)
            await presence.look_around(office, Counter())
        assert (await now(office, visit)).state is VisitState.SEALING


async def test_another_document_than_the_one_shown_is_never_sealed(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await signed(office, clerk, "replace-card")
        kept = office.evidence[visit.visit_id].document
        assert kept is not None
        office.evidence[visit.visit_id].document = replace(kept, sha256="0" * 64)
        yes = Countersign(document_sha256=sha_of(visit), password=PASSWORD)
        with pytest.raises(CounterError):
            await desk.countersign(office, clerk, visit.visit_id, yes)
        ended = await now(office, visit)
        assert (ended.state, ended.receipt) == (VisitState.INTERRUPTED, None)
