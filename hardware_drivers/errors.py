"""What can go wrong with a device.

DeviceError
├── DeviceGoneError        the reader's cable or its service went away      → screen: call staff
├── DeviceTimeoutError     the whole job took too long                      → retry once, then the same
├── NoReaderError          no reader, or no PC/SC service, to begin with    → staff: plug one in, run the self-test
├── NoCardError            nobody put a card down in time                   → screen: ask again
├── ReaderBusyError        another program holds the card                   → staff: close that program
├── RecordingDiffersError  a replayed recording was asked something else    → developer: record anew
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
