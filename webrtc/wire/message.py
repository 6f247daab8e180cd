"""What every message is made of, in which languages, and why something was not done."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class Message(BaseModel):
    """Base of everything on the wire: frozen, and an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Language(StrEnum):
    """Languages every page speaks."""

    ZH = "zh"
    EN = "en"


class Text(Message):
    """One sentence in every language of the house."""

    zh: str
    en: str


class ErrorCode(StrEnum):
    """Why a request was not done. The pages hold one sentence per code and language: what happened, what to do now."""

    BAD_REQUEST = "bad_request"  # unknown or malformed fields
    BODY_TOO_LARGE = "body_too_large"
    NOT_LOGGED_IN = "not_logged_in"
    WRONG_LOGIN = "wrong_login"
    TOO_MANY_TRIES = "too_many_tries"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    WRONG_STEP = "wrong_step"  # the visit is not where this request belongs
    CONFLICT = "conflict"  # same idempotency key, other body
    SERVICE_NEEDS_KIOSK = "service_needs_kiosk"  # this door cannot reach the assurance the service asks for
    LINK_UNKNOWN = "link_unknown"
    LINK_USED = "link_used"
    LINK_EXPIRED = "link_expired"
    NO_READER = "no_reader"
    NO_CARD = "no_card"  # nothing was put on the reader in time
    CARD_REMOVED = "card_removed"  # pulled while it was being read
    CARD_MUTE = "card_mute"  # it is there but does not answer, or is no ID card
    READER_BUSY = "reader_busy"
    WRONG_MRZ = "wrong_mrz"  # the chip refused the key made from what was typed
    NO_SCANNER = "no_scanner"  # of fingers: none here, unplugged, or not to be believed
    SCANNER_BUSY = "scanner_busy"
    NO_FINGER = "no_finger"  # nothing was laid on the glass in time
    FINGER_LIFTED = "finger_lifted"  # taken away before the picture was whole
    FINGER_POOR = "finger_poor"  # too wet, too dry or too little to be looked at; one more try
    COUNTER_UNREACHABLE = "counter_unreachable"
    FORM_INVALID = "form_invalid"  # `field` names the first wrong one
    CHECKLIST_OPEN = "checklist_open"
    UNPRINTABLE = "unprintable"  # `field` names the value with a character the document's fonts lack
    PAGES_UNSEEN = "pages_unseen"
    SIGNATURE_EMPTY = "signature_empty"
    DOCUMENT_CHANGED = "document_changed"  # the hash signed is not the hash shown
    TICKET_TAKEN = "ticket_taken"
    SAME_PERSON = "same_person"  # whoever signed cannot approve
    FACE_UNAVAILABLE = "face_unavailable"  # this counter lacks what judges faces; its log says what
    IDENTITY_NOT_HELD = "identity_not_held"  # who is in the call must be identified again first
    PASSKEY_NEEDED = "passkey_needed"  # the password alone does not do
    PASSKEY_REFUSED = "passkey_refused"  # no assertion of a registered key for this very act
    MEDIA_UNAVAILABLE = "media_unavailable"
    RECORD_BROKEN = "record_broken"  # it is not what was sealed: nothing of it is shown as if it were
    RECORDING_CLOSED = "recording_closed"  # its key was erased, or two people hold it together
    INTERNAL = "internal"


class ErrorBody(Message):
    """The body of every answer that is not 2xx."""

    code: ErrorCode
    message: str = Field(description="English, for people who read APIs; pages show their own words by code")
    field: str | None = None


Token = Annotated[str, StringConstraints(min_length=22, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]

ShortText = Annotated[str, StringConstraints(max_length=400)]
