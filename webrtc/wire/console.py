"""The clerk's console: who waits, the visit at the desk, documents for a second person, and the clerk's acts."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from webrtc.wire.call import Line, LineCheck, ShownKind
from webrtc.wire.card import HolderView
from webrtc.wire.catalogue import Assurance, Channel, FormField
from webrtc.wire.check import CheckOutcome, CheckView
from webrtc.wire.face import ContinuityView, FaceView
from webrtc.wire.finger import FingerView
from webrtc.wire.message import Language, Message, ShortText, Text
from webrtc.wire.passkey import PasskeyAnswer
from webrtc.wire.third_person import Colleague, InvitationView, RunningCall, ThirdPerson
from webrtc.wire.visit import DocumentView, Reason, Receipt, VisitState


class Login(Message):
    """POST /api/console/login; answers ClerkView and a session cookie."""

    username: ShortText
    password: ShortText


class ClerkView(Message):
    """Who is logged in."""

    clerk_id: str
    name: str
    roles: tuple[str, ...]
    language: Language
    passkeys: int = Field(default=0, description="how many are registered; with one, it signs in the password's place")


class TicketRow(Message):
    """One waiting customer in the clerk's list; nothing personal before it is taken."""

    ticket_id: str
    number: str
    service_title: Text
    channel: Channel
    language: Language
    waiting_s: int
    referred: bool = Field(description="the face check asked for a clerk's eyes")


class ChecklistItem(Message):
    """One thing the clerk must look at, ask or say before the document may go out."""

    item_id: str
    text: Text
    outcome: CheckOutcome | None = None
    note: str = ""


class ClerkVisit(Message):
    """A visit as the clerk who serves it sees it."""

    visit_id: str
    ticket_number: str
    service_title: Text
    channel: Channel
    language: Language
    state: VisitState
    version: int
    assurance: Assurance
    holder: HolderView | None
    checks: tuple[CheckView, ...]
    face: FaceView | None
    finger: FingerView | None = None
    has_portrait: bool
    has_live_picture: bool
    form: tuple[FormField, ...]
    values: dict[str, str]
    checklist: tuple[ChecklistItem, ...]
    checklist_complete: bool
    document: DocumentView | None
    needs_approval: bool
    approval: Literal["none", "waiting", "approved", "declined"]
    customer_line: Line
    my_line: Line
    customer_trouble: str | None = None
    line_check: LineCheck | None = Field(default=None, description="as the customer's page found it before the queue")
    continuity: ContinuityView | None = Field(default=None, description="None outside a call")
    held: bool = False
    muted: bool = False
    third: ThirdPerson | None = None
    shown: ShownKind | None = None
    reason: Reason | None = None
    receipt: Receipt | None = None


class ApprovalRow(Message):
    """A document that waits for a second person."""

    visit_id: str
    ticket_number: str
    service_title: Text
    clerk_name: str
    values: dict[str, str]
    form: tuple[FormField, ...]
    holder: HolderView | None
    checks: tuple[CheckView, ...]
    face: FaceView | None
    finger: FingerView | None = None
    checklist: tuple[ChecklistItem, ...]
    document: DocumentView
    mine: bool = Field(description="signed by whoever is looking, who therefore cannot approve it")


class ConsoleView(Message):
    """Everything a console draws. Sent whole after every change."""

    clerk: ClerkView
    version: int
    waiting: tuple[TicketRow, ...]
    visit: ClerkVisit | None
    approvals: tuple[ApprovalRow, ...]
    media_ok: bool
    calls: tuple[RunningCall, ...] = Field(
        default=(), description="for supervisors, and of an invited colleague theirs"
    )
    colleagues: tuple[Colleague, ...] = Field(default=(), description="whom this clerk could ask into the call now")
    invited: str | None = Field(default=None, description="clerk_id of whoever was asked and has not answered")
    invitation: InvitationView | None = None


class SetChecklistItem(Message):
    """POST /api/console/visits/{id}/checklist/{item_id}."""

    outcome: CheckOutcome
    note: ShortText = ""


class Countersign(Message):
    """POST /api/console/visits/{id}/countersign: the clerk's own act, with a passkey or the password once more."""

    document_sha256: ShortText
    password: ShortText = ""
    passkey: PasskeyAnswer = ""


class RefuseVisit(Message):
    """POST /api/console/visits/{id}/refuse."""

    note: Annotated[str, StringConstraints(min_length=1, max_length=400)]


class Approve(Message):
    """POST /api/console/visits/{id}/approval by a second person."""

    decision: Literal["approve", "decline"]
    document_sha256: ShortText
    password: ShortText = ""
    note: ShortText = ""
    passkey: PasskeyAnswer = ""
