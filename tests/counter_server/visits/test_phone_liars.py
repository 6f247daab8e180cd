"""Phones that lie, repeat themselves or are somebody else's: none of them is recognised."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from counter_server.errors import CounterError
from counter_server.people import passkeys
from counter_server.records.passkey_act import POSSESSOR, PasskeyAct, passkey_object
from counter_server.visits import phone_keys, store
from counter_server.visits.stepup import party_of
from tests.counter_server.authenticator import PRESENT, VERIFIED, Authenticator
from tests.counter_server.builders import (
    add_clerk,
    office_in,
)
from tests.counter_server.phones import kept, living_face, phone_at_consent, refused, shown
from webrtc.wire.catalogue import Route
from webrtc.wire.check import CheckOutcome
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import VisitState


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
