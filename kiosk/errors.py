"""What can go wrong at a kiosk.

KioskError                     carries a wire.ErrorCode and the HTTP status to answer with
├── CounterUnreachableError    no line to the counter                      → screen: wait, it comes back by itself
├── CardStepError              the card could not be read                  → screen: one sentence per code
├── FingerStepError        the finger could not be taken               → screen: one sentence per code
├── CounterRefusedError        the counter said no to what we sent         → screen: the counter's own code
└── BadRequestError            the page asked for what we do not pass on   → a fault in the page, or not our page
ConfigError                    the kiosk cannot start                      → the operator corrects the named key
"""

from webrtc.wire.message import ErrorBody, ErrorCode


class ConfigError(Exception):
    """The configuration does not describe a kiosk; the message names the key."""


class KioskError(Exception):
    """Something the page must be told, in the words of `wire.ErrorBody`."""

    def __init__(self, code: ErrorCode, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def body(self) -> ErrorBody:
        """What goes over the wire."""
        return ErrorBody(code=self.code, message=str(self))


class CounterUnreachableError(KioskError):
    """The counter cannot be reached, or shows a certificate that is not of our CA."""

    def __init__(self, why: str) -> None:
        super().__init__(ErrorCode.COUNTER_UNREACHABLE, 503, why)


class CardStepError(KioskError):
    """Reading the card ended early."""

    def __init__(self, code: ErrorCode, why: str) -> None:
        super().__init__(code, 409, why)


class FingerStepError(KioskError):
    """Taking a finger ended early."""

    def __init__(self, code: ErrorCode, why: str) -> None:
        super().__init__(code, 409, why)


class CounterRefusedError(KioskError):
    """The counter answered with an error of its own, which goes to the page as it is."""

    def __init__(self, status: int, body: ErrorBody) -> None:
        super().__init__(body.code, status, body.message)
        self._body = body

    def body(self) -> ErrorBody:
        """The counter's own words."""
        return self._body


class BadRequestError(KioskError):
    """The page asked for something this desk does not do."""

    def __init__(self, code: ErrorCode, status: int, why: str) -> None:
        super().__init__(code, status, why)
