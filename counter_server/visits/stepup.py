"""An act in person: a passkey over a challenge that names it, kept in the record; a password where that is enough."""

from counter_server.errors import CounterError
from counter_server.people import clerks, passkeys
from counter_server.people.passkeys import Answer, Question, RelyingParty
from counter_server.records.passkey_act import PASSKEY_FORMAT, Action, PasskeyAct
from counter_server.visits import store
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from webrtc.wire.console import ClerkView
from webrtc.wire.message import ErrorCode
from webrtc.wire.passkey import PasskeyQuestion

ROLES = {"countersign": "clerk", "approve": "approver", "decline": "approver"}


def party_of(office: Office) -> RelyingParty:
    """Who we are to authenticators.

    Raises:
        CounterError: PASSKEY_NEEDED where this counter's pages have no name that keys could be made for.
    """
    if office.party is None:
        raise CounterError(ErrorCode.PASSKEY_NEEDED, "the counter's address has no name; see [passkeys] rp_id")
    return office.party


async def ask(office: Office, clerk: ClerkView, visit_id: str, action: str, document_sha256: str) -> PasskeyQuestion:
    """The question that only this clerk, for this act on this document, can answer."""
    visit = await office.db.run(store.load, visit_id)
    act = _action(action, visit, clerk, document_sha256)
    nonce = passkeys.new_nonce()
    challenge = act.challenge(nonce)
    allowed = await office.db.run(passkeys.credentials, clerk.clerk_id)
    if not allowed:
        raise CounterError(ErrorCode.PASSKEY_NEEDED)
    office.questions.ask(_purpose(act), challenge, nonce)
    return PasskeyQuestion(options=passkeys.request_options(party_of(office), challenge, allowed))


async def prove(
    office: Office,
    clerk: ClerkView,
    visit: Visit,
    action: str,
    document_sha256: str,
    *,
    password: str,
    passkey: str,
) -> PasskeyAct | None:
    """What the passkey signed; None where the password was enough.

    Raises:
        CounterError: PASSKEY_NEEDED for somebody who has one, or must; PASSKEY_REFUSED; WRONG_LOGIN, TOO_MANY_TRIES.
    """
    if not passkey:
        if office.settings.passkeys.required or await office.db.run(passkeys.count, clerk.clerk_id) > 0:
            raise CounterError(ErrorCode.PASSKEY_NEEDED)
        await require_password(office, clerk, password)
        return None
    act = _action(action, visit, clerk, document_sha256)
    party = party_of(office)
    question = office.questions.answered(passkeys.challenge_in(passkey), _purpose(act))
    held = await office.db.run(passkeys.assert_key, party, question, passkey, clerk.clerk_id)
    return proof_of(party, act, question, held.answer)


def proof_of(party: RelyingParty, act: Action, question: Question, answer: Answer) -> PasskeyAct:
    """The answer as the record keeps it.

    Raises:
        CounterError: PASSKEY_REFUSED for what nobody could check later: that is no proof today.
    """
    proof = PasskeyAct(
        format=PASSKEY_FORMAT,
        act=act,
        nonce=question.nonce.hex(),
        rp_id=party.rp_id,
        origin=answer.origin,
        credential_id=answer.credential_id.hex(),
        public_key=answer.public_key_der.hex(),
        client_data=answer.client_data.hex(),
        authenticator_data=answer.authenticator_data.hex(),
        signature=answer.signature.hex(),
    )
    if (flaw := proof.first_flaw()) is not None:
        raise CounterError(ErrorCode.PASSKEY_REFUSED, flaw)
    return proof


async def require_password(office: Office, clerk: ClerkView, password: str) -> None:
    """An act of one's own asks for the password once more.

    Raises:
        CounterError: WRONG_LOGIN, TOO_MANY_TRIES.
    """
    stored = await office.db.run(clerks.stored_password_of, clerk.clerk_id)
    await office.passwords.require("act", stored, clerk.clerk_id, password)


def _action(action: str, visit: Visit, clerk: ClerkView, document_sha256: str) -> Action:
    return Action(action, visit.record_id, ROLES[action], clerk.clerk_id, document_sha256)


def _purpose(act: Action) -> str:
    return "|".join(("act", act.action, act.record_id, act.actor, act.document_sha256))
