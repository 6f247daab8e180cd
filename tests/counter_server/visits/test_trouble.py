"""Visits that go wrong between two steps: nobody is stuck, nothing is decided twice, nobody is recorded on."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from counter_server.calls.rooms import Calls
from counter_server.calls.seats import CLERK, CUSTOMER, Recording
from counter_server.config import Patience
from counter_server.errors import CounterError
from counter_server.signing.authority import ROOT_FILE
from counter_server.visits import card_step, customer, desk, face_attempt, face_decision, presence, stepup, store
from counter_server.visits.facts import Visit
from counter_server.visits.machine import Event
from counter_server.visits.office import Office
from counter_server.visits.relay_api import message_of
from hardware_drivers.id_chip.personalise import Defect
from tests.counter_server.builders import (
    ADDRESS,
    PASSWORD,
    add_clerk,
    chip_message,
    face,
    office_in,
    opened,
    reading,
    signed,
    waiting,
    with_card_and_face,
)
from tests.hardware_drivers.cards import drawn_portrait, evidence_of, make_card
from webrtc.engine import LegConnected, LegOffer, MediaEvent, RecordedTrack
from webrtc.errors import MediaError
from webrtc.wire.catalogue import Assurance
from webrtc.wire.check import CheckOutcome
from webrtc.wire.console import Approve, ClerkView, Countersign, SetChecklistItem
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import Reason, SubmitForm, VisitState


async def until(holds: Callable[[], bool]) -> None:
    """Turn the loop until it holds; what is waited for has no event of its own."""
    while not holds():  # noqa: ASYNC110 - as said
        await asyncio.sleep(0)


async def now(office: Office, visit: Visit) -> Visit:
    return await office.db.run(store.load, visit.visit_id)


def sha_of(visit: Visit) -> str:
    assert visit.document is not None
    return visit.document.sha256


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


async def test_pages_of_ended_visits_are_forgotten(tmp_path: Path) -> None:
    async with office_in(tmp_path, Patience(customer_gone_s=0.05)) as office:
        visit = await with_card_and_face(office, "change-address")
        await customer.cancel(office, visit.visit_id)
        office.customers.heard(visit.visit_id)  # its page still shows the end
        await asyncio.sleep(0.1)
        await presence.look_around(office, Counter())
        assert office.customers.heard_s == {}


class Engine:
    """A media engine whose legs exist in name only; `broken` rooms cannot end their recording."""

    healthy = True

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.broken: set[str] = set()
        self.events: asyncio.Queue[MediaEvent] = asyncio.Queue()
        self.before_offer: list[asyncio.Event] = []

    async def create_leg(self, room: str, role: str, near: str | None = None) -> LegOffer:
        for gate in self.before_offer:
            await gate.wait()
        return LegOffer(f"leg-{room}", "v=0")

    async def end_recording(self, room: str) -> tuple[RecordedTrack, ...]:
        self.calls.append(("end_recording", room))
        if room in self.broken:
            raise MediaError("disk")
        return ()

    async def next_event(self) -> MediaEvent:
        return await self.events.get()

    def __getattr__(self, name: str) -> object:
        async def act(*arguments: object, **_more: object) -> None:
            self.calls.append((name, *(str(argument) for argument in arguments)))

        return act


async def both_in_a_call(engine: Engine, folder: Path) -> Calls:
    calls = Calls(engine, lambda _: None, lambda _v, _p: None)  # type: ignore[arg-type]  # see Engine
    listening = asyncio.create_task(calls.listen())
    for role, owner in ((CUSTOMER, "v"), (CLERK, "c")):
        offer = await calls.join(role, owner)
        await engine.events.put(LegConnected(offer.leg_id))
    await asyncio.sleep(0.01)
    await calls.bring_together("v", "c", Recording(folder, "age1", 1))
    listening.cancel()
    return calls


async def test_one_sides_broken_recording_does_not_keep_the_other_side_recorded(tmp_path: Path) -> None:
    engine = Engine()
    calls = await both_in_a_call(engine, tmp_path)
    engine.broken = {"customer-v"}
    with pytest.raises(CounterError):
        await calls.part("v")
    assert ("end_recording", "clerk-c") in engine.calls
    assert {call for call in engine.calls if call[0] == "detach"} == {
        ("detach", "leg-customer-v"),
        ("detach", "leg-clerk-c"),
    }


async def test_a_page_that_joins_while_its_call_is_hung_up_leaves_no_leg(tmp_path: Path) -> None:
    engine = Engine()
    calls = Calls(engine, lambda _: None, lambda _v, _p: None)  # type: ignore[arg-type]  # see Engine
    gate = asyncio.Event()
    engine.before_offer.append(gate)
    joining = asyncio.create_task(calls.join(CUSTOMER, "v"))
    await asyncio.sleep(0.01)
    await calls.leave(CUSTOMER, "v")
    gate.set()
    with pytest.raises(CounterError):
        await joining
    assert ("close_leg", "leg-customer-v") in engine.calls


async def test_a_visit_cancelled_while_its_call_begins_is_not_recorded_on(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await waiting(office, "replace-card")
        wire = office.calls.bring_together

        async def late(visit_id: str, clerk_id: str, recording: Recording) -> None:
            await customer.cancel(office, visit_id)
            await wire(visit_id, clerk_id, recording)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(office.calls, "bring_together", late)
            await desk.take(office, clerk, None)
        assert office.calls._pairs == {}
        assert visit.visit_id not in office.evidence


async def before_the_camera(office: Office) -> Visit:
    """A visit whose card was read; nobody has a camera here."""
    visit = await opened(office, "change-address")
    await customer.consent(office, visit.visit_id)
    await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
    return visit


async def up(*_: object) -> None:
    """The camera's line."""


async def test_a_face_check_begun_again_before_anything_was_asked_costs_no_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office_in(tmp_path) as office:
        visit = await before_the_camera(office)
        monkeypatch.setattr(office.calls, "watch", up)
        seeds = set()
        for _ in range(6):
            await face_attempt.start_face(office, visit.visit_id)
            seeds.add(office.challenges[visit.visit_id].seed)
        assert len(seeds) == 6
        assert (await now(office, visit)).face_attempts == 0
        for _ in range(10):
            if (await now(office, visit)).state is VisitState.FACE:
                await face_attempt.start_face(office, visit.visit_id)
        ended = await now(office, visit)
        assert (ended.state, ended.reason) == (VisitState.REFUSED, Reason.NOT_LIVE)


async def test_a_face_check_begun_again_after_a_movement_was_asked_for_costs_a_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office_in(tmp_path) as office:
        visit = await before_the_camera(office)
        monkeypatch.setattr(office.calls, "watch", up)
        for attempts in range(3):
            await face_attempt.start_face(office, visit.visit_id)
            assert (await now(office, visit)).face_attempts == attempts
            office.challenges[visit.visit_id].shown = True
        await face_attempt.start_face(office, visit.visit_id)
        ended = await now(office, visit)
        assert (ended.state, ended.reason, ended.face_attempts) == (VisitState.REFUSED, Reason.NOT_LIVE, 3)


async def test_pictures_that_came_by_another_line_prove_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office_in(tmp_path) as office:
        visit = await before_the_camera(office)
        monkeypatch.setattr(office.calls, "fingerprint", lambda _: "sha-256 AA")
        face_attempt.draw_challenge(office, visit.visit_id)
        monkeypatch.setattr(office.calls, "fingerprint", lambda _: "sha-256 BB")
        await face_decision.decide_face(office, face(visit.visit_id, "accept"))
        after = await now(office, visit)
        assert (after.state, after.assurance) == (VisitState.FACE, Assurance.NONE)
        assert after.face is not None
        assert not after.face.live
        assert {c.name: c.outcome for c in after.checks}["line"] is CheckOutcome.FAILED


async def test_of_two_cards_read_at_once_the_portrait_kept_is_the_accepted_holders(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit = await opened(office, "change-address")
        await customer.consent(office, visit.visit_id)
        cards = [
            chip_message(),
            chip_message(Defect.EXPIRED),
            message_of(evidence_of(make_card(portrait=drawn_portrait(100)))),
        ]
        taken = await asyncio.gather(
            *(card_step.take_chip_evidence(office, visit.visit_id, card) for card in cards), return_exceptions=True
        )
        accepted = [card for card, answer in zip(cards, taken, strict=True) if answer is None]
        assert len(accepted) == 1
        held = office.evidence[visit.visit_id].exhibits if visit.visit_id in office.evidence else {}
        if (await now(office, visit)).state is VisitState.FACE:
            assert held["chip/dg2.bin"].content == accepted[0].data_groups[2]
            assert held["chip/ef-sod.bin"].content == accepted[0].ef_sod
        else:
            assert accepted == [cards[1]]


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
