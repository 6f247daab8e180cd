"""What the counter answers instead of doing what was asked.

CounterError                  code, field: becomes the body of a 4xx/5xx answer
├── (by code)                 expected, the person can act on it: wrong step, bad form, link used, …
└── StoppedError              configuration or data home is wrong → the process ends, naming the cure
"""

from webrtc.wire.message import ErrorBody, ErrorCode

STATUS = {
    ErrorCode.BAD_REQUEST: 400,
    ErrorCode.BODY_TOO_LARGE: 413,
    ErrorCode.NOT_LOGGED_IN: 401,
    ErrorCode.WRONG_LOGIN: 401,
    ErrorCode.TOO_MANY_TRIES: 429,
    ErrorCode.NOT_ALLOWED: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.WRONG_STEP: 409,
    ErrorCode.CONFLICT: 409,
    ErrorCode.SERVICE_NEEDS_KIOSK: 403,
    ErrorCode.LINK_UNKNOWN: 404,
    ErrorCode.LINK_USED: 410,
    ErrorCode.LINK_EXPIRED: 410,
    ErrorCode.NO_READER: 503,
    ErrorCode.NO_CARD: 408,
    ErrorCode.CARD_REMOVED: 409,
    ErrorCode.CARD_MUTE: 502,
    ErrorCode.READER_BUSY: 503,
    ErrorCode.WRONG_MRZ: 422,
    ErrorCode.NO_SCANNER: 503,
    ErrorCode.SCANNER_BUSY: 503,
    ErrorCode.NO_FINGER: 408,
    ErrorCode.FINGER_LIFTED: 409,
    ErrorCode.FINGER_POOR: 422,
    ErrorCode.COUNTER_UNREACHABLE: 503,
    ErrorCode.FORM_INVALID: 422,
    ErrorCode.CHECKLIST_OPEN: 409,
    ErrorCode.UNPRINTABLE: 422,
    ErrorCode.PAGES_UNSEEN: 409,
    ErrorCode.SIGNATURE_EMPTY: 422,
    ErrorCode.DOCUMENT_CHANGED: 409,
    ErrorCode.TICKET_TAKEN: 409,
    ErrorCode.SAME_PERSON: 403,
    ErrorCode.FACE_UNAVAILABLE: 503,
    ErrorCode.IDENTITY_NOT_HELD: 409,
    ErrorCode.PASSKEY_NEEDED: 403,
    ErrorCode.PASSKEY_REFUSED: 403,
    ErrorCode.MEDIA_UNAVAILABLE: 503,
    ErrorCode.RECORD_BROKEN: 409,
    ErrorCode.RECORDING_CLOSED: 410,
    ErrorCode.INTERNAL: 500,
}


class CounterError(Exception):
    """A request that is not done, with a code that every page has words for."""

    def __init__(self, code: ErrorCode, message: str = "", field: str | None = None) -> None:
        super().__init__(message or code.value)
        self.code = code
        self.field = field

    @property
    def status(self) -> int:
        """HTTP status that belongs to the code."""
        return STATUS[self.code]

    def body(self) -> ErrorBody:
        """The answer's body."""
        return ErrorBody(code=self.code, message=str(self), field=self.field)


class StoppedError(Exception):
    """The counter refuses to start or go on; the message names the file, what is wrong and the cure."""
