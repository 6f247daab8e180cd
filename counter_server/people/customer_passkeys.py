"""Passkeys of customers: one on their phone, made after they were identified, shown at a later visit.

It says that the device of then is here again and has verified its person (PIN or body). It is never a fingerprint
match: no web page gets one. It is bound to the record of the visit it was made after and goes with that record's slot.
"""

import time
from dataclasses import dataclass
from hmac import compare_digest
from secrets import token_bytes

from sqlalchemy import Connection, delete, insert, select, update

from counter_server.errors import CounterError
from counter_server.people import passkeys
from counter_server.people.passkeys import Answer, Question, RelyingParty
from counter_server.people.tables import customer_passkey, passkey
from counter_server.records import slots
from counter_server.records.errors import RecordError
from counter_server.records.keeping import KeepClass
from counter_server.records.masters import MasterKeys
from counter_server.records.tables import record_slot
from webrtc.wire.message import ErrorCode

KEPT_WITH = KeepClass.FINGER  # kept for use at later visits, gone on the customer's wish, three years unless stated
HANDLE_BYTES = 32  # WebAuthn Level 3 §14.6.1: 64 at most, nothing in it that says whose it is


@dataclass(frozen=True, slots=True)
class Recognised:
    """A customer's key has answered, and the answer held."""

    record_id: str
    """Of the visit that the key was made after."""
    answer: Answer


def new_handle() -> bytes:
    """What the phone keeps the key under."""
    return token_bytes(HANDLE_BYTES)


def keep(connection: Connection, party: RelyingParty, question: Question, credential_json: str, record_id: str) -> None:
    """Know this key from now on as the one made after this record's visit.

    Args:
        question: Its nonce is the handle that the key was asked for under.

    Raises:
        CounterError: PASSKEY_REFUSED when it is not what was asked for; CONFLICT for a known key or a second one;
            WRONG_STEP when the record has been erased meanwhile.
    """
    made = passkeys.judge_new(party, question, credential_json)
    staff = connection.execute(select(passkey.c.clerk_id).where(passkey.c.credential_id == made.credential_id)).first()
    if staff is not None or is_known(connection, made.credential_id) or of_record(connection, record_id) is not None:
        raise CounterError(ErrorCode.CONFLICT, "this key is known already, or there is one")
    if customer_of(connection, record_id) is None:
        raise CounterError(ErrorCode.WRONG_STEP, "the record is nobody's any more")
    connection.execute(
        insert(customer_passkey).values(
            credential_id=made.credential_id,
            record_id=record_id,
            keep_class=KEPT_WITH.value,
            user_handle=question.nonce,
            public_key=made.public_key,
            sign_count=made.sign_count,
            added_at_s=int(time.time()),
        )
    )
    passkeys.note_in_log(connection, made.public_key_der, "added")


def recognise(
    connection: Connection, masters: MasterKeys, party: RelyingParty, question: Question, credential_json: str
) -> Recognised:
    """Which visit's key answered; its counter moves on.

    Raises:
        CounterError: PASSKEY_REFUSED for an unknown or removed key, another handle than its own, a wrong page, a
            person not verified, a signature that does not hold, a counter that did not rise, or a row out of a
            backup from before its customer was erased.
    """
    said = passkeys.parsed(credential_json)
    row = connection.execute(select(customer_passkey).where(customer_passkey.c.credential_id == said.raw_id)).first()
    if row is None:
        raise CounterError(ErrorCode.PASSKEY_REFUSED, "unknown key")
    # WebAuthn Level 3 §7.2, step 6: nobody said who they are, so the authenticator must, and not as somebody else
    if said.response.user_handle is None or not compare_digest(said.response.user_handle, row.user_handle):
        raise CounterError(ErrorCode.PASSKEY_REFUSED, "another handle")
    answer = passkeys.judge_answer(party, question, said, row.public_key, row.sign_count)
    if not _slot_opens(connection, masters, row.record_id):
        raise CounterError(ErrorCode.PASSKEY_REFUSED, "erased")
    used = {"sign_count": answer.sign_count, "used_at_s": int(time.time())}
    connection.execute(
        update(customer_passkey).where(customer_passkey.c.credential_id == row.credential_id).values(used)
    )
    return Recognised(row.record_id, answer)


def of_record(connection: Connection, record_id: str) -> bytes | None:
    """The key that was made after this record's visit; None without one, and after it was removed or erased."""
    mine = customer_passkey.c.record_id == record_id
    return connection.execute(select(customer_passkey.c.credential_id).where(mine)).scalar()


def is_known(connection: Connection, credential_id: bytes) -> bool:
    """Whether a key of this name is known."""
    mine = customer_passkey.c.credential_id == credential_id
    return connection.execute(select(customer_passkey.c.record_id).where(mine)).first() is not None


def customer_of(connection: Connection, record_id: str) -> str | None:
    """Under whose key the slot lies that a passkey of this record hangs on; None when it is erased or not sealed."""
    mine = (record_slot.c.record_id == record_id) & (record_slot.c.keep_class == KEPT_WITH.value)
    return connection.execute(select(record_slot.c.customer_id).where(mine)).scalar()


def _slot_opens(connection: Connection, masters: MasterKeys, record_id: str) -> bool:
    """As a finger's templates would not open any more, a phone is not recognised any more."""
    try:
        return KEPT_WITH in slots.read_slots(connection, record_id).open(masters).identities
    except RecordError:
        return False


def remove(connection: Connection, record_id: str) -> bool:
    """Know the key that was made after this record's visit no longer; False when there is none. A leaf says so."""
    mine = customer_passkey.c.record_id == record_id
    public_key = connection.execute(select(customer_passkey.c.public_key).where(mine)).scalar()
    if public_key is None:
        return False
    connection.execute(delete(customer_passkey).where(mine))
    passkeys.note_in_log(connection, passkeys.as_der(public_key), "forgotten")
    return True
