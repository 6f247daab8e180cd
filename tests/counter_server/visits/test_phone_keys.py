"""Phones recognised at their next visit: what it lowers, what it never does."""

import json
from pathlib import Path

import pytest

from counter_server.catalogue.catalogue import Service
from counter_server.errors import CounterError
from counter_server.people import passkeys
from counter_server.records import erasure, slots
from counter_server.records.verify import verify_record
from counter_server.records.verify_content import staff_acted_by_passkey
from counter_server.visits import customer, phone_keys, store
from tests.counter_server.authenticator import Authenticator
from tests.counter_server.builders import (
    ADDRESS,
    add_clerk,
    decided,
    face,
    office_in,
    opened,
)
from tests.counter_server.phones import kept, living_face, offered, phone_at_consent, served_by, shown
from webrtc.wire.catalogue import Assurance, Channel, Route
from webrtc.wire.message import ErrorCode
from webrtc.wire.passkey import PhoneKey
from webrtc.wire.visit import SubmitForm, VisitState


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
