"""The kiosk agent's own answers: what stands on the desk, and how far a reading is."""

from enum import StrEnum

from webrtc.wire.message import Message


class ReaderState(StrEnum):
    """What the card reader is good for right now."""

    NO_SERVICE = "no_service"
    NO_READER = "no_reader"
    EMPTY = "empty"
    CARD_PRESENT = "card_present"
    READING = "reading"


class CardStep(StrEnum):
    """Progress of one reading, in the order of ICAO 9303."""

    WAITING_FOR_CARD = "waiting_for_card"
    OPENING = "opening"
    ACCESS = "access"
    READING_SECURITY = "reading_security"
    READING_TEXT = "reading_text"
    READING_PORTRAIT = "reading_portrait"
    CHECKING = "checking"


class ScannerState(StrEnum):
    """What the fingerprint scanner is good for right now."""

    NONE = "none"  # this desk has none
    READY = "ready"
    GONE = "gone"  # it should have one, which does not answer
    CAPTURING = "capturing"


class FingerStep(StrEnum):
    """Progress of one capture."""

    WAITING_FOR_FINGER = "waiting_for_finger"
    HOLD_STILL = "hold_still"  # a finger is there
    CHECKING = "checking"  # it may be lifted


class KioskView(Message):
    """GET /api/kiosk (poll once a second while the card screen or the finger screen is open)."""

    kiosk_id: str
    name: str
    reader: ReaderState
    reader_name: str | None = None
    card_step: CardStep | None = None
    scanner: ScannerState = ScannerState.NONE
    finger_step: FingerStep | None = None
    counter_reachable: bool
