"""What can go wrong with a device.

DeviceError
├── DeviceGoneError        the reader's cable or its service went away      → screen: call staff
├── DeviceTimeoutError     the whole job took too long                      → retry once, then the same
├── NoReaderError          no reader, or no PC/SC service, to begin with    → staff: plug one in, run the self-test
├── NoCardError            nobody put a card down in time                   → screen: ask again
├── ReaderBusyError        another program holds the card                   → staff: close that program
├── RecordingDiffersError  a replayed recording was asked something else    → developer: record anew
├── NoScannerError         no fingerprint scanner, or nothing that drives it → staff: plug it in, install its driver
├── ScannerBusyError       it is taking another finger, or another program is → wait, then staff
├── ScannerUntrustedError  what it signed does not hold                     → staff: wrong device, or somebody between
├── FingerError            the scanner is there, and the finger
│   ├── NoFingerError        did not come in time, or the glass is empty    → screen: ask again
│   ├── FingerLiftedError    left before the picture was whole              → screen: leave it there
│   └── FingerPoorError      cannot be seen well (carries `poor`)           → screen: what to change
└── CardError              the card is there, and
    ├── CardRemovedError     the applicant was too quick                    → screen: put it back
    ├── CardMuteError        it does not answer, or not by the protocol     → screen: other side up, then call staff
    ├── NotAnIdCardError     it answers but holds no ICAO 9303 application  → screen: which card we mean
    ├── StatusError          it said no (carries `sw`)                      → depends on the status word
    ├── AccessDeniedError    it refused the key made from the printed lines → screen: check what was typed
    ├── TamperedAnswerError  an answer is short, forged or out of protocol  → screen: once more, then call staff
    └── MalformedFileError   a file is not what the standard says           → clerk: the document is judged not readable

Messages carry lengths, tags and status words, never what is written on a document.
"""

from enum import StrEnum


class DeviceError(Exception):
    """Anything a device can do to us; nothing else leaves this package's doors."""


class DeviceGoneError(DeviceError):
    """The reader or the service behind it went away in the middle."""


class DeviceTimeoutError(DeviceError):
    """The device is there, but the job as a whole took longer than it may."""


class NoReaderError(DeviceError):
    """There is no card reader here, or no service that would tell."""


class NoCardError(DeviceError):
    """No card was put on the reader in the time given."""


class ReaderBusyError(DeviceError):
    """Another program holds the card exclusively."""


class RecordingDiffersError(DeviceError):
    """A recording is replayed to a program that sends other commands than the recorded one did."""


class NoScannerError(DeviceError):
    """There is no fingerprint scanner here, or not the software that would drive it."""


class ScannerBusyError(DeviceError):
    """The scanner is taking another finger, or another program holds it."""


class ScannerUntrustedError(DeviceError):
    """A scanner that signs signed something else, for somebody else, or with a key nobody vouches for."""


class FingerError(DeviceError):
    """The finger, not the scanner, is what went wrong."""


class NoFingerError(FingerError):
    """Nobody put a finger down in the time given, nobody wants it any more, or the glass was empty."""


class FingerLiftedError(FingerError):
    """The finger left before the picture was whole."""


class PoorPicture(StrEnum):
    """What is wrong with a picture of a finger, as far as a person can change it."""

    TOO_WET = "too_wet"  # valleys filled
    TOO_DRY = "too_dry"  # hardly anything touches
    TOO_LITTLE = "too_little"  # only the tip or an edge lies on the glass
    UNCLEAR = "unclear"  # the scanner says no more


class FingerPoorError(FingerError):
    """The picture is below the quality that was asked for.

    Attributes:
        poor: What to change.
    """

    def __init__(self, poor: PoorPicture, why: str) -> None:
        super().__init__(f"{poor}: {why}")
        self.poor = poor


class CardError(DeviceError):
    """The card, not the reader, is what went wrong."""


class CardRemovedError(CardError):
    """The card left the reader while it was needed; nothing of the session can be used again."""


class CardMuteError(CardError):
    """The card does not answer within the watchdog's time, or powers up unusably."""


class NotAnIdCardError(CardError):
    """The card answers, but has no ICAO 9303 application."""


class StatusError(CardError):
    """The card answered with an error status.

    Attributes:
        sw: The status word as ISO/IEC 7816-4 §5.6 lists them, 0x6100 to 0x9FFF.
    """

    def __init__(self, sw: int, during: str) -> None:
        super().__init__(f"status {sw:04X} during {during}")
        self.sw = sw


class AccessDeniedError(CardError):
    """The chip refused the access key: what was typed is not what is printed on this document.

    Attributes:
        tries_left: Attempts that a counted secret (PIN, PUK) still has; None where nothing is counted or told.
    """

    def __init__(self, why: str, *, tries_left: int | None = None) -> None:
        super().__init__(why)
        self.tries_left = tries_left


class TamperedAnswerError(CardError):
    """An answer is shorter than a status word, fails its MAC, or breaks the protocol."""


class MalformedFileError(CardError):
    """A file of the chip does not follow its standard.

    Attributes:
        field: Name of the offending part, in the standard's words.
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
