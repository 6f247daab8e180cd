"""A passkey signs an act, the act goes into the record, and nobody can put another one there."""

import contextlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from counter_server.__main__ import STOPPED, main
from counter_server.config import PasskeySettings
from counter_server.errors import CounterError
from counter_server.people import clerks, passkeys
from counter_server.people.passkeys import Questions, relying_party
from counter_server.records import slots
from counter_server.records.log import ledger
from counter_server.records.passkey_act import PASSKEY_POLICY, PasskeyAct
from counter_server.records.verify import verify_record
from counter_server.visits import desk, doors, stepup, store
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from tests.counter_server.authenticator import PRESENT, Authenticator
from tests.counter_server.builders import PASSWORD, add_clerk, office_in, signed
from webrtc.wire.console import Approve, ClerkView, Countersign
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import VisitState


async def enrol(office: Office, clerk: ClerkView, key: Authenticator | None = None) -> Authenticator:
    key = key or Authenticator()
    party = stepup.party_of(office)
    options, challenge = passkeys.creation_options(party, clerk, [])
    office.questions.ask("new", challenge)
    answer = key.create(options)
    question = office.questions.answered(passkeys.challenge_in(answer), "new")
    await office.db.run(passkeys.register, party, clerk.clerk_id, question, answer)
    return key


async def sign(office: Office, clerk: ClerkView, visit: Visit, key: Authenticator, action: str = "countersign") -> str:
    assert visit.document is not None
    question = await stepup.ask(office, clerk, visit.visit_id, action, visit.document.sha256)
    return key.get(question.options)


def countersigned(visit: Visit, passkey: str) -> Countersign:
    assert visit.document is not None
    return Countersign(document_sha256=visit.document.sha256, passkey=passkey)


async def test_clerk_and_second_person_sign_by_passkey_and_the_record_proves_it(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        zhang = await add_clerk(office, "zhang")
        li = await add_clerk(office, "li", "approver")
        first, second = await enrol(office, zhang), await enrol(office, li)
        visit = await signed(office, zhang, "raise-limit")
        act = countersigned(visit, await sign(office, zhang, visit, first))
        await desk.countersign(office, zhang, visit.visit_id, act)
        assert visit.document is not None
        yes = Approve(
            decision="approve",
            document_sha256=visit.document.sha256,
            passkey=await sign(office, li, visit, second, "approve"),
        )
        await desk.decide_approval(office, li, visit.visit_id, yes)
        done = await office.db.run(store.load, visit.visit_id)
        assert done.state is VisitState.DONE
        assert done.receipt is not None
        manifest = json.loads((office.safe.folder_of(done.record_id) / "record.json").read_text())
        names = {item["name"] for item in manifest["objects"]}
        assert {"passkeys/clerk.json", "passkeys/approver.json"} <= names
        assert PASSKEY_POLICY in manifest["policies"]
        keys = (await office.db.run(slots.read_slots, done.record_id)).open(office.master).keyring()
        folder, root = office.safe.folder_of(done.record_id), office.sealing.trust_root.read_bytes()
        verification = verify_record(folder, root, keys)
        assert verification.first_broken is None
        assert [c.why for c in verification.checks if c.name == "staff_acted_by_passkey"] == ["2 passkeys"]


async def test_whoever_has_a_passkey_signs_by_it_alone(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        zhang = await add_clerk(office, "zhang")
        await enrol(office, zhang)
        visit = await signed(office, zhang, "replace-card")
        assert visit.document is not None
        by_password = Countersign(document_sha256=visit.document.sha256, password=PASSWORD)
        with pytest.raises(CounterError) as refused:
            await desk.countersign(office, zhang, visit.visit_id, by_password)
        assert refused.value.code is ErrorCode.PASSKEY_NEEDED


async def test_an_assertion_is_good_once_for_one_act_of_one_person(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        zhang, li = await add_clerk(office, "zhang"), await add_clerk(office, "li", "clerk", "approver")
        mine, theirs = await enrol(office, zhang), await enrol(office, li)
        visit = await signed(office, zhang, "raise-limit")
        other = await signed(office, li, "raise-limit")
        for_other = await sign(office, li, other, theirs)
        approval = await sign(office, zhang, visit, mine, "approve")
        assert visit.document is not None
        question = await stepup.ask(office, zhang, visit.visit_id, "countersign", visit.document.sha256)
        for stolen in (for_other, approval, theirs.get(question.options), "{}", "no json", '{"response": 7}'):
            with pytest.raises(CounterError) as refused:
                await desk.countersign(office, zhang, visit.visit_id, countersigned(visit, stolen))
            assert refused.value.code is ErrorCode.PASSKEY_REFUSED
        assert (await office.db.run(store.load, visit.visit_id)).state is VisitState.COUNTERSIGNING
        good = countersigned(visit, await sign(office, zhang, visit, mine))
        await desk.countersign(office, zhang, visit.visit_id, good)
        with pytest.raises(CounterError):  # the visit moved on, and the question is gone with it
            await desk.countersign(office, zhang, visit.visit_id, good)
        with pytest.raises(CounterError) as replayed:
            office.questions.answered(passkeys.challenge_in(good.passkey), "any")
        assert replayed.value.code is ErrorCode.PASSKEY_REFUSED


@pytest.mark.parametrize(
    "lie",
    [
        {"flags": PRESENT},  # nobody was verified
        {"flags": 0x04},  # nobody was there
        {"rp_id": "evil.test"},
        {"origin": "http://localhost:9999"},
        {"origin": "https://localhost:8070.evil.test"},
        {"step": 0},  # the counter of a copied key
    ],
)
async def test_a_lying_authenticator_signs_nothing(tmp_path: Path, lie: dict[str, object]) -> None:
    async with office_in(tmp_path) as office:
        zhang = await add_clerk(office, "zhang")
        key = await enrol(office, zhang)
        visit = await signed(office, zhang, "replace-card")
        for name, value in lie.items():
            setattr(key, name, value)
        act = countersigned(visit, await sign(office, zhang, visit, key))
        with pytest.raises(CounterError) as refused:
            await desk.countersign(office, zhang, visit.visit_id, act)
        assert refused.value.code is ErrorCode.PASSKEY_REFUSED
        assert (await office.db.run(store.load, visit.visit_id)).state is VisitState.COUNTERSIGNING


@pytest.mark.parametrize("flags", [PRESENT, 0x00])
async def test_a_key_that_verifies_nobody_is_not_registered(tmp_path: Path, flags: int) -> None:
    async with office_in(tmp_path) as office:
        zhang = await add_clerk(office, "zhang")
        with pytest.raises(CounterError) as refused:
            await enrol(office, zhang, Authenticator(flags=flags))
        assert refused.value.code is ErrorCode.PASSKEY_REFUSED
        assert await office.db.run(passkeys.count, zhang.clerk_id) == 0


async def test_a_kept_act_cannot_be_bent(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        zhang = await add_clerk(office, "zhang")
        key = await enrol(office, zhang)
        visit = await signed(office, zhang, "replace-card")
        assert visit.document is not None
        answer = await sign(office, zhang, visit, key)
        proof = await stepup.prove(
            office, zhang, visit, "countersign", visit.document.sha256, password="", passkey=answer
        )
    assert proof is not None
    assert PasskeyAct.read(proof.to_bytes()).first_flaw() is None
    other = strangers_key()
    bent = [
        replace(proof, nonce="00" * 32),
        replace(proof, nonce="xx"),
        replace(proof, rp_id="bank.test"),
        replace(proof, origin="http://localhost:1"),
        replace(proof, public_key=other),
        replace(proof, public_key="00"),
        *(replace(proof, act=replace(proof.act, **{name: "x"})) for name in ("action", "record_id", "role", "actor")),
        replace(proof, act=replace(proof.act, document_sha256="0" * 64)),
    ]
    bent += [replace(proof, client_data=flipped) for flipped in _flips(proof.client_data)]
    bent += [replace(proof, authenticator_data=flipped) for flipped in _flips(proof.authenticator_data)]
    bent += [replace(proof, signature=flipped) for flipped in _flips(proof.signature)]
    assert [each for each in bent if each.first_flaw() is None] == []


def _flips(hexadecimal: str) -> list[str]:
    """One bit of every seventh byte changed."""
    stored = bytes.fromhex(hexadecimal)
    return [(stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]).hex() for at in range(0, len(stored), 7)]


def strangers_key() -> str:
    key = Authenticator().key.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()


def test_questions_are_answered_once_in_time_and_are_not_hoarded() -> None:
    clock = [0.0]
    questions = Questions(lambda: clock[0])
    for challenge in (b"once", b"other", b"late"):
        questions.ask("login", challenge)
    assert questions.answered(b"once", "login").challenge == b"once"
    refused = [(b"once", "login"), (b"never", "login"), (b"other", "act"), (b"other", "login")]
    for challenge, purpose in refused:  # a wrong purpose uses the question up
        with pytest.raises(CounterError):
            questions.answered(challenge, purpose)
    clock[0] = 121.0
    with pytest.raises(CounterError):
        questions.answered(b"late", "login")
    for number in range(1100):
        questions.ask("login", number.to_bytes(4, "big"))
    with pytest.raises(CounterError):
        questions.answered((0).to_bytes(4, "big"), "login")


@pytest.mark.parametrize(
    ("url", "party"),
    [
        ("http://127.0.0.1:8070", ("localhost", ("http://localhost:8070",))),
        ("http://localhost:80", ("localhost", ("http://localhost:80",))),
        ("https://counter.bank.test", ("counter.bank.test", ("https://counter.bank.test",))),
        ("http://counter.bank.test", None),  # no secure context: browsers would refuse
        ("https://10.1.2.3:8070", None),  # an address is no name
        ("https://[::1]:8070", None),
    ],
)
def test_keys_are_made_for_names(url: str, party: tuple[str, tuple[str, ...]] | None) -> None:
    found = relying_party(PasskeySettings(), url)
    assert (None if found is None else (found.rp_id, found.origins)) == party


async def test_login_tells_whose_key_it_is(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        zhang = await add_clerk(office, "zhang")
        key = await enrol(office, zhang)
        options = passkeys.request_options(stepup.party_of(office), b"c" * 32, [])
        office.questions.ask("login", b"c" * 32)
        answer = key.get(options)
        question = office.questions.answered(passkeys.challenge_in(answer), "login")
        held = await office.db.run(passkeys.assert_key, stepup.party_of(office), question, answer)
        assert (held.clerk_id, held.answer.credential_id) == (zhang.clerk_id, key.credential_id)
        assert (await office.db.run(clerks.view, zhang.clerk_id)).passkeys == 1
        assert await office.db.run(passkeys.forget, zhang.clerk_id) == 1


async def test_a_console_that_was_open_before_learns_of_a_new_passkey(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        connected_as = await add_clerk(office, "zhang")
        await enrol(office, connected_as)
        assert (await doors.console_of(office, connected_as)).clerk.passkeys == 1


async def test_a_lost_passkey_is_forgotten_with_its_sessions_and_the_log_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with office_in(tmp_path) as office:
        zhang, li = await add_clerk(office, "zhang"), await add_clerk(office, "li")
        lost, other = await enrol(office, zhang), await enrol(office, li)
        token = await office.db.run(clerks.open_session, zhang.clerk_id)
    forget = ["--home", str(tmp_path), "clerk", "forget-passkey"]
    assert main([*forget, "zhang"]) == 0
    assert capsys.readouterr().out.startswith("zhang: 1 passkeys refused")
    assert [main([*forget, name]) for name in ("zhang", "nobody")] == [STOPPED, STOPPED]
    async with office_in(tmp_path) as office:
        party = stepup.party_of(office)
        for key, believed in ((lost, False), (other, True)):
            office.questions.ask("login", b"c" * 32)
            answer = key.get(passkeys.request_options(party, b"c" * 32, []))
            question = office.questions.answered(passkeys.challenge_in(answer), "login")
            with contextlib.nullcontext() if believed else pytest.raises(CounterError, match="unknown key"):
                await office.db.run(passkeys.assert_key, party, question, answer)
        with pytest.raises(CounterError):
            await office.db.run(clerks.who, token, office.settings.patience)
        leaves = await office.db.run(lambda connection: ledger.read_leaves(connection, 0, ledger.size_of(connection)))
        about = [json.loads(leaf.entry or b"") for leaf in leaves if leaf.kind == "passkey"]
        assert [leaf["details"]["event"] for leaf in about] == ["added", "added", "forgotten"]
        assert about[0]["subject"] == about[2]["subject"]
