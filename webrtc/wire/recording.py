"""Recordings of sealed records, as they are listed and watched."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from webrtc.wire.message import Message, Text, Token


class RecordedVisit(Message):
    """A sealed record with a recording, as a list shows it."""

    record_id: str
    service_title: Text
    outcome: str
    channel: str
    sealed_at: datetime


class RecordedVisits(Message):
    """GET /api/console/recordings, for auditors and supervisors; newest first."""

    records: tuple[RecordedVisit, ...]


class WatchRecording(Message):
    """POST /api/console/recordings/{record_id}/viewings. Noted for ever before anything is opened."""

    reason: Annotated[str, StringConstraints(min_length=8, max_length=400, strip_whitespace=True)]


class RecordedPiece(Message):
    """A stretch of a track's file that begins at a cluster and can be played from the next key picture on."""

    offset: int
    size: int
    start_ms: int = Field(description="on the track's clock")


class RecordedGap(Message):
    """Nothing arrived."""

    start_ms: int
    duration_ms: int


class MeasuredSize(Message):
    """From this moment of the track on, its pictures have this size."""

    at_ms: int
    width: int
    height: int


class MeasuredMinute(Message):
    """Packets of one minute of the track. Repaired ones came only after later ones, lost ones never."""

    packets: int
    lost: int
    repaired: int


class MeasuredLine(Message):
    """How good the line was, measured while it was recorded. Skew: how much later than sound pictures stand."""

    sizes: tuple[MeasuredSize, ...]
    skew_mean_ms: float | None
    skew_worst_ms: float | None
    minutes: tuple[MeasuredMinute, ...]


class RecordedSide(Message):
    """One track: GET /api/console/viewings/{viewing_id}/{number}.mkv, by ranges."""

    number: int
    side: str
    started_at: datetime
    starts_ms: int = Field(description="after the first track of the record")
    duration_ms: int
    frames_per_s: float = Field(description="measured outside gaps; 0 where nobody could measure")
    complete: bool
    line: MeasuredLine | None = Field(description="null where nobody measured, or the figures' key is gone")
    gaps: tuple[RecordedGap, ...]
    pieces: tuple[RecordedPiece, ...]


class ViewingView(Message):
    """A viewing that has been noted, and what can be watched."""

    viewing_id: Token
    record_id: str
    duration_ms: int
    tracks: tuple[RecordedSide, ...]
