"""A phone that is recognised at the next visit: what it may stand for, what it never stands for, and its evil twins."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, update

from counter_server.catalogue.catalogue import Service
from counter_server.errors import CounterError
from counter_server.people import customer_passkeys, passkeys
from counter_server.people.tables import customer_passkey
from counter_server.records import erasure, slots
from counter_server.records.passkey_act import POSSESSOR, PasskeyAct, passkey_object
from counter_server.records.tables import customer_slot
from counter_server.records.verify import verify_record
from counter_server.records.verify_content import staff_acted_by_passkey
from counter_server.visits import customer, desk, doors, phone_keys, store
from counter_server.visits.closing import refuse
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from counter_server.visits.stepup import party_of
from tests.counter_server.authenticator import PRESENT, VERIFIED, Authenticator
from tests.counter_server.builders import (
    ADDRESS,
    PASSWORD,
    add_clerk,
    decided,
    face,
    noticed,
    office_in,
    opened,
    signature,
    with_card_and_face,
)
from webrtc.wire.catalogue import Assurance, Channel, Route
from webrtc.wire.check import CheckOutcome
from webrtc.wire.console import ClerkView, Countersign, SetChecklistItem
from webrtc.wire.face import ContinuityState
from webrtc.wire.message import ErrorCode
from webrtc.wire.passkey import PhoneKey
from webrtc.wire.visit import PageSeen, Reason, SubmitForm, VisitState

EXPIRED = timedelta(days=4 * 366)  # beyond the three years that finger and phone are kept for use


async def phone_at_consent(office: Office) -> Visit:
    return await opened(office, "change-address", Channel.PHONE)


async def living_face(office: Office, visit: Visit) -> Visit:
    """A phone has no portrait to compare with: a living person, left to whoever looks."""
    await customer.consent(office, visit.visit_id)
    await decided(office, face(visit.visit_id, "refer", compared=False))
    return await office.db.run(store.load, visit.visit_id)


async def served_by(office: Office, clerk: ClerkView, visit: Visit) -> Visit:
    """From the form through the call to the sealed record."""
    await customer.submit_form(office, visit.visit_id, SubmitForm(values=ADDRESS))
    await desk.take(office, clerk, None)
    await noticed(office, visit, ContinuityState.HELD)
    for item in (await office.db.run(store.load, visit.visit_id)).checklist:
        await desk.set_item(office, clerk, visit.visit_id, item.item_id, SetChecklistItem(outcome=CheckOutcome.PASSED))
    await desk.push_document(office, clerk, visit.visit_id)
    document = (await office.db.run(store.load, visit.visit_id)).document
    assert document is not None
    for page in range(1, document.pages + 1):
        await customer.see_page(office, visit.visit_id, PageSeen(document_sha256=document.sha256, page=page))
    await customer.sign(office, visit.visit_id, signature(document.sha256))
    act = Countersign(document_sha256=document.sha256, password=PASSWORD)
    await desk.countersign(office, clerk, visit.visit_id, act)
    await office.db.run(store.clear_desk, clerk.clerk_id)
    return await office.db.run(store.load, visit.visit_id)


async def kept(office: Office, key: Authenticator) -> Visit:
    """A phone that is known from a visit whose record is sealed; a refusal's, which is the quickest to make."""
    visit = await phone_at_consent(office)
    await refuse(office, visit.visit_id, Reason.BY_CLERK, store.COUNTER)
    handle = customer_passkeys.new_handle()
    options, challenge = passkeys.key_options(party_of(office), handle, "any", [])
    office.phone_questions.ask("test", challenge, handle)
    question = office.phone_questions.answered(challenge, "test")
    await office.db.run(customer_passkeys.keep, party_of(office), question, key.create(options), visit.record_id)
    return visit


async def shown(office: Office, visit: Visit, key: Authenticator) -> Visit:
    question = await phone_keys.ask(office, visit.visit_id)
    await phone_keys.show(office, visit.visit_id, key.get(question.options))
    return await office.db.run(store.load, visit.visit_id)


async def refused(
    office: Office, visit: Visit, key: Authenticator, code: ErrorCode = ErrorCode.PASSKEY_REFUSED
) -> None:
    """The phone is not recognised, and the visit is where it was."""
    with pytest.raises(CounterError) as no:
        await shown(office, visit, key)
    assert no.value.code is code
    after = await office.db.run(store.load, visit.visit_id)
    assert (after.known_phone, after.route, after.state) == (None, Route.CLERK, VisitState.CONSENT)
    assert office.evidence_of(visit.visit_id).possession is None


async def offered(office: Office, visit: Visit) -> PhoneKey:
    return (await doors.view_of(office, visit.visit_id)).phone_key


async def known(office: Office) -> int:
    return await office.db.run(lambda c: c.execute(select(func.count()).select_from(customer_passkey)).scalar_one())


async def test_a_phone_is_offered_kept_recognised_and_the_record_proves_it(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        zhang = await add_clerk(office, "zhang")
        visit = await phone_at_consent(office)
        assert await offered(office, visit) is PhoneKey.ASKABLE
        first = await served_by(office, zhang, await living_face(office, visit))
        assert await offered(office, first) is PhoneKey.OFFERED
        key = Authenticator()
        question = await phone_keys.ask_new(office, first.visit_id)
        asked = json.loads(question.options)
        assert asked["authenticatorSelection"]["userVerification"] == "required"
        assert asked["authenticatorSelection"]["residentKey"] == "required"
        await phone_keys.keep(office, first.visit_id, key.create(question.options))
        assert await offered(office, first) is PhoneKey.KEPT

        second = await shown(office, await phone_at_consent(office), key)
        assert await offered(office, second) is PhoneKey.RECOGNISED
        second = await living_face(office, second)
        # the phone stands for the clerk here, and for nothing of what the face or a chip would have to prove
        assert (second.route, second.assurance) == (Route.SELF_SERVICE, Assurance.LIVE_PERSON)
        await customer.submit_form(office, second.visit_id, SubmitForm(values=ADDRESS))
        await customer.confirm(office, second.visit_id)
        done = await office.db.run(store.load, second.visit_id)
        assert done.state is VisitState.DONE

        folder = office.safe.folder_of(done.record_id)
        manifest = json.loads((folder / "record.json").read_text())
        (listed,) = [check for check in manifest["checks"] if check["name"] == "possession"]
        assert listed["outcome"] == "passed"
        assert listed["why"].startswith("possession factor: passkey (user verified by the device)")
        assert first.record_id in listed["why"]
        journal = await office.db.run(store.read_journal_of, done.visit_id)
        (entry,) = [entry for entry in journal if entry.event == "phone_recognised"]
        assert (entry.details["factor"], entry.details["verified"]) == ("possession", "by the device")
        stored = await office.db.run(slots.read_slots, done.record_id)
        verification = verify_record(
            folder, office.sealing.trust_root.read_bytes(), stored.open(office.master).keyring()
        )
        assert verification.first_broken is None
        said = [check.why for check in verification.checks if check.name == staff_acted_by_passkey.__name__]
        assert said == ["0 passkeys, and the customer's own"]
        # both visits are one customer's now, so that erasing the one erases the other
        assert await office.db.run(erasure.customer_of, done.record_id) == f"V-{first.record_id}"


async def test_what_the_phone_keeps_says_nothing_of_its_owner(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        zhang = await add_clerk(office, "zhang")
        done = await served_by(office, zhang, await living_face(office, await phone_at_consent(office)))
        users = [json.loads((await phone_keys.ask_new(office, done.visit_id)).options)["user"] for _ in range(2)]
        assert users[0]["id"] != users[1]["id"]  # drawn, not derived
        assert {user["name"] for user in users} == {f"{passkeys.NAME} {done.opened_at:%Y-%m-%d}"}
        assert done.record_id not in json.dumps(users)


async def test_without_a_policy_the_phone_lowers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office_in(tmp_path) as office:
        await kept(office, key := Authenticator())
        service = office.catalogue["change-address"].model_copy(update={"passkey_self_service": False})
        monkeypatch.setattr(office, "catalogue", {**office.catalogue, "change-address": service})
        visit = await living_face(office, await shown(office, await phone_at_consent(office), key))
        assert visit.known_phone is not None
        assert (visit.route, visit.assurance) == (Route.CLERK, Assurance.LIVE_PERSON)
        for high in ("replace-card", "raise-limit"):
            with pytest.raises(CounterError) as closed:
                await opened(office, high, Channel.PHONE)
            assert closed.value.code is ErrorCode.SERVICE_NEEDS_KIOSK


@pytest.mark.parametrize("change", [{"risk": "high"}, {"self_service_from": None, "unattended_fmr": None}])
def test_no_high_risk_service_can_be_written_that_a_phone_opens(change: dict[str, object]) -> None:
    written = {
        "service_id": "any",
        "title": {"zh": "", "en": ""},
        "summary": {"zh": "", "en": ""},
        "risk": "low",
        "minutes": 1,
        "order": 1,
        "self_service_from": "chip_and_face",
        "unattended_fmr": 1e-3,
        "passkey_self_service": True,
        "clerk_from": "live_person",
        "needs_approval": False,
        "document": "any",
        "form": [],
        "checklist": [],
    }
    assert Service.model_validate(written).passkey_self_service
    with pytest.raises(ValueError, match="passkey_self_service"):
        Service.model_validate(written | change)


async def test_a_face_that_is_not_alive_is_refused_whatever_the_phone_says(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        await kept(office, key := Authenticator())
        visit = await shown(office, await phone_at_consent(office), key)
        await customer.consent(office, visit.visit_id)
        for _ in range(office.settings.patience.face_attempts):
            await decided(office, face(visit.visit_id, "reject", live=False, compared=False))
        assert (await office.db.run(store.load, visit.visit_id)).state is VisitState.REFUSED


def without_user(key: Authenticator) -> None:
    key.flags = PRESENT


def without_touch(key: Authenticator) -> None:
    key.flags = VERIFIED


def for_other_counter(key: Authenticator) -> None:
    key.rp_id = "evil.test"


def for_other_page(key: Authenticator) -> None:
    key.origin = "https://localhost:8070.evil.test"


def as_a_copy(key: Authenticator) -> None:
    key.step = 0


def as_somebody_else(key: Authenticator) -> None:
    key.handle = "A" * 43


def as_nobody(key: Authenticator) -> None:
    key.handle = None


def by_another_key(key: Authenticator) -> None:
    key.key = Authenticator().key


LIES = (
    without_user,
    without_touch,
    for_other_counter,
    for_other_page,
    as_a_copy,
    as_somebody_else,
    as_nobody,
    by_another_key,
)


async def test_a_lying_phone_is_not_recognised(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        for lie in LIES:
            await kept(office, key := Authenticator())
            await shown(office, await phone_at_consent(office), key)
            lie(key)
            visit = await phone_at_consent(office)
            await refused(office, visit, key)
            said = (await office.db.run(store.load, visit.visit_id)).checks
            assert [(check.name, check.outcome) for check in said] == [("possession", CheckOutcome.FAILED)], lie


async def test_other_phones_and_the_staffs_keys_are_strangers(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        zhang = await add_clerk(office, "zhang")
        mine = await kept(office, key := Authenticator())
        theirs = await kept(office, other := Authenticator())
        await refused(office, await phone_at_consent(office), Authenticator())
        # another customer's phone makes nobody me
        visit = await shown(office, await phone_at_consent(office), other)
        assert visit.known_phone is not None
        assert visit.known_phone.record_id == theirs.record_id != mine.record_id
        # a key of another customer under my key's name
        other.credential_id = key.credential_id
        await refused(office, await phone_at_consent(office), other)
        # a clerk's key opens no visit, and a customer's key no console
        party, clerks_key = party_of(office), Authenticator()
        options, challenge = passkeys.creation_options(party, zhang, [])
        office.questions.ask("new", challenge)
        made = clerks_key.create(options)
        question = office.questions.answered(passkeys.challenge_in(made), "new")
        await office.db.run(passkeys.register, party, zhang.clerk_id, question, made)
        await refused(office, await phone_at_consent(office), clerks_key)
        office.questions.ask("login", b"c" * 32)
        login = key.get(passkeys.request_options(party, b"c" * 32, []))
        with pytest.raises(CounterError, match="unknown key"):
            await office.db.run(passkeys.assert_key, party, office.questions.answered(b"c" * 32, "login"), login)


async def test_an_answer_is_good_once_for_one_visit(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        await kept(office, key := Authenticator())
        visit, stolen_for = await phone_at_consent(office), await phone_at_consent(office)
        question = await phone_keys.ask(office, visit.visit_id)
        answer = key.get(question.options)
        await phone_keys.ask(office, stolen_for.visit_id)
        with pytest.raises(CounterError) as elsewhere:
            await phone_keys.show(office, stolen_for.visit_id, answer)
        assert elsewhere.value.code is ErrorCode.PASSKEY_REFUSED
        with pytest.raises(CounterError):  # the theft has used the question up
            await phone_keys.show(office, visit.visit_id, answer)
        earlier = await phone_keys.ask(office, visit.visit_id)
        await phone_keys.ask(office, visit.visit_id)
        with pytest.raises(CounterError):  # only the last question counts
            await phone_keys.show(office, visit.visit_id, key.get(earlier.options))
        for nonsense in ("{}", "no json"):
            other = await phone_at_consent(office)
            with pytest.raises(CounterError) as unread:
                await phone_keys.show(office, other.visit_id, nonsense)
            assert unread.value.code is ErrorCode.PASSKEY_REFUSED


async def test_tries_are_limited_and_the_visit_goes_on_to_a_clerk(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        await kept(office, key := Authenticator())
        visit = await phone_at_consent(office)
        for _ in range(phone_keys.MOST_TRIES):
            await refused(office, visit, Authenticator())
        await refused(office, visit, key, ErrorCode.TOO_MANY_TRIES)  # not even the right one
        visit = await living_face(office, visit)
        assert (visit.state, visit.route) == (VisitState.FORM, Route.CLERK)
        with pytest.raises(CounterError) as late:
            await phone_keys.ask(office, visit.visit_id)
        assert late.value.code is ErrorCode.WRONG_STEP


async def test_only_a_phone_whose_customer_a_clerk_identified_is_kept(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        refused_before = await kept(office, key := Authenticator())
        kiosk = await with_card_and_face(office, "change-address")
        await customer.submit_form(office, kiosk.visit_id, SubmitForm(values=ADDRESS))
        await customer.confirm(office, kiosk.visit_id)
        cancelled = await phone_at_consent(office)
        await customer.cancel(office, cancelled.visit_id)
        alone = await living_face(office, await shown(office, await phone_at_consent(office), key))
        await customer.submit_form(office, alone.visit_id, SubmitForm(values=ADDRESS))
        await customer.confirm(office, alone.visit_id)  # by the phone, seen by nobody
        for visit in (refused_before, kiosk, cancelled, alone, await phone_at_consent(office)):
            with pytest.raises(CounterError) as no:
                await phone_keys.ask_new(office, visit.visit_id)
            assert no.value.code is ErrorCode.WRONG_STEP
        assert await offered(office, kiosk) is PhoneKey.NONE
        assert await known(office) == 1


async def test_an_offer_ends_and_neither_liars_nor_known_phones_are_kept(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        zhang = await add_clerk(office, "zhang")
        await kept(office, elsewhere := Authenticator())
        done = await served_by(office, zhang, await living_face(office, await phone_at_consent(office)))
        for liar in (Authenticator(flags=PRESENT), Authenticator(origin="http://evil.test"), Authenticator(rp_id="x")):
            question = await phone_keys.ask_new(office, done.visit_id)
            with pytest.raises(CounterError) as no:
                await phone_keys.keep(office, done.visit_id, liar.create(question.options))
            assert no.value.code is ErrorCode.PASSKEY_REFUSED
        question = await phone_keys.ask_new(office, done.visit_id)
        with pytest.raises(CounterError) as twice:  # it would be two customers' phone
            await phone_keys.keep(office, done.visit_id, elsewhere.create(question.options))
        assert twice.value.code is ErrorCode.CONFLICT
        assert await known(office) == 1
        assert done.receipt is not None
        sealed = done.receipt.sealed_at - phone_keys.OFFERED_FOR - timedelta(seconds=1)
        old = done.model_copy(update={"receipt": done.receipt.model_copy(update={"sealed_at": sealed})})
        await office.db.run(store.save, old)
        assert await offered(office, done) is PhoneKey.NONE
        with pytest.raises(CounterError):
            await phone_keys.ask_new(office, done.visit_id)


async def test_the_customer_removes_it_at_either_visit(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        first = await kept(office, key := Authenticator())
        await phone_keys.remove(office, first.visit_id)
        await refused(office, await phone_at_consent(office), key)
        with pytest.raises(CounterError) as gone:
            await phone_keys.remove(office, first.visit_id)
        assert gone.value.code is ErrorCode.NOT_FOUND
        await kept(office, other := Authenticator())
        later = await shown(office, await phone_at_consent(office), other)
        await phone_keys.remove(office, later.visit_id)
        await refused(office, await phone_at_consent(office), other)
        stranger = await phone_at_consent(office)
        with pytest.raises(CounterError):
            await phone_keys.remove(office, stranger.visit_id)


async def test_erasing_the_customer_erases_the_phone_in_the_same_transaction(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        first, other = await kept(office, key := Authenticator()), await kept(office, Authenticator())
        mine = f"V-{first.record_id}"
        now = datetime.now(UTC)

        def broken_off(connection: Connection) -> None:
            erasure.erase_customer(connection, office.master, mine, now)
            assert customer_passkeys.of_record(connection, first.record_id) is None
            raise CounterError(ErrorCode.INTERNAL, "the power went")

        with pytest.raises(CounterError, match="power"):
            await office.db.run(broken_off)
        assert await known(office) == 2  # not without the slots
        await office.db.run(erasure.erase_customer, office.master, mine, now)
        assert await office.db.run(customer_passkeys.of_record, first.record_id) is None
        assert await office.db.run(customer_passkeys.of_record, other.record_id) is not None
        await refused(office, await phone_at_consent(office), key)


async def test_a_row_whose_slot_no_master_key_opens_is_nobodys(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        first = await kept(office, key := Authenticator())
        await shown(office, await phone_at_consent(office), key)

        def restored(connection: Connection) -> None:  # as out of a backup from before an erasure elsewhere
            mine = customer_slot.c.customer_id == f"V-{first.record_id}"
            connection.execute(update(customer_slot).where(mine).values(ciphertext=b"under a key that was destroyed"))

        await office.db.run(restored)
        await refused(office, await phone_at_consent(office), key)


async def test_a_hold_keeps_it_and_its_time_ends_it(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        held, free = await kept(office, Authenticator()), await kept(office, Authenticator())
        now = datetime.now(UTC)
        await office.db.run(erasure.place_hold, held.record_id, "case 7", "auditor", now)
        await office.db.run(erasure.enforce_retention, office.master, now + EXPIRED)
        assert await office.db.run(customer_passkeys.of_record, free.record_id) is None
        assert await office.db.run(customer_passkeys.of_record, held.record_id) is not None


async def test_a_customer_erased_during_the_visit_is_not_called_back_to_life(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        first = await kept(office, key := Authenticator())
        visit = await living_face(office, await shown(office, await phone_at_consent(office), key))
        await office.db.run(erasure.erase_customer, office.master, f"V-{first.record_id}", datetime.now(UTC))
        await customer.submit_form(office, visit.visit_id, SubmitForm(values=ADDRESS))
        await customer.confirm(office, visit.visit_id)
        assert await office.db.run(erasure.customer_of, visit.record_id) == f"V-{visit.record_id}"


async def test_a_kept_recognition_cannot_be_bent_to_another_visit(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        await kept(office, key := Authenticator())
        visit = await shown(office, await phone_at_consent(office), key)
        proof = office.evidence_of(visit.visit_id).possession
        assert proof is not None
        assert PasskeyAct.read(proof.to_bytes()).first_flaw() is None
        moved = replace(proof, act=replace(proof.act, record_id="R-20261122-AAAAAAAA"))
        assert moved.first_flaw() == "it was given for another act"
        assert passkey_object(POSSESSOR) == "passkeys/customer.json"


async def test_nothing_of_an_answer_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with office_in(tmp_path) as office:
        await kept(office, key := Authenticator())
        visit = await phone_at_consent(office)
        question = await phone_keys.ask(office, visit.visit_id)
        key.flags = PRESENT
        answer = key.get(question.options)
        with pytest.raises(CounterError) as no:
            await phone_keys.show(office, visit.visit_id, answer)
        journal = await office.db.run(store.read_journal_of, visit.visit_id)
        written = caplog.text + str(no.value) + no.value.body().model_dump_json() + "".join(str(e) for e in journal)
        response = json.loads(answer)["response"]
        for secret in (*response.values(), json.loads(answer)["id"], json.loads(question.options)["challenge"]):
            assert secret not in written
