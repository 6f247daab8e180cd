"""A visit from opening to the verified record, through the real rooms; only cameras and browsers are elsewhere."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from counter_server.errors import CounterError
from counter_server.queue import service as queue
from counter_server.records import service as records
from counter_server.records.verify import verify_record
from counter_server.visits import card_step, customer, desk, presence, store
from hardware_drivers.id_chip.personalise import Defect
from tests.counter_server.builders import (
    ADDRESS,
    PASSWORD,
    add_clerk,
    chip_message,
    decided,
    face,
    noticed,
    office_in,
    opened,
    reading,
    signature,
    signed,
    waiting,
    with_card_and_face,
)
from webrtc.wire.catalogue import Assurance, Channel, Route
from webrtc.wire.check import CheckOutcome
from webrtc.wire.console import Approve, Countersign, SetChecklistItem
from webrtc.wire.face import ContinuityState
from webrtc.wire.message import ErrorCode, Language
from webrtc.wire.visit import OpenVisit, PageSeen, Reason, SubmitForm, VisitState


async def test_low_risk_ends_in_a_verified_record_without_a_clerk(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit = await with_card_and_face(office, "change-address")
        assert (visit.state, visit.assurance, visit.route) == (
            VisitState.FORM,
            Assurance.CHIP_AND_FACE,
            Route.SELF_SERVICE,
        )
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=ADDRESS))
        await customer.confirm(office, visit.visit_id)
        done = await office.db.run(store.load, visit.visit_id)
        assert done.state is VisitState.DONE
        assert done.receipt is not None
        folder = office.safe.folder_of(done.receipt.record_id)
        assert verify_record(folder, office.sealing.trust_root.read_bytes()).first_broken is None
        manifest = json.loads((folder / "record.json").read_text("utf-8"))
        assert manifest["outcome"] == "done"
        assert "ZHANG" not in (folder / "record.json").read_text("utf-8")
        assert visit.visit_id not in office.evidence


async def test_high_risk_needs_checklist_pages_and_both_signatures(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await waiting(office, "replace-card")
        assert visit.state is VisitState.WAITING
        await desk.take(office, clerk, None)
        await noticed(office, visit, ContinuityState.HELD)
        with pytest.raises(CounterError) as open_list:
            await desk.push_document(office, clerk, visit.visit_id)
        assert open_list.value.code is ErrorCode.CHECKLIST_OPEN
        taken = await office.db.run(store.load, visit.visit_id)
        for item in taken.checklist:
            answer = SetChecklistItem(outcome=CheckOutcome.PASSED)
            await desk.set_item(office, clerk, visit.visit_id, item.item_id, answer)
        await desk.push_document(office, clerk, visit.visit_id)
        shown = await office.db.run(store.load, visit.visit_id)
        assert shown.document is not None
        sha256, pages = shown.document.sha256, shown.document.pages
        assert pages >= 2
        await customer.see_page(office, visit.visit_id, PageSeen(document_sha256=sha256, page=1))
        with pytest.raises(CounterError) as unseen:
            await customer.sign(office, visit.visit_id, signature(sha256))
        assert unseen.value.code is ErrorCode.PAGES_UNSEEN
        for page in range(2, pages + 1):
            await customer.see_page(office, visit.visit_id, PageSeen(document_sha256=sha256, page=page))
        with pytest.raises(CounterError) as other:
            await customer.sign(office, visit.visit_id, signature("0" * 64))
        assert other.value.code is ErrorCode.DOCUMENT_CHANGED
        await customer.sign(office, visit.visit_id, signature(sha256))
        with pytest.raises(CounterError) as wrong:
            await desk.countersign(office, clerk, visit.visit_id, Countersign(document_sha256=sha256, password="no"))
        assert wrong.value.code is ErrorCode.WRONG_LOGIN
        yes = Countersign(document_sha256=sha256, password=PASSWORD)
        await desk.countersign(office, clerk, visit.visit_id, yes)
        done = await office.db.run(store.load, visit.visit_id)
        assert done.state is VisitState.DONE
        row = await office.db.run(records.find_record, done.record_id)
        assert row is not None
        assert records.verify_stored(office.safe, row).first_broken is None


async def test_the_second_person_is_somebody_else(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang", "clerk", "approver")
        second = await add_clerk(office, "li", "clerk", "approver")
        third = await add_clerk(office, "wang", "clerk")
        visit = await signed(office, clerk, "raise-limit")
        assert visit.document is not None
        sha256 = visit.document.sha256
        await desk.countersign(office, clerk, visit.visit_id, Countersign(document_sha256=sha256, password=PASSWORD))
        assert (await office.db.run(store.load, visit.visit_id)).state is VisitState.APPROVING
        yes = Approve(decision="approve", document_sha256=sha256, password=PASSWORD)
        for who, code in ((clerk, ErrorCode.SAME_PERSON), (third, ErrorCode.NOT_ALLOWED)):
            with pytest.raises(CounterError) as refused:
                await desk.decide_approval(office, who, visit.visit_id, yes)
            assert refused.value.code is code
        await desk.decide_approval(office, second, visit.visit_id, yes)
        done = await office.db.run(store.load, visit.visit_id)
        assert done.state is VisitState.DONE
        assert [act.role for act in done.signed] == ["customer", "clerk", "approver"]


async def test_a_declined_approval_ends_in_refusal_with_a_record(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        second = await add_clerk(office, "li", "approver")
        visit = await signed(office, clerk, "raise-limit")
        assert visit.document is not None
        sha256 = visit.document.sha256
        await desk.countersign(office, clerk, visit.visit_id, Countersign(document_sha256=sha256, password=PASSWORD))
        no = Approve(decision="decline", document_sha256=sha256, password=PASSWORD, note="call back")
        await desk.decide_approval(office, second, visit.visit_id, no)
        ended = await office.db.run(store.load, visit.visit_id)
        assert (ended.state, ended.reason) == (VisitState.REFUSED, Reason.BY_APPROVER)
        row = await office.db.run(records.find_record, ended.record_id)
        assert row is not None
        assert row.outcome == "refused"


@pytest.mark.parametrize(
    ("defect", "reason"),
    [
        (Defect.EXPIRED, Reason.CARD_EXPIRED),
        (Defect.FOREIGN_ISSUER, Reason.CARD_UNKNOWN_ISSUER),
        (Defect.TAMPERED_DG1, Reason.CARD_NOT_GENUINE),
        (Defect.TAMPERED_DG2, Reason.CARD_NOT_GENUINE),
        (Defect.WRONG_SOD_SIGNATURE, Reason.CARD_NOT_GENUINE),
        (Defect.FORGED_SIGNER, Reason.CARD_NOT_GENUINE),
        (Defect.NO_PORTRAIT, Reason.CARD_NOT_GENUINE),
    ],
)
async def test_a_card_that_is_not_good_is_refused_for_its_reason(
    tmp_path: Path, defect: Defect, reason: Reason
) -> None:
    async with office_in(tmp_path) as office:
        visit = await opened(office, "change-address")
        await customer.consent(office, visit.visit_id)
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message(defect))
        ended = await office.db.run(store.load, visit.visit_id)
        assert (ended.state, ended.reason) == (VisitState.REFUSED, reason)
        assert any(check.outcome is not CheckOutcome.PASSED for check in ended.checks)


async def test_three_faces_that_do_not_fit_end_the_visit(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit = await opened(office, "change-address")
        await customer.consent(office, visit.visit_id)
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        for left in (2, 1):
            await decided(office, face(visit.visit_id, "reject"))
            now = await office.db.run(store.load, visit.visit_id)
            assert now.state is VisitState.FACE
            assert now.face is not None
            assert now.face.attempts_left == left
        await decided(office, face(visit.visit_id, "reject"))
        ended = await office.db.run(store.load, visit.visit_id)
        assert (ended.state, ended.reason) == (VisitState.REFUSED, Reason.FACE_DIFFERENT)


@pytest.mark.parametrize(
    ("reasons", "told"),
    [(("movement_missing", "face_different"), Reason.FACE_DIFFERENT), (("movement_missing",), Reason.NOT_LIVE)],
)
async def test_another_face_is_told_as_such_though_it_missed_its_movements(
    tmp_path: Path, reasons: tuple[str, ...], told: Reason
) -> None:
    async with office_in(tmp_path) as office:
        visit = await opened(office, "change-address")
        await customer.consent(office, visit.visit_id)
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        for _ in range(3):
            await decided(office, replace(face(visit.visit_id, "reject", live=False), reasons=reasons))
        ended = await office.db.run(store.load, visit.visit_id)
        assert (ended.state, ended.reason) == (VisitState.REFUSED, told)


async def test_a_verdict_without_liveness_never_passes(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit = await opened(office, "change-address")
        await customer.consent(office, visit.visit_id)
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        await decided(office, face(visit.visit_id, "accept", live=False))
        assert (await office.db.run(store.load, visit.visit_id)).state is VisitState.FACE


async def test_a_referred_face_goes_to_a_clerk_who_must_compare(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await with_card_and_face(office, "change-address", "refer")
        assert (visit.route, visit.assurance) == (Route.CLERK, Assurance.LIVE_PERSON)
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=ADDRESS))
        await desk.take(office, clerk, None)
        taken = await office.db.run(store.load, visit.visit_id)
        assert taken.checklist[-1].item_id == "face-referred"


async def test_a_phone_reaches_what_it_says_and_no_more(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        request = OpenVisit(service_id="replace-card", language=Language.EN)
        with pytest.raises(CounterError) as refused:
            await customer.open_visit(office, request, Channel.PHONE, kiosk_id=None, phone_token=None)
        assert refused.value.code is ErrorCode.SERVICE_NEEDS_KIOSK
        visit = await opened(office, "change-address", Channel.PHONE)
        await customer.consent(office, visit.visit_id)
        await decided(office, face(visit.visit_id, "refer", compared=False))
        now = await office.db.run(store.load, visit.visit_id)
        assert (now.state, now.assurance, now.route) == (VisitState.FORM, Assurance.LIVE_PERSON, Route.CLERK)


async def test_a_clerk_who_is_gone_gives_the_visit_back_at_its_old_place(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await reading(office, clerk, "replace-card")
        later = await waiting(office, "replace-card")
        await presence.give_back(office, visit)
        back = await office.db.run(store.load, visit.visit_id)
        assert back.state is VisitState.WAITING
        assert (back.clerk_id, back.document, back.checklist) == (None, None, ())
        order = [ticket.visit_id for ticket in await office.db.run(queue.waiting)]
        assert order == [visit.visit_id, later.visit_id]


async def test_a_name_that_cannot_be_printed_is_refused_by_field(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit = await with_card_and_face(office, "change-address")
        values = ADDRESS | {"address": "北京 \U0010fffd"}
        with pytest.raises(CounterError) as refused:
            await customer.submit_form(office, visit.visit_id, SubmitForm(values=values))
        assert (refused.value.code, refused.value.field) == (ErrorCode.UNPRINTABLE, "address")
        assert (await office.db.run(store.load, visit.visit_id)).state is VisitState.FORM


async def test_a_restart_interrupts_open_visits_and_keeps_records(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        done = await with_card_and_face(office, "change-address")
        await customer.submit_form(office, done.visit_id, SubmitForm(values=ADDRESS))
        await customer.confirm(office, done.visit_id)
        cut = await reading(office, clerk, "replace-card")
    async with office_in(tmp_path) as again:
        await presence.recover(again)
        cut_now = await again.db.run(store.load, cut.visit_id)
        assert (cut_now.state, cut_now.reason) == (VisitState.INTERRUPTED, Reason.SERVER_RESTARTED)
        assert await again.db.run(queue.waiting) == ()
        done_now = await again.db.run(store.load, done.visit_id)
        assert done_now.state is VisitState.DONE
        row = await again.db.run(records.find_record, done_now.record_id)
        assert row is not None
        assert records.verify_stored(again.safe, row).first_broken is None
