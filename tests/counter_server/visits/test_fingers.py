"""The finger step with the real network and matcher, on fingers that belong to nobody."""

import asyncio
import contextlib
import multiprocessing
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.template_formats import write_minutiae
from counter_server.catalogue.catalogue import FingerUse
from counter_server.errors import CounterError
from counter_server.identification.finger_messages import Judge
from counter_server.identification.finger_process import KEPT_AS
from counter_server.identification.fingers import FingerDesk
from counter_server.records import erasure, slots
from counter_server.records.contents import open_class
from counter_server.records.keeping import KeepClass
from counter_server.records.record import ObjectClass
from counter_server.records.verify import verify_record
from counter_server.visits import card_step, customer, desk, enrolments, fingers, store
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from hardware_drivers.fingerprint.synthetic_impression import empty_glass
from tests.counter_server.builders import (
    PASSWORD,
    add_clerk,
    chip_message,
    decided,
    face,
    noticed,
    now,
    office_in,
    opened,
    read_and_sign,
    sha_of,
    with_card_and_face,
)
from tests.counter_server.fingers import HOLDERS, STRANGERS, at_finger, enrolled, given, of_png, picture, png_of
from tests.hardware_drivers.id_chip.test_content import finger_record, group
from webrtc.wire.catalogue import Assurance, Channel, Route
from webrtc.wire.check import CheckOutcome, Verdict
from webrtc.wire.console import Approve, Countersign, SetChecklistItem
from webrtc.wire.face import ContinuityState
from webrtc.wire.finger import CannotGiveFinger, FingerAdvice, FingerTask, PadVerdict
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import Reason, SubmitForm, VisitState

DESK = FingerDesk()
PIN_FORM = {"card_last4": "4321"}


@pytest.fixture(autouse=True, scope="module")
def the_desk() -> Iterator[None]:
    """One finger process for all of them: loading it takes longer than a visit."""
    yield
    asyncio.run(DESK.stop())


@contextlib.asynccontextmanager
async def fingers_in(home: Path) -> AsyncIterator[Office]:
    """An office with the process that all of them share."""
    async with office_in(home) as office:
        office.fingers = DESK
        yield office


def outcome(visit: Visit, name: str) -> CheckOutcome:
    return next(check.outcome for check in visit.checks if check.name == name)


async def test_a_registered_finger_lets_the_holder_through_and_nobody_else(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        registered = await enrolled(office)
        assert (registered.state, registered.route) == (VisitState.DONE, Route.SELF_SERVICE)
        folder = office.safe.folder_of(registered.record_id)
        assert verify_record(folder, office.sealing.trust_root.read_bytes()).first_broken is None
        keys = (await office.db.run(slots.read_slots, registered.record_id)).open(office.master)
        templates = open_class(folder, keys.keyring(), ObjectClass.FINGER)
        assert len(templates) == enrolments.IMPRESSIONS
        assert all(template.startswith(b"FMR\0") and len(template) < 2000 for template in templates.values())

        visit = await at_finger(office)
        assert visit.finger is not None
        assert (visit.finger.task, visit.route) == (FingerTask.COMPARE, Route.SELF_SERVICE)
        await fingers.take_impression(office, visit.visit_id, given(picture(HOLDERS, 9)))
        passed = await now(office, visit)
        assert (passed.state, passed.assurance, passed.route) == (
            VisitState.FORM,
            Assurance.CHIP_FACE_AND_FINGER,
            Route.SELF_SERVICE,
        )
        assert passed.finger is not None
        assert passed.finger.verdict is Verdict.ACCEPT
        assert passed.finger.fmr_upper is not None
        assert outcome(passed, "finger") is CheckOutcome.PASSED
        assert outcome(passed, "finger_sensor") is CheckOutcome.NOT_POSSIBLE  # nobody said that it is alive
        kept = office.evidence[visit.visit_id].exhibits.values()
        assert not any(exhibit.media_type == "image/png" for exhibit in kept)
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=PIN_FORM))
        await customer.confirm(office, visit.visit_id)
        assert (await now(office, visit)).state is VisitState.DONE

        other = await at_finger(office)
        for left in (2, 1):
            await fingers.take_impression(office, other.visit_id, given(picture(STRANGERS, left)))
            tried = await now(office, other)
            assert tried.finger is not None
            assert (tried.state, tried.finger.attempts_left) == (VisitState.FINGER, left)
        await fingers.take_impression(office, other.visit_id, given(picture(STRANGERS, 3)))
        refused = await now(office, other)
        assert (refused.state, refused.reason) == (VisitState.REFUSED, Reason.FINGER_DIFFERENT)
        assert outcome(refused, "finger") is CheckOutcome.FAILED
        assert await office.db.run(store.count_journal, other.visit_id, "finger_not_passed") == 3


async def test_an_empty_glass_costs_no_try_and_ends_at_a_clerk(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        await enrolled(office)
        visit = await at_finger(office)
        for seed in range(fingers.MOST_SEEN - 1):
            await fingers.take_impression(office, visit.visit_id, given(empty_glass(seed=seed)))
        waiting = await now(office, visit)
        assert waiting.finger is not None
        assert (waiting.finger.attempts_left, waiting.finger.advice) == (3, FingerAdvice.NO_FINGER)
        await fingers.take_impression(office, visit.visit_id, given(empty_glass(seed=99)))
        left = await now(office, visit)
        assert (left.state, left.route, left.assurance) == (VisitState.FORM, Route.CLERK, Assurance.CHIP_AND_FACE)
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=PIN_FORM))
        await desk.take(office, await add_clerk(office, "zhang"), None)
        assert "finger-referred" in {item.item_id for item in (await now(office, visit)).checklist}


async def test_whoever_cannot_give_a_finger_is_served_by_two_people(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        clerk, second = await add_clerk(office, "zhang"), await add_clerk(office, "li", "approver")
        await enrolled(office)
        visit = await at_finger(office)
        await fingers.take_impression(office, visit.visit_id, given(picture(STRANGERS, 1)))
        await fingers.cannot_give(office, visit.visit_id, CannotGiveFinger())
        said = next(check.why for check in (await now(office, visit)).checks if check.name == "finger")
        assert said == "no finger could be given, after 1 that did not fit"  # stopping in time hides nothing
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=PIN_FORM))
        await desk.take(office, clerk, None)
        yes = SetChecklistItem(outcome=CheckOutcome.PASSED)
        for item in (await now(office, visit)).checklist:
            if item.item_id == "finger-missing":
                with pytest.raises(CounterError) as bare:
                    await desk.set_item(office, clerk, visit.visit_id, item.item_id, yes)
                assert bare.value.field == "note"
                noted = SetChecklistItem(outcome=CheckOutcome.PASSED, note="bandage on the right hand")
                await desk.set_item(office, clerk, visit.visit_id, item.item_id, noted)
            else:
                await desk.set_item(office, clerk, visit.visit_id, item.item_id, yes)
        await noticed(office, visit, ContinuityState.HELD)
        await desk.push_document(office, clerk, visit.visit_id)
        shown = await now(office, visit)
        await read_and_sign(office, shown)
        act = Countersign(document_sha256=sha_of(shown), password=PASSWORD)
        await desk.countersign(office, clerk, visit.visit_id, act)
        assert (await now(office, visit)).state is VisitState.APPROVING
        approve = Approve(decision="approve", document_sha256=sha_of(shown), password=PASSWORD)
        await desk.decide_approval(office, second, visit.visit_id, approve)
        assert (await now(office, visit)).state is VisitState.DONE


async def test_a_sensor_that_doubts_sends_even_the_right_ridges_to_a_clerk(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        await enrolled(office)
        visit = await at_finger(office)
        doubted = given(picture(HOLDERS, 8), said=PadVerdict.ATTACK)
        await fingers.take_impression(office, visit.visit_id, doubted)
        asked = await now(office, visit)
        assert asked.finger is not None
        assert (asked.state, asked.finger.advice) == (VisitState.FINGER, FingerAdvice.SENSOR_DOUBTS)
        await fingers.take_impression(office, visit.visit_id, given(picture(HOLDERS, 9), said=PadVerdict.LIVE))
        left = await now(office, visit)
        assert (left.state, left.route) == (VisitState.FORM, Route.CLERK)
        assert outcome(left, "finger_sensor") is CheckOutcome.FAILED


async def test_an_enrolment_is_of_one_finger_and_asks_for_better_impressions(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        visit = await with_card_and_face(office, "enrol-finger")
        steps = (
            (empty_glass(), 0, FingerAdvice.NO_FINGER),
            (picture(HOLDERS, 1), 1, None),
            (picture(STRANGERS, 1), 1, FingerAdvice.SAME_FINGER),
            (picture(HOLDERS, 2), 2, None),
        )
        for pixels, taken, advice in steps:
            await fingers.take_impression(office, visit.visit_id, given(pixels))
            seen = await now(office, visit)
            assert seen.finger is not None
            assert (seen.finger.taken, seen.finger.advice) == (taken, advice)
        with pytest.raises(CounterError) as other_hand:
            await fingers.take_impression(office, visit.visit_id, given(picture(HOLDERS, 3), position=7))
        assert other_hand.value.field == "position"
        await customer.cancel(office, visit.visit_id)
        assert (await with_card_and_face(office, "reset-pin")).state is VisitState.FORM  # nothing was kept


async def test_an_erased_finger_is_not_known_any_more_and_a_new_one_replaces_the_old(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        first = await enrolled(office)
        second = await enrolled(office, STRANGERS)
        later = datetime.now(UTC) + timedelta(seconds=1)
        done = await office.db.run(erasure.enforce_retention, office.master, later)
        office.master.promote()
        assert done.erased == ((first.record_id, KeepClass.FINGER),)
        visit = await at_finger(office)
        await fingers.take_impression(office, visit.visit_id, given(picture(STRANGERS, 9)))
        assert (await now(office, visit)).assurance is Assurance.CHIP_FACE_AND_FINGER
        await customer.cancel(office, visit.visit_id)

        holder_of = await office.db.run(erasure.customer_of, second.record_id)
        await office.db.run(erasure.erase_customer, office.master, holder_of, later)
        office.master.promote()
        unknown = await with_card_and_face(office, "reset-pin")
        assert (unknown.state, unknown.route) == (VisitState.FORM, Route.CLERK)
        assert outcome(unknown, "finger") is CheckOutcome.NOT_POSSIBLE


@pytest.mark.parametrize(
    "png",
    [
        b"GIF89a" + bytes(64),
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0" + bytes(64),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (300).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0" + bytes(64),
    ],
)
async def test_what_is_no_picture_of_a_finger_changes_nothing(tmp_path: Path, png: bytes) -> None:
    async with fingers_in(tmp_path) as office:
        visit = await with_card_and_face(office, "enrol-finger")
        with pytest.raises(CounterError) as refused:
            await fingers.take_impression(office, visit.visit_id, of_png(png))
        assert refused.value.code is ErrorCode.FINGER_POOR
        after = await now(office, visit)
        assert after.finger is not None
        assert after.finger.taken == 0


async def test_a_phone_is_never_asked_for_a_finger(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        offers = {s.service_id: s.offer(Channel.PHONE) for s in office.catalogue.values()}
        assert offers["reset-pin"].route is Route.NOT_HERE
        with pytest.raises(CounterError) as refused:
            await opened(office, "reset-pin", Channel.PHONE)
        assert refused.value.code is ErrorCode.SERVICE_NEEDS_KIOSK


async def test_a_finger_instead_of_the_face(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        await enrolled(office)
        usual = office.catalogue["change-address"]
        by_finger = usual.model_copy(
            update={"finger": FingerUse.INSTEAD, "self_service_from": Assurance.CHIP_AND_FINGER}
        )
        office.catalogue = {**office.catalogue, "change-address": by_finger}
        for finger, state in ((HOLDERS, VisitState.FORM), (None, VisitState.FACE)):
            visit = await opened(office, "change-address")
            await customer.consent(office, visit.visit_id)
            await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
            assert (await now(office, visit)).state is VisitState.FINGER
            if finger is None:
                await fingers.cannot_give(office, visit.visit_id, CannotGiveFinger())
            else:
                await fingers.take_impression(office, visit.visit_id, given(picture(finger, 9)))
            after = await now(office, visit)
            assert after.state is state
        await decided(office, face(visit.visit_id))
        by_face = await now(office, visit)
        assert (by_face.state, by_face.route, by_face.finger) == (VisitState.FORM, Route.SELF_SERVICE, None)


async def test_ridges_of_noise_are_advised_on_and_never_accepted(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        await enrolled(office)
        visit = await at_finger(office)
        noise = np.random.default_rng(5).integers(0, 256, (374, 388), dtype=np.uint8)
        await fingers.take_impression(office, visit.visit_id, given(noise))
        after = await now(office, visit)
        assert after.state is VisitState.FINGER
        assert after.finger is not None
        assert after.finger.advice is not None


async def test_the_finger_in_the_card_is_compared_before_any_that_was_registered(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        await enrolled(office, STRANGERS)
        visit = await opened(office, "reset-pin")
        await customer.consent(office, visit.visit_id)
        await card_step.take_chip_evidence(office, visit.visit_id, chip_message())
        on_card = picture(HOLDERS, 1)
        record = finger_record(on_card.tobytes(), compression=0, sides=(on_card.shape[1], on_card.shape[0]), position=7)
        evidence = office.evidence_of(visit.visit_id)  # a chip's DG3 as read: its signature is chip.py's matter
        evidence.chip_fingers = group(0x63, record)
        await decided(office, face(visit.visit_id))
        asked = await now(office, visit)
        assert asked.finger is not None
        assert (asked.state, asked.finger.position) == (VisitState.FINGER, 7)
        await fingers.take_impression(office, visit.visit_id, given(picture(HOLDERS, 9), position=7))
        assert (await now(office, visit)).assurance is Assurance.CHIP_FACE_AND_FINGER


async def test_a_finger_process_that_dies_costs_one_picture(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        visit = await with_card_and_face(office, "enrol-finger")
        await fingers.take_impression(office, visit.visit_id, given(picture(HOLDERS, 1)))
        process = next(child for child in multiprocessing.active_children() if child.name == "finger")
        process.kill()
        process.join()
        await fingers.take_impression(office, visit.visit_id, given(picture(HOLDERS, 2)))
        after = await now(office, visit)
        assert after.finger is not None
        assert after.finger.taken == 2


async def test_a_template_of_three_minutiae_lets_nobody_in(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        points = np.array([[50.0, 60.0, 0.1], [90.0, 80.0, 1.0], [70.0, 120.0, 2.0]])
        three = Minutiae.of(points, kind=np.ones(3, np.uint8), quality=np.ones(3), width_px=388, height_px=374)
        template = write_minutiae(three, KEPT_AS)
        finding = await office.fingers.judge(Judge(png_of(picture(HOLDERS, 1)), 500.0, 2, enrolled=(template,)))
        assert finding.readable
        assert Verdict(finding.verdict) is not Verdict.ACCEPT
        broken = await office.fingers.judge(Judge(png_of(picture(HOLDERS, 1)), 500.0, 2, enrolled=(template[:40],)))
        assert not broken.readable


async def test_a_print_of_few_minutiae_is_a_clerks_matter_and_no_reason_to_refuse(tmp_path: Path) -> None:
    async with fingers_in(tmp_path) as office:
        await enrolled(office)
        visit = await at_finger(office)
        part = np.full((374, 388), 235, np.uint8)
        part[150:220, 160:230] = picture(STRANGERS, 1)[150:220, 160:230]
        while (await now(office, visit)).state is VisitState.FINGER:
            await fingers.take_impression(office, visit.visit_id, given(part))
        after = await now(office, visit)
        assert (after.state, after.route) == (VisitState.FORM, Route.CLERK)
