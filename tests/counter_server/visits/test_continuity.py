"""Somebody else in the call: nothing is signed, the clerk is told why, and card and face are asked for again."""

from pathlib import Path

import pytest

from counter_server.config import Patience
from counter_server.errors import CounterError
from counter_server.identification.chip import ChipFinding
from counter_server.visits import card_step, continuity, desk, presence, store
from counter_server.visits.doors import console_of, view_of
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from tests.counter_server.builders import (
    PASSWORD,
    add_clerk,
    chip_message,
    decided,
    face,
    noticed,
    now,
    office_in,
    read_and_sign,
    reading,
    sha_of,
    signed,
    waiting,
)
from webrtc.wire.check import CheckOutcome
from webrtc.wire.console import ClerkView, Countersign, SetChecklistItem
from webrtc.wire.face import ContinuityCue, ContinuityState
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import Reason, VisitState


async def broken(office: Office, visit: Visit, cue: ContinuityCue = ContinuityCue.OTHER_FACE) -> Visit:
    await noticed(office, visit, ContinuityState.BROKEN, cue)
    return await now(office, visit)


def check_of(visit: Visit) -> CheckOutcome | None:
    return next((check.outcome for check in visit.checks if check.name == continuity.CHECK), None)


async def test_after_a_swap_nothing_is_signed_and_the_clerk_reads_which_cue_spoke(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await reading(office, clerk, "replace-card")
        halted = await broken(office, visit)
        assert (halted.state, check_of(halted)) == (VisitState.READING, CheckOutcome.FAILED)
        with pytest.raises(CounterError) as refused:
            await read_and_sign(office, visit)
        assert refused.value.code is ErrorCode.IDENTITY_NOT_HELD
        console = await console_of(office, clerk)
        assert console.visit is not None
        shown = console.visit.continuity
        assert shown is not None
        assert (shown.state, shown.cue, shown.needs_card) == (
            ContinuityState.BROKEN,
            ContinuityCue.OTHER_FACE,
            True,
        )
        journal = await office.db.run(store.read_journal_of, visit.visit_id)
        assert [entry.details["cue"] for entry in journal if entry.event == "identity_lost"] == ["other_face"]
        # what comes later changes nothing
        await noticed(office, visit, ContinuityState.HELD)
        assert (await now(office, visit)).broken is ContinuityCue.OTHER_FACE


async def test_a_swap_after_the_signature_stops_the_clerks(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await signed(office, clerk, "replace-card")
        assert check_of(visit) is CheckOutcome.PASSED
        await broken(office, visit, ContinuityCue.PICTURE_FROZEN)
        with pytest.raises(CounterError) as refused:
            await desk.countersign(
                office, clerk, visit.visit_id, Countersign(document_sha256=sha_of(visit), password=PASSWORD)
            )
        assert refused.value.code is ErrorCode.IDENTITY_NOT_HELD


async def test_whom_nobody_has_recognised_in_the_call_does_not_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(continuity, "RECOGNISED_WITHIN_S", 0.01)
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await reading(office, clerk, "replace-card")
        office.continuity[visit.visit_id].recognised.clear()
        with pytest.raises(CounterError) as refused:
            await read_and_sign(office, visit)
        assert refused.value.code is ErrorCode.IDENTITY_NOT_HELD


async def again(office: Office, clerk: ClerkView, visit: Visit) -> Visit:
    """Broken, and asked for card and face."""
    await broken(office, visit)
    await continuity.ask_again(office, clerk, visit.visit_id)
    return await now(office, visit)


async def test_card_and_face_lead_back_to_the_same_clerk_and_the_document_is_signed_anew(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await signed(office, clerk, "replace-card")
        asked = await again(office, clerk, visit)
        assert (asked.state, asked.document, asked.signed, asked.clerk_id) == (
            VisitState.CARD,
            None,
            (),
            clerk.clerk_id,
        )
        view = await view_of(office, visit.visit_id)
        assert view.continuity is not None
        assert view.continuity.again
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        await decided(office, face(visit.visit_id))
        back = await now(office, visit)
        assert (back.state, back.clerk_id, back.broken, back.again) == (
            VisitState.SERVING,
            clerk.clerk_id,
            None,
            False,
        )
        await noticed(office, visit, ContinuityState.HELD)
        for item in back.checklist:
            passed = SetChecklistItem(outcome=CheckOutcome.PASSED)
            await desk.set_item(office, clerk, visit.visit_id, item.item_id, passed)
        await desk.push_document(office, clerk, visit.visit_id)
        await read_and_sign(office, await now(office, visit))
        done = await now(office, visit)
        assert (done.state, check_of(done)) == (VisitState.COUNTERSIGNING, CheckOutcome.PASSED)
        assert any(c.why.startswith("lost once") for c in done.checks)


async def test_after_a_mere_gap_the_face_alone_is_asked_for(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await reading(office, clerk, "replace-card")
        await broken(office, visit, ContinuityCue.NO_FACE)
        await continuity.ask_again(office, clerk, visit.visit_id)
        assert (await now(office, visit)).state is VisitState.FACE
        await decided(office, face(visit.visit_id))
        assert (await now(office, visit)).state is VisitState.SERVING


async def test_another_face_again_and_again_is_refused(tmp_path: Path) -> None:
    async with office_in(tmp_path, Patience(face_attempts=1)) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await reading(office, clerk, "replace-card")
        await again(office, clerk, visit)
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        await decided(office, face(visit.visit_id, "reject"))
        ended = await now(office, visit)
        assert (ended.state, ended.reason) == (VisitState.REFUSED, Reason.FACE_DIFFERENT)


async def test_somebody_elses_card_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await reading(office, clerk, "replace-card")
        asked = await again(office, clerk, visit)
        assert asked.holder is not None
        other = asked.holder.model_copy(update={"document_number": "OTHER1234"})
        checks = tuple(check for check in asked.checks if check.name != continuity.CHECK)
        monkeypatch.setattr(
            card_step, "check_chip", lambda *_args, **_named: ChipFinding(checks, other, None, None, None)
        )
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        ended = await now(office, visit)
        assert (ended.state, ended.reason) == (VisitState.REFUSED, Reason.OTHER_CARD)


async def test_a_clerk_who_goes_meanwhile_leaves_the_customer_to_the_queue(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await reading(office, clerk, "replace-card")
        await presence.give_back(office, await again(office, clerk, visit))
        alone = await now(office, visit)
        assert (alone.state, alone.clerk_id) == (VisitState.CARD, None)
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        await decided(office, face(visit.visit_id))
        assert (await now(office, visit)).state is VisitState.WAITING
        second = await add_clerk(office, "li")
        await desk.take(office, second, None)
        assert (await now(office, visit)).clerk_id == second.clerk_id


async def test_nobody_elses_clerk_and_nobody_in_the_queue_is_asked(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk, other = await add_clerk(office, "zhang"), await add_clerk(office, "li")
        visit = await waiting(office, "replace-card")
        with pytest.raises(CounterError) as refused:
            await continuity.ask_again(office, clerk, visit.visit_id)
        assert refused.value.code is ErrorCode.NOT_ALLOWED
        await desk.take(office, clerk, None)
        with pytest.raises(CounterError) as refused:
            await continuity.ask_again(office, other, visit.visit_id)
        assert refused.value.code is ErrorCode.NOT_ALLOWED
