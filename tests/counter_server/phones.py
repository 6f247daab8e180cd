"""Customers' phones in visits: recognised, served, kept and refused."""

import pytest
from sqlalchemy import func, select

from counter_server.errors import CounterError
from counter_server.people import customer_passkeys, passkeys
from counter_server.people.tables import customer_passkey
from counter_server.visits import customer, desk, doors, phone_keys, store
from counter_server.visits.closing import refuse
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from counter_server.visits.stepup import party_of
from tests.counter_server.authenticator import Authenticator
from tests.counter_server.builders import (
    ADDRESS,
    PASSWORD,
    decided,
    face,
    noticed,
    now,
    opened,
    read_and_sign,
    sha_of,
)
from webrtc.wire.catalogue import Channel, Route
from webrtc.wire.check import CheckOutcome
from webrtc.wire.console import ClerkView, Countersign, SetChecklistItem
from webrtc.wire.face import ContinuityState
from webrtc.wire.message import ErrorCode
from webrtc.wire.passkey import PhoneKey
from webrtc.wire.visit import Reason, SubmitForm, VisitState


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
    shown = await now(office, visit)
    await read_and_sign(office, shown)
    act = Countersign(document_sha256=sha_of(shown), password=PASSWORD)
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
