"""From what the media engine measured of a call to what the record keeps and the clerk's page shows."""

import logging

from counter_server.records.agefile import AgeIdentity
from counter_server.records.errors import RecordError, RecordFormatError
from counter_server.records.examination import read_blocks
from counter_server.records.line_quality import (
    QUALITY_FORMAT,
    QUALITY_OBJECT,
    LineQuality,
    MinuteEntry,
    SizeEntry,
    TrackEntry,
    judge,
)
from counter_server.records.record import OBJECT_FOLDER, OBJECT_SUFFIX, Manifest
from counter_server.records.record import RecordedTrack as RecordedSide
from counter_server.records.store import RecordStore
from webrtc.engine import RecordedTrack
from webrtc.wire.recording import MeasuredLine, MeasuredMinute, MeasuredSize

_log = logging.getLogger("counter.visits.line_quality")


def measured(record_id: str, tracks: tuple[RecordedTrack, ...], sides: tuple[RecordedSide, ...]) -> LineQuality | None:
    """What was measured of these tracks, under the names their segments have in the record; None for none.

    Figures that contradict each other are left out and told to the log: a visit must not stay unsealed for them.
    """
    entries = tuple(
        _entry(track, side.segments[0].name)
        for track, side in zip(tracks, sides, strict=True)
        if track.quality is not None and side.segments
    )
    complete = [track for track in tracks if track.complete and track.segments]
    if not entries or len(entries) != len(complete):
        return None
    quality = LineQuality(QUALITY_FORMAT, record_id, entries)
    try:
        judge(quality, record_id, sides)
    except RecordFormatError as error:
        _log.error("record %s is sealed without the quality of its lines: %s", record_id, error)
        return None
    return quality


def _entry(track: RecordedTrack, first_segment: str) -> TrackEntry:
    quality = track.quality
    if quality is None:
        raise ValueError("only measured tracks have an entry")
    return TrackEntry(
        first_segment=first_segment,
        sizes=tuple(SizeEntry(round(size.at_s * 1000), size.width, size.height) for size in quality.sizes),
        skew_mean_us=None if quality.skew_mean_ms is None else round(quality.skew_mean_ms * 1000),
        skew_worst_us=None if quality.skew_worst_ms is None else round(quality.skew_worst_ms * 1000),
        skew_samples=quality.skew_samples,
        minutes=tuple(MinuteEntry(minute.packets, minute.lost, minute.repaired) for minute in quality.minutes),
    )


def read_quality(store: RecordStore, manifest: Manifest, identity: AgeIdentity | None) -> LineQuality | None:
    """What a sealed record says of its lines; None where it says nothing, or its key is gone.

    Raises:
        RecordError: it is there and does not fit.
    """
    item = next((item for item in manifest.objects if item.name == QUALITY_OBJECT), None)
    if item is None or identity is None:
        return None
    path = store.folder_of(manifest.record_id) / OBJECT_FOLDER / f"{item.sha256}{OBJECT_SUFFIX}"
    try:
        quality = LineQuality.from_bytes(identity.open(b"".join(read_blocks(path))))
    except OSError as error:
        raise RecordError("the measured quality cannot be read") from error
    judge(quality, manifest.record_id, manifest.recordings)
    return quality


def to_wire(entry: TrackEntry | None) -> MeasuredLine | None:
    """As the clerk's page gets it."""
    if entry is None:
        return None
    return MeasuredLine(
        sizes=tuple(MeasuredSize(at_ms=size.at_ms, width=size.width, height=size.height) for size in entry.sizes),
        skew_mean_ms=None if entry.skew_mean_us is None else entry.skew_mean_us / 1000,
        skew_worst_ms=None if entry.skew_worst_us is None else entry.skew_worst_us / 1000,
        minutes=tuple(
            MeasuredMinute(packets=minute.packets, lost=minute.lost, repaired=minute.repaired)
            for minute in entry.minutes
        ),
    )
