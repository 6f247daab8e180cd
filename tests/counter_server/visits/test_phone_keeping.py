"""Which phones are kept, for how long, and what takes them away."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from counter_server.errors import CounterError
from counter_server.people import customer_passkeys
from counter_server.records import erasure
from counter_server.records.tables import customer_slot
from counter_server.visits import customer, phone_keys, store
from tests.counter_server.authenticator import PRESENT, Authenticator
from tests.counter_server.builders import (
    ADDRESS,
    add_clerk,
    office_in,
    with_card_and_face,
)
from tests.counter_server.phones import kept, known, living_face, offered, phone_at_consent, refused, served_by, shown
from webrtc.wire.message import ErrorCode
from webrtc.wire.passkey import PhoneKey
from webrtc.wire.visit import SubmitForm

EXPIRED = timedelta(days=4 * 366)  # beyond the three years that finger and phone are kept for use


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
