"""Visits that go wrong between two steps: nobody is stuck, and nothing is decided twice."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from counter_server.config import Patience
from counter_server.errors import CounterError
from counter_server.visits import customer, desk, presence, stepup, store
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from tests.counter_server.builders import (
    ADDRESS,
    PASSWORD,
    add_clerk,
    now,
    office_in,
    opened,
    reading,
    sha_of,
    signed,
    until,
    waiting,
    with_card_and_face,
)
from webrtc.wire.catalogue import Assurance
from webrtc.wire.check import CheckOutcome
from webrtc.wire.console import Approve, ClerkView, Countersign, SetChecklistItem
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import SubmitForm, VisitState


async def approving(office: Office) -> tuple[Visit, ClerkView]:
    clerk = await add_clerk(office, "zhang")
    visit = await signed(office, clerk, "raise-limit")
    yes = Countersign(document_sha256=sha_of(visit), password=PASSWORD)
    await desk.countersign(office, clerk, visit.visit_id, yes)
    return visit, clerk


async def test_what_one_person_declined_another_cannot_approve(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit, _ = await approving(office)
        li, wang = await add_clerk(office, "li", "approver"), await add_clerk(office, "wang", "approver")
        sha256 = sha_of(visit)
        no = Approve(decision="decline", document_sha256=sha256, password=PASSWORD, note="call back")
        yes = Approve(decision="approve", document_sha256=sha256, password=PASSWORD)
        declined: list[str] = []
        write = store.note

        def then_approve(*arguments: object, **more: object) -> Visit:
            declined.append("now")
            return write(*arguments, **more)  # type: ignore[arg-type]  # handed on as it came

        async def at_once() -> None:
            await until(lambda: bool(declined))
            await desk.decide_approval(office, wang, visit.visit_id, yes)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "note", then_approve)
            patch.setattr(stepup, "require_password", _believed)
            results = await asyncio.gather(
                desk.decide_approval(office, li, visit.visit_id, no), at_once(), return_exceptions=True
            )
        ended = await now(office, visit)
        assert (ended.state, ended.approval) == (VisitState.REFUSED, "declined")
        assert results[0] is None
        assert isinstance(results[1], CounterError)


async def _believed(_office: Office, _clerk: ClerkView, _password: str) -> None:
    """A password check that takes no time, so that two acts can meet."""


async def test_a_finished_visit_takes_no_more_notes(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await signed(office, clerk, "replace-card")
        yes = Countersign(document_sha256=sha_of(visit), password=PASSWORD)
        await desk.countersign(office, clerk, visit.visit_id, yes)
        done, journal = await now(office, visit), await office.db.run(store.read_journal_of, visit.visit_id)
        with pytest.raises(CounterError) as late:
            await desk.refuse_visit(office, clerk, visit.visit_id, "changed my mind")
        assert late.value.code is ErrorCode.WRONG_STEP
        assert await now(office, visit) == done
        assert await office.db.run(store.read_journal_of, visit.visit_id) == journal


async def test_only_clerks_serve(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        await waiting(office, "replace-card")
        for role in ("auditor", "approver", "supervisor"):
            with pytest.raises(CounterError) as refused:
                await desk.take(office, await add_clerk(office, role, role), None)
            assert refused.value.code is ErrorCode.NOT_ALLOWED


async def test_a_comparison_taken_back_proves_nothing(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await with_card_and_face(office, "change-address", "refer")
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=ADDRESS))
        await desk.take(office, clerk, None)
        for item in (await now(office, visit)).checklist:
            yes = SetChecklistItem(outcome=CheckOutcome.PASSED)
            await desk.set_item(office, clerk, visit.visit_id, item.item_id, yes)
        assert (await now(office, visit)).assurance is Assurance.CHIP_AND_FACE
        no = SetChecklistItem(outcome=CheckOutcome.FAILED)
        await desk.set_item(office, clerk, visit.visit_id, "face-referred", no)
        assert (await now(office, visit)).assurance is Assurance.LIVE_PERSON


async def test_a_document_pushed_twice_stays_the_one_that_was_announced(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await reading(office, clerk, "replace-card")
        kept = office.evidence[visit.visit_id].document
        for late in (desk.push_document(office, clerk, visit.visit_id), customer.confirm(office, visit.visit_id)):
            with pytest.raises(CounterError):
                await late
        assert office.evidence[visit.visit_id].document is kept


async def test_pages_of_ended_visits_are_forgotten(tmp_path: Path) -> None:
    async with office_in(tmp_path, Patience(customer_gone_s=0.05)) as office:
        visit = await with_card_and_face(office, "change-address")
        await customer.cancel(office, visit.visit_id)
        office.customers.heard(visit.visit_id)  # its page still shows the end
        await asyncio.sleep(0.1)
        await presence.look_around(office, Counter())
        assert office.customers.heard_s == {}


async def test_an_ended_visit_takes_no_more_entries(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit = await opened(office, "change-address")
        await customer.cancel(office, visit.visit_id)
        with pytest.raises(CounterError) as late:
            await office.db.run(store.note, visit.visit_id, store.CUSTOMER, "device_trouble")
        assert late.value.code is ErrorCode.WRONG_STEP


async def test_a_desk_put_aside_stays_free_when_the_proof_comes_later(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await waiting(office, "replace-card")
        await desk.take(office, clerk, None)
        await customer.cancel(office, visit.visit_id)
        assert await office.db.run(store.visit_of_clerk, clerk.clerk_id) is not None
        await desk.clear(office, clerk)
        await office.db.run(lambda c: store.save(c, store.load(c, visit.visit_id)))  # as `receipts` does
        assert await office.db.run(store.visit_of_clerk, clerk.clerk_id) is None
