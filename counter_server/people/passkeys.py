"""Passkeys of the staff: registered at the console, used to log in and, over a challenge that names it, to act.

What is asked of a browser and how its answer is judged serves customers' passkeys too (`customer_passkeys.py`).
"""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_bytes
from urllib.parse import urlsplit

import webauthn
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, delete, func, insert, select, update
from webauthn.helpers import (
    base64url_to_bytes,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_authentication_credential_json,
    parse_client_data_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from counter_server.config import PasskeySettings
from counter_server.errors import CounterError
from counter_server.people.tables import passkey
from counter_server.records.log import ledger
from webrtc.wire.console import ClerkView
from webrtc.wire.message import ErrorCode

NAME = "Visual Counter"
MOST_PER_CLERK = 10
QUESTION_S = 120.0  # a person finds key and finger within it; WebAuthn recommends up to ten minutes, an act is quicker
MOST_QUESTIONS = 1_000  # strangers may ask at the login; the oldest is forgotten first


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """For which name keys are made, and on which pages they may be used."""

    rp_id: str
    origins: tuple[str, ...]


def relying_party(settings: PasskeySettings, url: str) -> RelyingParty | None:
    """Who we are to authenticators; None where pages have no name (an address is none, WebAuthn §5.1.2).

    A counter on this machine is `localhost`, whatever address it listens on.
    """
    if settings.rp_id:
        return RelyingParty(settings.rp_id, settings.origins or (url,))
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("127.0.0.1", "localhost"):
        return RelyingParty("localhost", (f"{parts.scheme}://localhost:{parts.port or 80}",))
    named = any(letter.isalpha() for letter in host) and ":" not in host
    return RelyingParty(host, (url,)) if named and parts.scheme == "https" else None


@dataclass(frozen=True, slots=True)
class Question:
    """A challenge that waits for its answer. It is answered once, by nobody else, for nothing else."""

    purpose: str
    challenge: bytes
    nonce: bytes
    until_s: float


class Questions:
    """Challenges under way. In memory: none outlives the counter."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: OrderedDict[bytes, Question] = OrderedDict()

    def ask(self, purpose: str, challenge: bytes, nonce: bytes = b"") -> None:
        """Remember it for two minutes."""
        if len(self._open) >= MOST_QUESTIONS:
            self._open.popitem(last=False)
        self._open[challenge] = Question(purpose, challenge, nonce, self._clock() + QUESTION_S)

    def withdraw(self, purpose: str) -> None:
        """Forget what was asked for this purpose before: of an asker who asks again only the last question counts."""
        for challenge in [challenge for challenge, each in self._open.items() if each.purpose == purpose]:
            del self._open[challenge]

    def answered(self, challenge: bytes, purpose: str) -> Question:
        """The question this answers; it is gone afterwards, whatever becomes of the answer.

        Raises:
            CounterError: PASSKEY_REFUSED when nobody asked, it was answered before, is late, or was for another act.
        """
        question = self._open.pop(challenge, None)
        if question is None or question.purpose != purpose or self._clock() > question.until_s:
            raise CounterError(ErrorCode.PASSKEY_REFUSED, "no such question is open")
        return question


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was made as it was asked for."""

    credential_id: bytes
    public_key: bytes  # COSE_Key, as the authenticator gave it
    public_key_der: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A key's answer that held."""

    credential_id: bytes
    public_key_der: bytes
    sign_count: int
    origin: str
    client_data: bytes
    authenticator_data: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Asserted:
    """A clerk's key has answered, and the answer held."""

    clerk_id: str
    answer: Answer


def count(connection: Connection, clerk_id: str) -> int:
    """How many keys somebody has."""
    return connection.execute(select(func.count()).where(passkey.c.clerk_id == clerk_id)).scalar_one()


def credentials(connection: Connection, clerk_id: str) -> list[bytes]:
    """Their names."""
    return list(connection.execute(select(passkey.c.credential_id).where(passkey.c.clerk_id == clerk_id)).scalars())


def forget(connection: Connection, clerk_id: str) -> int:
    """Believe none of somebody's keys any longer; how many there were. A leaf of the log says so for each."""
    mine = passkey.c.clerk_id == clerk_id
    known = connection.execute(select(passkey.c.public_key).where(mine)).scalars().all()
    for public_key in known:
        note_in_log(connection, as_der(public_key), "forgotten")
    connection.execute(delete(passkey).where(mine))
    return len(known)


def creation_options(party: RelyingParty, clerk: ClerkView, known: list[bytes]) -> tuple[str, bytes]:
    """What the browser is asked to make a clerk's key by, as JSON, and the challenge in it."""
    handle = hashlib.sha256(clerk.clerk_id.encode()).digest()  # it is kept in the authenticator: no name of ours
    return key_options(party, handle, clerk.name, known)


def key_options(party: RelyingParty, handle: bytes, name: str, known: list[bytes]) -> tuple[str, bytes]:
    """What the browser is asked to make a key by, as JSON, and the challenge in it.

    The authenticator must keep the key itself and verify the person whenever it is used.

    Args:
        handle: Under which the authenticator keeps it (`user.id`); a newer key of the same handle replaces it there.
        name: What the authenticator shows beside ours.
        known: Keys that must not be made a second time on the same authenticator.
    """
    options = webauthn.generate_registration_options(
        rp_id=party.rp_id,
        rp_name=NAME,
        user_id=handle,
        user_name=name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return webauthn.options_to_json(options), options.challenge


def request_options(party: RelyingParty, challenge: bytes, allowed: list[bytes]) -> str:
    """What the browser is asked to sign by, as JSON; without `allowed` any key of ours will do."""
    options = webauthn.generate_authentication_options(
        rp_id=party.rp_id,
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allowed],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def register(
    connection: Connection, party: RelyingParty, clerk_id: str, question: Question, credential_json: str
) -> None:
    """Know this key from now on; a leaf of the log says when.

    Raises:
        CounterError: PASSKEY_REFUSED when it is not what was asked for; CONFLICT for the eleventh, or a known one.
    """
    made = judge_new(party, question, credential_json)
    known = connection.execute(select(passkey.c.clerk_id).where(passkey.c.credential_id == made.credential_id)).first()
    if known is not None or count(connection, clerk_id) >= MOST_PER_CLERK:
        raise CounterError(ErrorCode.CONFLICT, "this key is known already, or there are too many")
    connection.execute(
        insert(passkey).values(
            credential_id=made.credential_id,
            clerk_id=clerk_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            added_at_s=int(time.time()),
        )
    )
    note_in_log(connection, made.public_key_der, "added")


def note_in_log(connection: Connection, public_key_der: bytes, event: str) -> None:
    """A leaf about a key, of nobody's name; records hold the key itself."""
    subject = log_name(public_key_der)
    ledger.append_event(connection, kind="passkey", subject=subject, at=datetime.now(UTC), details={"event": event})


def log_name(public_key_der: bytes) -> str:
    """What log and journal call a key: 248 bits of its hash, as long as the log's subjects may be."""
    return "P-" + hashlib.sha256(public_key_der).hexdigest()[:62]


def judge_new(party: RelyingParty, question: Question, credential_json: str) -> MadeKey:
    """The key that was made for this question; nothing is remembered here.

    Raises:
        CounterError: PASSKEY_REFUSED for another question, page or counter, or when nobody was verified.
    """
    try:
        made = webauthn.verify_registration_response(
            credential=credential_json,
            expected_challenge=question.challenge,
            expected_rp_id=party.rp_id,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
        der = as_der(made.credential_public_key)
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise CounterError(ErrorCode.PASSKEY_REFUSED, type(error).__name__) from error
    return MadeKey(made.credential_id, made.credential_public_key, der, made.sign_count)


def challenge_in(credential_json: str) -> bytes:
    """The challenge that an answer says it answers.

    Raises:
        CounterError: PASSKEY_REFUSED when it cannot be read.
    """
    try:
        client_data = base64url_to_bytes(json.loads(credential_json)["response"]["clientDataJSON"])
        return parse_client_data_json(client_data).challenge
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise CounterError(ErrorCode.PASSKEY_REFUSED, type(error).__name__) from error


def assert_key(
    connection: Connection,
    party: RelyingParty,
    question: Question,
    credential_json: str,
    clerk_id: str | None = None,
) -> Asserted:
    """Whose key answered; its counter moves on.

    Args:
        clerk_id: Whose it must be; None at the login, where it tells.

    Raises:
        CounterError: PASSKEY_REFUSED for an unknown key or somebody else's, a wrong page, a person not verified, a
            signature that does not hold, or a counter that did not rise (a copy of the key is about).
    """
    said = parsed(credential_json)
    row = connection.execute(select(passkey).where(passkey.c.credential_id == said.raw_id)).first()
    if row is None or (clerk_id is not None and row.clerk_id != clerk_id):
        raise CounterError(ErrorCode.PASSKEY_REFUSED, "unknown key")
    answer = judge_answer(party, question, said, row.public_key, row.sign_count)
    used = {"sign_count": answer.sign_count, "used_at_s": int(time.time())}
    connection.execute(update(passkey).where(passkey.c.credential_id == row.credential_id).values(used))
    return Asserted(row.clerk_id, answer)


def judge_answer(
    party: RelyingParty, question: Question, said: AuthenticationCredential, public_key: bytes, sign_count: int
) -> Answer:
    """The answer of a key that is known; nothing is remembered here.

    Args:
        public_key, sign_count: Of the key as it is known.

    Raises:
        CounterError: PASSKEY_REFUSED for a wrong page or counter, a person not verified, a signature that does not
            hold, or a counter that did not rise (a copy of the key is about).
    """
    try:
        held = webauthn.verify_authentication_response(
            credential=said,
            expected_challenge=question.challenge,
            expected_rp_id=party.rp_id,
            expected_origin=list(party.origins),
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
        origin = parse_client_data_json(said.response.client_data_json).origin
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise CounterError(ErrorCode.PASSKEY_REFUSED, type(error).__name__) from error
    return Answer(
        said.raw_id,
        as_der(public_key),
        held.new_sign_count,
        origin,
        said.response.client_data_json,
        said.response.authenticator_data,
        said.response.signature,
    )


def new_nonce() -> bytes:
    """Nobody's guess."""
    return token_bytes(32)


def parsed(credential_json: str) -> AuthenticationCredential:
    """A browser's answer, taken apart.

    Raises:
        CounterError: PASSKEY_REFUSED when it cannot be read.
    """
    try:
        return parse_authentication_credential_json(credential_json)
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise CounterError(ErrorCode.PASSKEY_REFUSED, type(error).__name__) from error


def as_der(cose: bytes) -> bytes:
    """A COSE_Key as SubjectPublicKeyInfo."""
    key = decoded_public_key_to_cryptography(decode_credential_public_key(cose))
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
