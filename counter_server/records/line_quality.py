"""How good a recorded line was, measured while it was recorded: an object of the record, so part of its seal.

Whole numbers only, as everywhere in a record. A policy in the manifest makes the object a duty, so that it can neither
be left out nor added later: its commitment stands in the signed manifest, and that in the log.
"""

from dataclasses import dataclass

from counter_server.records.canonical import canonical_bytes, read_canonical
from counter_server.records.errors import RecordFormatError
from counter_server.records.plain import from_plain, to_plain
from counter_server.records.record import RecordedTrack

QUALITY_OBJECT = "recording/quality.json"
QUALITY_FORMAT = "visual-counter-line-quality/1"
QUALITY_POLICY = "line-quality-1"  # in a manifest's policies: every complete track says how good its line was
MINUTE_MS = 60_000
# Minutes are counted by our clock, a track's length by the page's, which may run 2 s apart (webrtc/timeline.py).
CLOCKS_APART_MS = 2_000


@dataclass(frozen=True, slots=True)
class SizeEntry:
    """From this moment of the track on, pictures have this size."""

    at_ms: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class MinuteEntry:
    """Packets of one minute: how many came, how many never, how many only after later ones (repaired)."""

    packets: int
    lost: int
    repaired: int


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """One track, named by its first segment. Skew is how much later than sound pictures stand; null: nobody told."""

    first_segment: str
    sizes: tuple[SizeEntry, ...]
    skew_mean_us: int | None
    skew_worst_us: int | None
    skew_samples: int
    minutes: tuple[MinuteEntry, ...]

    @property
    def packets(self) -> int:
        """All that were sent, as far as anybody knows."""
        return sum(minute.packets + minute.lost for minute in self.minutes)

    @property
    def lost(self) -> int:
        """All that never came."""
        return sum(minute.lost for minute in self.minutes)


@dataclass(frozen=True, slots=True)
class LineQuality:
    """Every complete track of a record."""

    format: str
    record_id: str
    tracks: tuple[TrackEntry, ...]

    def to_bytes(self) -> bytes:
        """As the record keeps it."""
        return canonical_bytes(to_plain(self))

    @classmethod
    def from_bytes(cls, content: bytes) -> "LineQuality":
        """Read back; `RecordFormatError` where a field is odd."""
        return from_plain(cls, read_canonical(content))

    def of(self, track: RecordedTrack) -> TrackEntry | None:
        """What was measured of this track."""
        first = track.segments[0].name if track.segments else ""
        return next((entry for entry in self.tracks if entry.first_segment == first), None)


def judge(quality: LineQuality, record_id: str, tracks: tuple[RecordedTrack, ...]) -> str:
    """The measured quality in words; `RecordFormatError` where it contradicts itself or the tracks it is about."""
    if quality.format != QUALITY_FORMAT or quality.record_id != record_id:
        raise RecordFormatError("the measured quality is of another record or format")
    complete = [track for track in tracks if track.complete and track.segments]
    named = [entry.first_segment for entry in quality.tracks]
    if sorted(named) != sorted(track.segments[0].name for track in complete):
        raise RecordFormatError("the measured quality is of other tracks")
    for track in complete:
        entry = quality.of(track)
        flaw = None if entry is None else _flaw(entry, track)
        if flaw is not None:
            raise RecordFormatError(f"{track.side}: {flaw}")
    sent, lost = (sum(numbers) for numbers in ([e.packets for e in quality.tracks], [e.lost for e in quality.tracks]))
    worst = max((abs(entry.skew_worst_us or 0) for entry in quality.tracks), default=0)
    slowest = min((track.fps_milli for track in complete if track.frames), default=0)
    return (
        f"{len(quality.tracks)} measured: {slowest / 1000:.1f} pictures a second or more, "
        f"{lost} of {sent} packets lost, sound and pictures at most {worst / 1000:.0f} ms apart"
    )


def _flaw(entry: TrackEntry, track: RecordedTrack) -> str | None:
    """Why the figures cannot all be true."""
    numbers = [number for minute in entry.minutes for number in (minute.packets, minute.lost, minute.repaired)]
    numbers += [number for size in entry.sizes for number in (size.at_ms, size.width, size.height)]
    if any(number < 0 for number in numbers):
        return "a count below nothing"
    if [size.at_ms for size in entry.sizes] != sorted(size.at_ms for size in entry.sizes):
        return "sizes out of order"
    if track.frames and sum(minute.packets for minute in entry.minutes) < track.frames:
        return "fewer packets than pictures"
    if len(entry.minutes) * MINUTE_MS < track.duration_ms - CLOCKS_APART_MS:
        return "fewer minutes than the track lasts"
    if (entry.skew_samples == 0) is not (entry.skew_mean_us is None) or (entry.skew_samples < 0):
        return "a skew that nobody measured"
    if (entry.skew_mean_us is None) is not (entry.skew_worst_us is None):
        return "half a skew"
    if abs(entry.skew_mean_us or 0) > abs(entry.skew_worst_us or 0):
        return "a mean skew beyond the worst"
    return None
