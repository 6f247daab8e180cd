"""Passkeys of staff and of customers' phones."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import StringConstraints

from webrtc.wire.message import Message, ShortText


class PasskeyQuestion(Message):
    """What the browser is to ask the authenticator: WebAuthn's options, as JSON text."""

    options: str


PasskeyAnswer = Annotated[str, StringConstraints(max_length=16_384)]  # a credential's `toJSON()`, as text


class NewPasskey(Message):
    """POST /api/console/passkeys/question: in person, so with the password; answers PasskeyQuestion."""

    password: ShortText


class RegisterPasskey(Message):
    """POST /api/console/passkeys; answers ClerkView."""

    credential: PasskeyAnswer


class PasskeyLogin(Message):
    """POST /api/console/login/passkey; answers ClerkView and a session cookie."""

    credential: PasskeyAnswer


class AskToAct(Message):
    """POST /api/console/visits/{id}/act-question: a challenge that names this act; answers PasskeyQuestion."""

    action: Literal["countersign", "approve", "decline"]
    document_sha256: ShortText


class PhoneKey(StrEnum):
    """What a passkey on the customer's phone can do in this visit now. It is a thing they have, never a fingerprint."""

    NONE = "none"
    ASKABLE = "askable"  # one from an earlier visit may be shown
    RECOGNISED = "recognised"  # one was shown and held
    OFFERED = "offered"  # the customer was identified and it is over: one may be made for the next visit
    KEPT = "kept"  # it is over, and one is known that this phone may have removed


class ShowPhoneKey(Message):
    """POST /api/visits/{id}/phone-key: a passkey of an earlier visit; answers VisitView.

    The question before is POST /api/visits/{id}/phone-key/question and answers PasskeyQuestion.
    """

    credential: PasskeyAnswer


class KeepPhoneKey(Message):
    """POST /api/visits/{id}/phone-key/new: a passkey for the next visit; answers VisitView.

    The question before is POST /api/visits/{id}/phone-key/new-question; /phone-key/remove takes it back.
    """

    credential: PasskeyAnswer
