"""A customer recognised by their own phone: a passkey made after one visit and shown at the next.

It says that the phone of then is here and that it verified whoever holds it; what that proves is possession. Face,
chip and finger are asked for as before, by every service; a low-risk one may say that the phone does in a clerk's
place (`passkey_self_service`). Nobody has to have one, and whoever declines is served exactly as before.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from counter_server.catalogue.catalogue import Service
from counter_server.errors import CounterError
from counter_server.people import customer_passkeys, passkeys
from counter_server.people.customer_passkeys import Recognised
from counter_server.records.passkey_act import PasskeyAct, recognition
from counter_server.visits import store
from counter_server.visits.facts import KnownPhone, Visit
from counter_server.visits.machine import FINAL
from counter_server.visits.office import Office
from counter_server.visits.stepup import party_of, proof_of
from webrtc.wire.catalogue import Channel, Route
from webrtc.wire.check import CheckOutcome, CheckView
from webrtc.wire.message import ErrorCode
from webrtc.wire.passkey import PasskeyQuestion, PhoneKey
from webrtc.wire.visit import VisitState

CHECK = "possession"
REFUSED = "phone_key_refused"  # in the journal; so often it may be tried
MOST_TRIES = 3  # as many as a face or a finger has
OFFERED_FOR = timedelta(minutes=15)  # after that nobody can say who holds the page of a visit that is over
ASKABLE_IN = (VisitState.CONSENT, VisitState.FACE)  # before the face decides on the way the visit takes
CLAUSE = "WebAuthn Level 3 §7.2"


def possible(connection: Connection, office: Office, visit: Visit) -> PhoneKey:
    """What a passkey can do in this visit now."""
    if visit.channel is not Channel.PHONE or office.party is None:
        return PhoneKey.NONE
    if visit.state is VisitState.DONE:
        if _held(connection, visit) is not None:
            return PhoneKey.KEPT
        return PhoneKey.OFFERED if _may_keep(visit, datetime.now(UTC)) else PhoneKey.NONE
    if visit.state in FINAL:
        return PhoneKey.NONE
    if visit.known_phone is not None:
        return PhoneKey.RECOGNISED
    return PhoneKey.ASKABLE if visit.state in ASKABLE_IN and not visit.again else PhoneKey.NONE


def does_without_clerk(service: Service, visit: Visit) -> bool:
    """Whether this service lets a phone that was recognised, with a living face before it, do in a clerk's place."""
    return service.passkey_self_service and visit.known_phone is not None and not visit.again


async def ask(office: Office, visit_id: str) -> PasskeyQuestion:
    """The question that a phone answers to be recognised in this visit; an earlier one is worth nothing any more.

    Raises:
        CounterError: WRONG_STEP; TOO_MANY_TRIES after three answers that did not hold; PASSKEY_NEEDED where this
            counter's pages have no name.
    """
    party = party_of(office)
    visit = await office.db.run(_askable, visit_id)
    nonce = passkeys.new_nonce()
    challenge = recognition(visit.record_id).challenge(nonce)
    _ask(office, _to_recognise(visit), challenge, nonce)
    return PasskeyQuestion(options=passkeys.request_options(party, challenge, []))


async def show(office: Office, visit_id: str, credential: str) -> None:
    """The phone is recognised; journaled either way.

    Raises:
        CounterError: WRONG_STEP; TOO_MANY_TRIES; PASSKEY_REFUSED for a key that is not known here or was removed, of
            another counter, page or visit, of an unverified person, or a copy; the visit goes on without.
    """
    party = party_of(office)
    visit = await office.db.run(_askable, visit_id)
    service = office.catalogue[visit.service_id]
    try:
        question = office.phone_questions.answered(passkeys.challenge_in(credential), _to_recognise(visit))

        def write(connection: Connection) -> PasskeyAct:
            _askable(connection, visit_id)
            shown = customer_passkeys.recognise(connection, office.master, party, question, credential)
            details = {
                "factor": CHECK,
                "by": "passkey",
                "verified": "by the device",
                "key": passkeys.log_name(shown.answer.public_key_der),
                "made_after": shown.record_id,
            }
            store.note(connection, visit_id, store.CUSTOMER, "phone_recognised", _known(service, shown), details)
            return proof_of(party, recognition(visit.record_id), question, shown.answer)

        proof = await office.db.run(write)
    except CounterError as error:
        if error.code is ErrorCode.PASSKEY_REFUSED:
            await office.db.run(_note_refused, visit_id, str(error))
            office.changed(visit_id)
        raise
    office.evidence_of(visit_id).possession = proof
    office.changed(visit_id)


async def ask_new(office: Office, visit_id: str) -> PasskeyQuestion:
    """What to make a passkey by, for the next visit. What the phone keeps names the day and nobody.

    Raises:
        CounterError: WRONG_STEP where none is offered; PASSKEY_NEEDED where this counter's pages have no name.
    """
    party = party_of(office)
    visit = await office.db.run(_keepable, visit_id)
    handle = customer_passkeys.new_handle()
    options, challenge = passkeys.key_options(party, handle, f"{passkeys.NAME} {visit.opened_at:%Y-%m-%d}", [])
    _ask(office, _to_keep(visit), challenge, handle)
    return PasskeyQuestion(options=options)


async def keep(office: Office, visit_id: str, credential: str) -> None:
    """Know the phone from now on.

    Raises:
        CounterError: WRONG_STEP where none is offered; PASSKEY_REFUSED; CONFLICT for a key that is known already.
    """
    party = party_of(office)
    visit = await office.db.run(_keepable, visit_id)
    question = office.phone_questions.answered(passkeys.challenge_in(credential), _to_keep(visit))
    await office.db.run(customer_passkeys.keep, party, question, credential, visit.record_id)


async def remove(office: Office, visit_id: str) -> None:
    """Know the phone no longer: the one kept after this visit, or the one that this visit was recognised by.

    Raises:
        CounterError: NOT_FOUND without one.
    """

    def write(connection: Connection) -> None:
        record_id = _held(connection, store.load(connection, visit_id))
        if record_id is None or not customer_passkeys.remove(connection, record_id):
            raise CounterError(ErrorCode.NOT_FOUND)

    await office.db.run(write)
    office.changed(visit_id)


def possession_check(record_id: str) -> CheckView:
    """What a clerk reads of a phone that was recognised."""
    why = (
        f"possession factor: passkey (user verified by the device), made after visit {record_id}; no fingerprint match"
    )
    return CheckView(name=CHECK, outcome=CheckOutcome.PASSED, why=why, clause=CLAUSE)


def refused_check() -> CheckView:
    """What a clerk reads of a phone that was not."""
    why = "a passkey was shown that is not known here or did not hold"
    return CheckView(name=CHECK, outcome=CheckOutcome.FAILED, why=why, clause=CLAUSE)


def _known(service: Service, shown: Recognised) -> Callable[[Visit], Visit]:
    def change(before: Visit) -> Visit:
        seen = before.model_copy(
            update={
                "known_phone": KnownPhone(record_id=shown.record_id),
                "checks": (*_others(before), possession_check(shown.record_id)),
            }
        )
        return seen.model_copy(update={"route": Route.SELF_SERVICE}) if does_without_clerk(service, seen) else seen

    return change


def _note_refused(connection: Connection, visit_id: str, why: str) -> None:
    def change(before: Visit) -> Visit:
        return before.model_copy(update={"checks": (*_others(before), refused_check())})

    if store.load(connection, visit_id).known_phone is None:
        store.note(connection, visit_id, store.CUSTOMER, REFUSED, change, {"why": why})


def _others(visit: Visit) -> tuple[CheckView, ...]:
    return tuple(check for check in visit.checks if check.name != CHECK)


def _askable(connection: Connection, visit_id: str) -> Visit:
    visit = store.load(connection, visit_id)
    askable = visit.state in ASKABLE_IN and not visit.again and visit.known_phone is None
    if visit.channel is not Channel.PHONE or not askable:
        raise CounterError(ErrorCode.WRONG_STEP)
    if store.count_journal(connection, visit_id, REFUSED) >= MOST_TRIES:
        raise CounterError(ErrorCode.TOO_MANY_TRIES)
    return visit


def _keepable(connection: Connection, visit_id: str) -> Visit:
    visit = store.load(connection, visit_id)
    if not _may_keep(visit, datetime.now(UTC)) or _held(connection, visit) is not None:
        raise CounterError(ErrorCode.WRONG_STEP)
    return visit


def _may_keep(visit: Visit, now: datetime) -> bool:
    """Only who was identified by a clerk, just now, is believed to be the same person next time."""
    if visit.channel is not Channel.PHONE or visit.state is not VisitState.DONE or visit.receipt is None:
        return False
    return visit.signed_as("clerk") is not None and now - visit.receipt.sealed_at <= OFFERED_FOR


def _held(connection: Connection, visit: Visit) -> str | None:
    """The record that a passkey of this visit's customer hangs on, where there is one."""
    mine = [visit.record_id] + ([] if visit.known_phone is None else [visit.known_phone.record_id])
    return next((each for each in mine if customer_passkeys.of_record(connection, each) is not None), None)


def _ask(office: Office, purpose: str, challenge: bytes, nonce: bytes) -> None:
    office.phone_questions.withdraw(purpose)
    office.phone_questions.ask(purpose, challenge, nonce)


def _to_recognise(visit: Visit) -> str:
    return f"recognise|{visit.record_id}"


def _to_keep(visit: Visit) -> str:
    return f"keep|{visit.record_id}"
