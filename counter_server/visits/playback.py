"""Watching a recorded visit in the console: who may, noted for ever before the first byte is opened."""

import asyncio
import time
from datetime import UTC, datetime

from counter_server.errors import CounterError
from counter_server.records import service as records
from counter_server.records import slots
from counter_server.records.agefile import AgeIdentity
from counter_server.records.errors import RecordError, RecordUnknownError
from counter_server.records.home import SafeHome
from counter_server.records.journal import read_instant
from counter_server.records.keeping import KeepClass
from counter_server.records.line_quality import LineQuality
from counter_server.records.openings import note_opening
from counter_server.records.service import RecordRow
from counter_server.records.watching import TrackReader, open_tracks
from counter_server.visits.line_quality import read_quality, to_wire
from counter_server.visits.office import Office
from counter_server.visits.viewings import Viewing
from webrtc.sealed import SEGMENT_S
from webrtc.wire.console import ClerkView
from webrtc.wire.message import ErrorCode
from webrtc.wire.recording import (
    RecordedGap,
    RecordedPiece,
    RecordedSide,
    RecordedVisit,
    RecordedVisits,
    ViewingView,
    WatchRecording,
)

MAY_WATCH = frozenset({"auditor", "supervisor"})
LISTED = 100


def require_watcher(clerk: ClerkView) -> None:
    """Refuse whoever may not watch recordings with NOT_ALLOWED."""
    if not MAY_WATCH & set(clerk.roles):
        raise CounterError(ErrorCode.NOT_ALLOWED)


async def list_recordings(office: Office, clerk: ClerkView) -> RecordedVisits:
    """The newest records that a clerk took part in."""
    require_watcher(clerk)
    rows: tuple[RecordRow, ...] = await office.db.run(records.list_records, limit=LISTED)
    return RecordedVisits(
        records=tuple(
            RecordedVisit(
                record_id=row.record_id,
                service_title=office.catalogue[row.service_id].title,
                outcome=row.outcome,
                channel=row.channel,
                sealed_at=row.sealed_at,
            )
            for row in rows
            if row.service_id in office.catalogue
        )
    )


async def begin_viewing(office: Office, clerk: ClerkView, record_id: str, request: WatchRecording) -> ViewingView:
    """Check the record, note the viewing durably, then open its tracks.

    Raises:
        CounterError: NOT_ALLOWED, NOT_FOUND; RECORD_BROKEN; RECORDING_CLOSED when the key is gone or held by two.
    """
    require_watcher(clerk)
    home = SafeHome(office.settings.home)
    if home.escrow.exists():
        raise CounterError(ErrorCode.RECORDING_CLOSED, "two people hold the escrow together")
    row = await office.db.run(records.find_record, record_id)
    if row is None:
        raise CounterError(ErrorCode.NOT_FOUND)
    verification = await asyncio.to_thread(records.verify_stored, office.safe, row)
    manifest = verification.manifest
    if manifest is None or not verification.intact or verification.manifest_sha256 != row.manifest_sha256:
        raise CounterError(ErrorCode.RECORD_BROKEN)
    try:
        keys = (await office.db.run(slots.read_slots, record_id)).open(office.master)
        identity = AgeIdentity.parse(keys.identities[KeepClass.RECORDING])
    except (RecordUnknownError, KeyError) as error:
        raise CounterError(ErrorCode.RECORDING_CLOSED) from error
    try:
        await asyncio.to_thread(
            note_opening,
            home.openings,
            at=datetime.now(UTC),
            actor=clerk.clerk_id,
            event="recording_viewed",
            details={"record_id": record_id, "reason": request.reason},
        )
        tracks = await asyncio.to_thread(open_tracks, office.safe.folder_of(record_id), manifest, identity)
        figures = keys.identities.get(KeepClass.CONTRACT)
        figures_identity = None if figures is None else AgeIdentity.parse(figures)
        quality = await asyncio.to_thread(read_quality, office.safe, manifest, figures_identity)
    except RecordError as error:
        raise CounterError(ErrorCode.RECORD_BROKEN, str(error)) from error
    began = [read_instant(track.track.started_at) for track in tracks]
    first = min(began, default=datetime.now(UTC))
    sides = tuple(
        _side(number, reader, at, round((at - first).total_seconds() * 1000), quality)
        for number, (reader, at) in enumerate(zip(tracks, began, strict=True))
    )
    return ViewingView(
        viewing_id=office.viewings.add(Viewing(clerk.clerk_id, tracks, time.monotonic())),
        record_id=record_id,
        duration_ms=max((side.starts_ms + side.duration_ms for side in sides), default=0),
        tracks=sides,
    )


def _side(
    number: int, reader: TrackReader, began: datetime, starts_ms: int, quality: LineQuality | None
) -> RecordedSide:
    track = reader.track
    # A part that a crash left has no figures: it lasts at most one segment longer than its last one's beginning.
    last_ms = reader.pieces[-1].start_ms + round(SEGMENT_S * 1000)
    return RecordedSide(
        number=number,
        side=track.side,
        started_at=began,
        starts_ms=starts_ms,
        duration_ms=track.duration_ms or last_ms,
        frames_per_s=track.fps_milli / 1000,
        complete=track.complete,
        line=to_wire(None if quality is None else quality.of(track)),
        gaps=tuple(RecordedGap(start_ms=gap.start_ms, duration_ms=gap.duration_ms) for gap in track.gaps),
        pieces=tuple(
            RecordedPiece(offset=piece.offset, size=piece.size, start_ms=piece.start_ms) for piece in reader.pieces
        ),
    )
