"""What can go wrong with live pictures.

MediaError
├── EngineUnfitError      self-check failed, or no worker starts   → the counter refuses calls, operator reads the log
├── WorkerGoneError       the worker died under this very request  → offer a new leg; recordings go on in a new part
├── UnknownLegError       this leg is closed or was never made     → the page must join again
├── LegsApartError        two legs on two workers: nothing crosses   → make one of them anew, near the other
├── NoOtherWayError       this engine cannot restart a leg         → the page must join again
├── BadDescriptionError   an answer or candidate nobody can use    → refuse that message, keep the leg
├── MalformedRtpError     an RTP payload that breaks its own format → drop the packet
└── RecordingFailedError  sealed bytes could not be written        → the visit must not be closed as recorded
"""


class MediaError(Exception):
    """Root of everything this package raises."""


class EngineUnfitError(MediaError):
    """The engine cannot carry calls on this machine; the message names the first thing missing."""


class WorkerGoneError(MediaError):
    """The worker process ended before it answered."""


class UnknownLegError(MediaError):
    """No open leg has this identifier."""


class LegsApartError(MediaError):
    """Two legs that were to be attached are carried by different workers."""


class NoOtherWayError(MediaError):
    """A leg that cannot look for a new way on its connection."""


class BadDescriptionError(MediaError):
    """A session description or candidate from outside that cannot be applied."""


class MalformedRtpError(MediaError, ValueError):
    """An RTP payload shorter than its own descriptor says, or of a kind that is never sent to us."""


class RecordingFailedError(MediaError):
    """A recording is not wholly on disk."""
