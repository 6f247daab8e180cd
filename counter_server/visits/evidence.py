"""Files, pictures and strokes of a visit that is still open. In memory only: a visit that does not end leaves none.

Whatever must outlive the visit goes into its record, encrypted; recordings are sealed on disk while they are made.
"""

import secrets
from dataclasses import dataclass, field

from counter_server.errors import CounterError
from counter_server.identification.finger_messages import FingerFinding, Grey
from counter_server.records.keys import RecordKeys
from counter_server.records.passkey_act import PasskeyAct
from counter_server.records.record import ObjectClass
from counter_server.records.statement import SignedStatement
from counter_server.signing.document import RenderedDocument
from counter_server.signing.strokes import Strokes
from webrtc.engine import RecordedTrack
from webrtc.wire.message import ErrorCode

CHIP_PORTRAIT, LIVE_PICTURE, CONTRACT = "chip-portrait", "live-picture.jpg", "contract.pdf"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of evidence."""

    object_class: ObjectClass
    media_type: str
    content: bytes


@dataclass(slots=True, repr=False)
class FingerSession:
    """What the finger step compares with, and what it has seen; templates only, no picture.

    Attributes:
        enrolled, pictures: Of the holder's finger, from an earlier visit or from the chip.
        given: Impressions that count for an enrolment.
        seen: Pictures looked at, so that an empty glass does not go on for ever.
        tries: Impressions that were compared; each is one more chance for a stranger.
        best: Of those, the one of the best quality.
        doubted: The sensor once took what it saw for an imitation.
        busy: A picture is being judged.
        transaction: What the scanner has to sign with the next picture; empty where none has to.
        device: Which one signed the last.
    """

    enrolled: tuple[bytes, ...] = ()
    pictures: tuple[Grey, ...] = ()
    given: tuple[bytes, ...] = ()
    seen: int = 0
    tries: int = 0
    best: FingerFinding | None = None
    doubted: bool = False
    busy: bool = False
    transaction: str = ""
    device: str = ""

    def renewed(self) -> str:
        """Another transaction, so that what was signed once is good for one picture."""
        self.transaction = secrets.token_hex(16) if self.transaction else ""
        return self.transaction


@dataclass(slots=True)
class Evidence:
    """What one open visit holds. `keys` belong to its record and seal the recording while it is made."""

    keys: RecordKeys
    exhibits: dict[str, Exhibit] = field(default_factory=dict)
    document: RenderedDocument | None = None
    strokes: Strokes | None = None
    summary: bytes = b""  # what the signers' certificates were issued on
    statements: dict[str, SignedStatement] = field(default_factory=dict)  # by role
    passkey_acts: dict[str, PasskeyAct] = field(default_factory=dict)  # by role
    possession: PasskeyAct | None = None  # what the customer's own phone signed when it was recognised
    door: str = ""  # the kiosk it was opened at; empty for phones
    finger: FingerSession | None = None  # what the finger step has seen so far
    chip_fingers: bytes | None = None  # DG3, where this desk was let read it; in memory only
    tracks: tuple[RecordedTrack, ...] = ()  # of calls with clerks who lost the visit

    def add(self, name: str, object_class: ObjectClass, media_type: str, content: bytes) -> None:
        """Keep a piece under this name; a later one of the same name replaces it."""
        self.exhibits[name] = Exhibit(object_class, media_type, content)

    def get(self, name: str) -> Exhibit:
        """The piece of this name.

        Raises:
            CounterError: NOT_FOUND.
        """
        if (found := self.exhibits.get(name)) is None:
            raise CounterError(ErrorCode.NOT_FOUND)
        return found

    def add_document(self, document: RenderedDocument) -> None:
        """The document as it was rendered, once."""
        self.document = document
        self.add(CONTRACT, ObjectClass.CONTRACT, "application/pdf", document.pdf)

    def add_signed(self, pdf: bytes, role: str = "customer", proof: PasskeyAct | None = None) -> None:
        """The document with one more signature in it; it still begins with the bytes that were shown."""
        if proof is not None:
            self.passkey_acts[role] = proof
        self.add(CONTRACT, ObjectClass.CONTRACT, "application/pdf", pdf)

    def drop_document(self) -> None:
        """Forget the document and everything signed on it: it must be shown and signed anew."""
        self.strokes = None
        self.summary = b""
        self.document = None
        self.statements.clear()
        self.passkey_acts.clear()
        for name in [name for name, exhibit in self.exhibits.items() if exhibit.object_class in _ON_DOCUMENT]:
            del self.exhibits[name]


_ON_DOCUMENT = (ObjectClass.CONTRACT, ObjectClass.SIGNATURE, ObjectClass.STATEMENT)
