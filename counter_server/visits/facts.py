"""What the counter knows of one visit, as a value; changed by replacing it, in one transaction with its journal."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from webrtc.wire.call import LineCheck
from webrtc.wire.card import HolderView
from webrtc.wire.catalogue import Assurance, Channel, Route
from webrtc.wire.check import CheckView
from webrtc.wire.console import ChecklistItem
from webrtc.wire.face import ContinuityCue, FaceView
from webrtc.wire.finger import FingerView
from webrtc.wire.message import Language
from webrtc.wire.visit import DocumentView, Reason, Receipt, VisitState

DOCUMENT_TRIES = "document_tries"


class Signed(BaseModel):
    """Somebody's act on the document: who, when, on which bytes, and the signed statement about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: str  # customer, clerk, approver
    actor: str  # clerk id, or "customer"
    at: datetime
    document_sha256: str
    strokes_sha256: str | None = None


class KnownPhone(BaseModel):
    """A passkey from an earlier visit was shown and held: the phone of then is here, and verified its person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    record_id: str  # of the visit it was made after


class Visit(BaseModel):
    """One visit. Pictures, files and strokes are not here: they lie sealed in the visit's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    visit_id: str
    record_id: str
    service_id: str
    channel: Channel
    kiosk_id: str | None
    language: Language
    opened_at: datetime
    state: VisitState = VisitState.CONSENT
    assurance: Assurance = Assurance.NONE
    route: Route
    reason: Reason | None = None
    note: str | None = None
    holder: HolderView | None = None
    checks: tuple[CheckView, ...] = ()
    face: FaceView | None = None
    face_attempts: int = 0
    finger: FingerView | None = None
    known_phone: KnownPhone | None = None
    values: dict[str, str] = {}
    clerk_id: str | None = None
    clerk_name: str | None = None
    checklist: tuple[ChecklistItem, ...] = ()
    document: DocumentView | None = None
    signed: tuple[Signed, ...] = ()
    approval: Literal["none", "waiting", "approved", "declined"] = "none"
    receipt: Receipt | None = None
    trouble: str | None = None
    line_check: LineCheck | None = None  # measured by the customer's page before the queue
    broken: ContinuityCue | None = None
    """Why the person in the call must be identified again; nothing is signed while it stands."""
    again: bool = False
    """The person is being identified again in mid-call."""
    held: bool = False  # the clerk let the customer wait
    muted: bool = False  # the clerk's microphone is off

    def signed_as(self, role: str) -> Signed | None:
        """The act of this role, if it was done."""
        return next((act for act in self.signed if act.role == role), None)

    @property
    def without_face(self) -> bool:
        """Whether no face check was begun any more, because too many had failed with this document."""
        return self.face is not None and DOCUMENT_TRIES in self.face.reasons

    @property
    def without_finger(self) -> bool:
        """The service asked for a finger that could not be given: two people decide instead of a scanner."""
        return self.finger is not None and self.finger.cannot and self.route is Route.CLERK

    @property
    def checklist_complete(self) -> bool:
        """Whether every item passed; a failed one asks for a refusal, not for a document."""
        return all(item.outcome is not None and item.outcome.value == "passed" for item in self.checklist)
