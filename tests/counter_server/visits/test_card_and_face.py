"""Cards and faces: what counts as a try, what proves nothing, and what an operator reads of a refusal."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from biometrics.face.outcome import FaceReason
from counter_server.errors import CounterError
from counter_server.visits import card_step, customer, face_attempt, face_decision, store
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from counter_server.visits.relay_api import message_of
from hardware_drivers.id_chip.personalise import Defect
from tests.counter_server.builders import chip_message, decided, face, now, office_in, opened
from tests.hardware_drivers.cards import drawn_portrait, evidence_of, make_card
from webrtc.wire.catalogue import Assurance
from webrtc.wire.check import CheckOutcome
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import Reason, VisitState


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


async def test_a_face_that_passes_while_the_next_check_begins_has_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other check begins after it: whoever passed that one would be remembered as the person of this visit."""
    async with office_in(tmp_path) as office:
        visit = await before_the_camera(office)
        monkeypatch.setattr(office.calls, "watch", up)
        await face_attempt.start_face(office, visit.visit_id)
        loop, count = asyncio.get_running_loop(), store.count_journal

        def count_while_it_passes(connection: Connection, visit_id: str, event: str) -> int:
            loop.call_soon_threadsafe(office._face_event, face(visit_id))
            return count(connection, visit_id, event)

        monkeypatch.setattr(store, "count_journal", count_while_it_passes)
        deciding = asyncio.create_task(face_decision.follow_faces(office))
        with pytest.raises(CounterError) as late:
            await face_attempt.start_face(office, visit.visit_id)
        deciding.cancel()
        assert late.value.code is ErrorCode.WRONG_STEP
        passed = await now(office, visit)
        assert (passed.state, passed.assurance) == (VisitState.FORM, Assurance.CHIP_AND_FACE)


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


async def test_an_operator_reads_which_cues_refused_and_of_nobody_whom(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, face_decision.__name__)
    async with office_in(tmp_path) as office:
        visit = await before_the_camera(office)
        reasons = (FaceReason.WRONG_MOVEMENT.value, FaceReason.FLAT.value)
        await decided(office, replace(face(visit.visit_id, "reject", live=False), reasons=reasons))

        (line,) = [record.getMessage() for record in caplog.records if record.name == face_decision.__name__]
        assert line == "face not passed: wrong_movement flat; failed checks: movement"
        journal = await office.db.run(store.read_journal_of, visit.visit_id)
        (entry,) = [entry for entry in journal if entry.event == "face_not_passed"]
        assert entry.details["reasons"] == "wrong_movement flat"


async def test_of_a_face_that_passed_no_reasons_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, face_decision.__name__)
    async with office_in(tmp_path) as office:
        visit = await before_the_camera(office)
        await decided(office, face(visit.visit_id))
        assert [record for record in caplog.records if record.name == face_decision.__name__] == []
