"""Face checks are counted by document, whatever visit they were in; then a clerk's eyes decide, or nobody."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from counter_server.config import Patience
from counter_server.visits import card_step, continuity, customer, desk, document_tries, face_attempt, store
from counter_server.visits.closing import refuse
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from counter_server.visits.tables import document_try
from tests.counter_server.builders import FORMS, add_clerk, chip_message, decided, face, office_in, opened
from webrtc.wire.catalogue import Assurance, Route
from webrtc.wire.check import CheckOutcome
from webrtc.wire.console import SetChecklistItem
from webrtc.wire.visit import Reason, SubmitForm, VisitState

TWO = Patience(document_tries=2)


async def at_the_face(office: Office, service_id: str = "change-address") -> Visit:
    visit = await opened(office, service_id)
    await customer.consent(office, visit.visit_id)
    await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
    return await office.db.run(store.load, visit.visit_id)


async def up(*_: object) -> None:
    """The camera's line."""


async def started(office: Office, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> Visit:
    monkeypatch.setattr(office.calls, "watch", up)
    monkeypatch.setattr(office.calls, "unwatch", up)
    await face_attempt.start_face(office, visit.visit_id)
    return await office.db.run(store.load, visit.visit_id)


async def spent(office: Office) -> None:
    """Two visits, with the same document, each ending after one failed face check."""
    for _ in range(2):
        visit = await at_the_face(office)
        await decided(office, face(visit.visit_id, "reject", live=False))
        await refuse(office, visit.visit_id, Reason.CUSTOMER_LEFT, store.COUNTER)


async def test_after_so_many_failures_with_a_document_no_face_check_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office_in(tmp_path, TWO) as office:
        await spent(office)
        visit = await started(office, await at_the_face(office), monkeypatch)
        assert visit.visit_id not in office.challenges
        assert (visit.state, visit.route, visit.assurance) == (VisitState.FORM, Route.CLERK, Assurance.NONE)
        (told,) = [check for check in visit.checks if check.name == "document_tries"]
        assert told.outcome is CheckOutcome.FAILED


async def test_a_clerk_who_compares_and_a_second_person_are_the_way_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office_in(tmp_path, TWO) as office:
        await spent(office)
        visit = await started(office, await at_the_face(office, "replace-card"), monkeypatch)
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=FORMS["replace-card"]))
        clerk = await add_clerk(office, "zhang")
        monkeypatch.setattr(office.calls, "bring_together", ignoring)
        monkeypatch.setattr(office.calls, "follow", ignoring)
        await desk.take(office, clerk, None)
        served = await office.db.run(store.load, visit.visit_id)
        assert served.without_face
        assert served.assurance is Assurance.NONE
        assert desk.FACE_REFERRED.item_id in {item.item_id for item in served.checklist}
        passed = SetChecklistItem(outcome=CheckOutcome.PASSED, note="compared")
        for item in served.checklist:
            assert (await office.db.run(store.load, visit.visit_id)).assurance is Assurance.NONE
            await desk.set_item(office, clerk, visit.visit_id, item.item_id, passed)
        compared = await office.db.run(store.load, visit.visit_id)
        assert compared.assurance is Assurance.CHIP_AND_FACE
        (same,) = [check for check in continuity.with_held_check(compared).checks if check.name == continuity.CHECK]
        assert same.outcome is CheckOutcome.NOT_POSSIBLE  # one face in the call, and no check had said whose


async def ignoring(*_: object, **__: object) -> None:
    """No calls here."""


async def test_where_a_finger_is_wanted_no_clerk_can_stand_for_the_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office_in(tmp_path, TWO) as office:
        await spent(office)
        visit = await started(office, await at_the_face(office, "enrol-finger"), monkeypatch)
        assert (visit.state, visit.reason) == (VisitState.REFUSED, Reason.DOCUMENT_TRIES)


async def test_beginning_again_after_a_movement_was_shown_counts_by_document_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office_in(tmp_path, TWO) as office:
        visit = await at_the_face(office)
        for _ in range(2):
            await started(office, visit, monkeypatch)
            office.challenges[visit.visit_id].shown = True
        await started(office, visit, monkeypatch)
        assert (await started(office, visit, monkeypatch)).without_face


async def test_failures_older_than_the_window_count_no_more_and_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office_in(tmp_path, TWO) as office:
        await spent(office)
        past = update(document_try).values(at_s=document_try.c.at_s - TWO.document_window_s - 1)
        await office.db.run(lambda connection: connection.execute(past))
        visit = await started(office, await at_the_face(office), monkeypatch)
        assert visit.visit_id in office.challenges
        await decided(office, face(visit.visit_id, "reject", live=False))
        rows = await office.db.run(lambda connection: connection.execute(select(document_try)).all())
        assert len(rows) == 1


async def test_a_passed_check_counts_nothing(tmp_path: Path) -> None:
    async with office_in(tmp_path, TWO) as office:
        visit = await at_the_face(office)
        await decided(office, face(visit.visit_id))
        assert not await office.db.run(lambda connection: connection.execute(select(document_try)).all())


async def test_nobody_reads_the_document_out_of_the_table(tmp_path: Path) -> None:
    async with office_in(tmp_path, TWO) as office:
        await spent(office)
        visit = await at_the_face(office)
        assert visit.holder is not None
        rows = await office.db.run(lambda connection: connection.execute(select(document_try)).all())
        assert len({row.document for row in rows}) == 1
        assert visit.holder.document_number not in str(rows)
        other = visit.model_copy(update={"holder": visit.holder.model_copy(update={"document_number": "X1"})})
        patience = office.settings.patience
        assert await office.db.run(document_tries.are_spent, office.master, visit, patience)
        assert not await office.db.run(document_tries.are_spent, office.master, other, patience)


async def test_a_clerk_who_asks_for_the_face_again_in_mid_call_is_not_stopped(tmp_path: Path) -> None:
    async with office_in(tmp_path, TWO) as office:
        await spent(office)
        visit = (await at_the_face(office)).model_copy(update={"again": True})
        assert not await office.db.run(document_tries.are_spent, office.master, visit, office.settings.patience)
