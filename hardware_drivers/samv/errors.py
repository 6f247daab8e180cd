"""What a SAM_V reader can do to us beyond `hardware_drivers.errors`.

DeviceError
├── ReaderRefusedError       the module in the reader will not work (`status`)  → staff: what the status' sentence says
├── PluginError              the maker's library failed in its child (`fault`)   → clerk: compare the printed photograph
└── CardError
    └── CardRefusedError     the card and the module did not agree (`status`)    → screen: the status' sentence

Everything else is a class of the parent family: gone, silent, busy, no card, removed, garbled, malformed.
"""

from enum import StrEnum

from hardware_drivers.errors import CardError, DeviceError
from hardware_drivers.samv.status import Status


class ReaderRefusedError(DeviceError):
    """The security module answered with a status that no other card would change.

    Attributes:
        status: What it answered.
    """

    def __init__(self, status: Status, during: str) -> None:
        super().__init__(f"status {status:02X} during {during}")
        self.status = status


class CardRefusedError(CardError):
    """The security module did not get on with this card.

    Attributes:
        status: What the module answered.
    """

    def __init__(self, status: Status, during: str) -> None:
        super().__init__(f"status {status:02X} during {during}")
        self.status = status


class PluginFault(StrEnum):
    """How the maker's library let us down."""

    NOT_STARTED = "not_started"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"  # a signal, a limit of memory or processor time, or an early end
    BAD_ANSWER = "bad_answer"
    REFUSED = "refused"  # it ran, and said that it cannot


class PluginError(DeviceError):
    """The maker's library did not do what it was asked in its child process.

    Attributes:
        fault: In which way.
    """

    def __init__(self, fault: PluginFault) -> None:
        super().__init__(f"the maker's library: {fault.value}")
        self.fault = fault


def refused(status: Status, during: str) -> ReaderRefusedError | CardRefusedError:
    """The error for a status that is not success: about the card, or about the reader."""
    if status in ABOUT_THE_CARD:
        return CardRefusedError(status, during)
    return ReaderRefusedError(status, during)


ABOUT_THE_CARD = frozenset(
    {
        Status.NOT_STORED,
        Status.CARD_REJECTS_MODULE,
        Status.MODULE_REJECTS_CARD,
        Status.CONTENT_NOT_VERIFIED,
        Status.FINGERPRINT_NOT_VERIFIED,
        Status.CONTENT_LENGTH_WRONG,
        Status.UNKNOWN_CARD,
        Status.READ_FAILED,
        Status.NO_RANDOM_NUMBER,
        Status.NOT_FOUND,
        Status.NOT_SELECTED,
    }
)
