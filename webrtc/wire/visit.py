"""A visit as its customer sees it, and what the customer's page asks for."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from webrtc.wire.call import Line
from webrtc.wire.catalogue import Assurance, Channel, FormField, Route
from webrtc.wire.check import CheckView
from webrtc.wire.face import ContinuityView, FaceView
from webrtc.wire.finger import FingerTask, FingerView
from webrtc.wire.message import Language, Message, ShortText, Text, Token
from webrtc.wire.passkey import PhoneKey
from webrtc.wire.third_person import ThirdPerson


class VisitState(StrEnum):
    """Where a visit stands. The customer's page shows one screen per state."""

    CONSENT = "consent"
    CARD = "card"
    FACE = "face"
    FINGER = "finger"
    FORM = "form"
    CONFIRM = "confirm"  # low risk: read once more, then do it
    WAITING = "waiting"
    SERVING = "serving"  # a clerk is on the screen
    READING = "reading"  # the document is open on both screens; ends with the customer's signature
    COUNTERSIGNING = "countersigning"
    APPROVING = "approving"
    SEALING = "sealing"
    DONE = "done"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Reason(StrEnum):
    """Why a visit was refused or interrupted; the pages have words for each."""

    CARD_NOT_GENUINE = "card_not_genuine"
    CARD_EXPIRED = "card_expired"
    CARD_UNKNOWN_ISSUER = "card_unknown_issuer"
    OTHER_CARD = "other_card"  # asked for again in mid-call, somebody else's was laid on
    FACE_DIFFERENT = "face_different"
    NOT_LIVE = "not_live"
    DOCUMENT_TRIES = "document_tries"  # too many face checks with this document failed, in this and other visits
    FINGER_DIFFERENT = "finger_different"
    BY_CLERK = "by_clerk"
    BY_APPROVER = "by_approver"
    SERVER_RESTARTED = "server_restarted"
    CUSTOMER_LEFT = "customer_left"
    CUSTOMER_CANCELLED = "customer_cancelled"
    MEDIA_FAILED = "media_failed"


class TicketView(Message):
    """A place in the queue."""

    number: str = Field(description="what is called out, such as A017")
    position: int = Field(description="1 is next; 0 when a clerk has taken it")
    waiting_s: int
    estimate_low_s: int | None = None
    estimate_high_s: int | None = None
    clerks_ready: int


class DocumentView(Message):
    """The document both sides look at: one rendering, one hash."""

    title: Text
    sha256: str
    pages: int
    seen_pages: tuple[int, ...] = ()
    signed_by_customer: bool = False
    signed_by_clerk: bool = False


class Receipt(Message):
    """What the customer takes home."""

    record_id: str
    check_code: str = Field(description="with the number, opens the public receipt check")
    check_url: str
    sealed_at: datetime
    proof: str | None = Field(
        default=None,
        description="that the record is in the public log: C2SP tlog-proof with its signed checkpoint, a second later",
    )


class VisitView(Message):
    """Everything a customer's page needs to draw the visit. Sent whole after every change."""

    visit_id: str
    service_id: str
    service_title: Text
    channel: Channel
    language: Language
    state: VisitState
    version: int = Field(description="rises with every change; an older view is ignored")
    route: Route
    assurance: Assurance
    reason: Reason | None = None
    note: str | None = Field(default=None, description="what the clerk wrote to the customer with a refusal")
    form: tuple[FormField, ...]
    values: dict[str, str]
    holder_name: str | None = None
    checks: tuple[CheckView, ...] = ()
    face: FaceView | None = None
    asks_finger: FingerTask | None = Field(default=None, description="what this visit's service wants of a finger")
    finger: FingerView | None = None
    ticket: TicketView | None = None
    clerk_name: str | None = None
    document: DocumentView | None = None
    my_line: Line = Line.NONE
    clerk_line: Line = Line.NONE
    continuity: ContinuityView | None = Field(default=None, description="None outside a call")
    held: bool = Field(default=False, description="the clerk asked to wait a moment: nobody sees or hears the other")
    clerk_muted: bool = False
    third: ThirdPerson | None = None
    receipt: Receipt | None = None
    phone_key: PhoneKey = PhoneKey.NONE


class OpenVisit(Message):
    """POST /api/visits. A phone adds its session as `Authorization: Bearer`; a kiosk is known by its certificate."""

    service_id: ShortText
    language: Language


class VisitOpened(Message):
    """The visit and the token that every later request of this customer carries as `Authorization: Bearer`."""

    visit_token: Token
    view: VisitView


class RedeemLink(Message):
    """POST /api/phone/redeem: a one-time link becomes a phone session, once."""

    link_token: Token


class PhoneSession(Message):
    """What a redeemed link gives: good for opening one visit."""

    phone_token: Token


class PhoneLink(Message):
    """POST /api/kiosk/phone-links or /api/console/phone-links."""

    url: str
    qr_svg: str
    expires_at: datetime


class GiveConsent(Message):
    """POST /api/visits/{id}/consent."""

    recording: Literal[True]
    biometrics: Literal[True]


class SubmitForm(Message):
    """POST /api/visits/{id}/form."""

    values: dict[Annotated[str, StringConstraints(max_length=40)], ShortText]


class PageSeen(Message):
    """POST /api/visits/{id}/pages-seen."""

    document_sha256: ShortText
    page: Annotated[int, Field(ge=1, le=200)]


class Point(Message):
    """One sample of the finger or pen on the pad."""

    x: Annotated[float, Field(ge=0, le=1, description="of the pad's width")]
    y: Annotated[float, Field(ge=0, le=1, description="of the pad's height")]
    t_ms: Annotated[int, Field(ge=0, le=600_000, description="since the first point")]
    pressure: Annotated[float, Field(ge=0, le=1)] | None = None


class SignDocument(Message):
    """POST /api/visits/{id}/signature: the customer's own hand, on this very document."""

    document_sha256: ShortText
    strokes: Annotated[tuple[Annotated[tuple[Point, ...], Field(max_length=4000)], ...], Field(max_length=60)]
    pad_ratio: Annotated[float, Field(gt=0.2, lt=20, description="width / height of the pad")]


class ReceiptCheck(Message):
    """GET /api/receipts/{record_id}?code=…: what a stranger may know about a record."""

    record_id: str
    known: bool
    intact: bool | None = None
    broken: str | None = Field(default=None, description="number and name of the first check that failed")
    outcome: str | None = None
    service_title: Text | None = None
    sealed_at: datetime | None = None
    manifest_sha256: str | None = None
