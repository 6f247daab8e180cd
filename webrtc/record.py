"""What arrived on a leg, muxed as it came into one sealed Matroska recording. Nothing is decoded or encoded.

The time line is the recording's own: zero is the first packet, gaps stay as long as they were. A leg that comes back
(other connection, other RTP numbers) goes on in the same file.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from webrtc.engine import RecordedTrack
from webrtc.rtp import KEY_AGAIN_S, OPUS, VP8, Assembler, Frame, PayloadFormat, ahead, vp8_size
from webrtc.sealed import (
    SealedStream,
    SegmentWriter,
    check_name,
    free_stem,
    hash_segment,
    segments_on_disk,
    stems_on_disk,
)

# Media time may drift from our clock by crystal error (50 ppm: 0.2 s in an hour); more is a lie or a new beginning.
DRIFT_MAX_S = 2.0
# A leg silent for this long counts as lost (`LineLost`); the recording lists the same silences.
GAP_S = 1.5
# Pages send key pictures on demand only, and a player can begin at nothing else: one is asked for in every third
# segment. At 640x480 a key picture is about 30 KB, so this costs a publisher 2 % of 1 Mbit/s.
SEEK_EVERY_S = 12.0
# The Matroska header names the picture's size, which the first key picture tells: usually 0.1 s after the sound begins.
HEADER_PATIENCE_S = 2.0
FALLBACK_SIZE = (640, 480)
_MILLISECONDS = Fraction(1, 1000)
_MUXER_OPTIONS = {
    "live": "1",  # no seeking back: the bytes are sealed by then
    "cluster_time_limit": "1000",
    "flush_packets": "1",
    "max_interleave_delta": "1000000",  # µs: sound waits at most 1 s for a camera that stopped
}
# Larger than any cluster, so that libav hands clusters over whole.
_MUXER_BUFFER_BYTES = 1 << 20


def _opus_template() -> tuple[Any, Any]:
    """A container and its stream whose header (OpusHead) new recordings copy: PyAV makes one only by encoding."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("libopus", rate=OPUS.clock_hz, layout="stereo")
        silence = av.AudioFrame(format="s16", layout="stereo", samples=960)
        silence.sample_rate, silence.pts = OPUS.clock_hz, 0
        for packet in [*stream.encode(silence), *stream.encode(None)]:
            container.mux(packet)
    file.seek(0)
    template = av.open(file)
    return template, template.streams.audio[0]


_OPUS_TEMPLATE = _opus_template()


@dataclass(slots=True)
class MediaClock:
    """Places frames of one kind on the recording's time line, whatever their RTP timestamps begin with."""

    clock_hz: int
    _source: object = None
    _timestamp: int = 0
    _at_s: float = 0.0

    def place(self, source: object, timestamp: int, arrived_s: float) -> float:
        """Seconds since the recording began; a new source starts at its arrival (else pts would jump by hours)."""
        at_s = self._at_s + ahead(timestamp, self._timestamp, 32) / self.clock_hz
        if source is not self._source or abs(at_s - arrived_s) > DRIFT_MAX_S:
            at_s = arrived_s
        self._source, self._timestamp, self._at_s = source, timestamp, at_s
        return at_s


@dataclass(slots=True)
class Timeline:
    """What a reader of the recording must know about its pictures."""

    frames: int = 0
    first_s: float | None = None
    last_s: float = 0.0
    gaps: list[tuple[float, float]] = field(default_factory=list)

    def add(self, at_s: float) -> None:
        """Count one picture."""
        if self.first_s is None:
            self.first_s = at_s
        elif at_s - self.last_s > GAP_S:
            self.gaps.append((round(self.last_s, 3), round(at_s - self.last_s, 3)))
        self.frames += 1
        self.last_s = at_s

    def pictures_per_s(self) -> float:
        """Mean rate outside gaps; 0 with fewer than two pictures."""
        if self.first_s is None or self.frames < 2:
            return 0.0
        shown_s = self.last_s - self.first_s - sum(length for _, length in self.gaps)
        return round((self.frames - 1 - len(self.gaps)) / shown_s, 2) if shown_s > 0 else 0.0


class Recording:
    """One participant's recording, open until `finish`. A tap: give it every packet of the leg."""

    def __init__(
        self, role: str, folder: Path, name: str, recipient: str, writer: SegmentWriter, clock_s: Callable[[], float]
    ):
        self.role = role
        self.folder = folder
        self.name = check_name(name)
        self.ask_key: Callable[[], None] = lambda: None
        self._clock_s = clock_s
        self._stream = SealedStream(folder, free_stem(folder, name), recipient, writer)
        self._started_at = datetime.now(UTC)
        self._began_s: float | None = None
        self._key_asked_s = float("-inf")
        self._key_at_s = clock_s()
        self._sources: dict[str, object] = {}
        self._assemblers: dict[str, Assembler] = {}
        self._clocks = {VP8.codec: MediaClock(VP8.clock_hz), OPUS.codec: MediaClock(OPUS.clock_hz)}
        self._written_ms: dict[str, int] = {}
        self._held: list[tuple[PayloadFormat, float, Frame]] = []
        self._timeline = Timeline()
        self._end_s = 0.0
        self._size: tuple[int, int] | None = None
        self._container: Any = None
        self._streams: dict[str, Any] = {}

    @property
    def stem(self) -> str:
        """What this part's files are called before the number."""
        return self._stream.stem

    def take(
        self, kind: PayloadFormat, source: object, sequence: int, timestamp: int, marker: int, payload: bytes
    ) -> None:
        """One packet of the leg, in any order."""
        if kind.codec not in self._clocks:
            return
        now_s = self._clock_s()
        if self._began_s is None:
            self._began_s = now_s
            self._started_at = datetime.now(UTC)
        if self._sources.get(kind.codec) is not source:
            self._sources[kind.codec] = source
            self._assemblers[kind.codec] = Assembler(kind)
            if kind.is_video:
                self._key_asked_s = now_s if kind.begins_key(payload, 0) else float("-inf")
        assembler = self._assemblers[kind.codec]
        holes = assembler.holes
        for frame in assembler.push(sequence, timestamp, marker, payload, now_s):
            at_s = self._clocks[kind.codec].place(source, frame.timestamp, now_s - self._began_s)
            if frame.key and kind.is_video:
                self._key_at_s = now_s
            self._add(kind, max(at_s, 0.0), frame)
        if kind.is_video and now_s - self._key_at_s > SEEK_EVERY_S:
            self._key_at_s = now_s - SEEK_EVERY_S + KEY_AGAIN_S  # a page that sends none is asked again, not at once
            self.ask_key()
        again = assembler.waits_for_key and now_s - self._key_asked_s > KEY_AGAIN_S
        if kind.is_video and (again or assembler.holes > holes):
            self._key_asked_s = now_s
            self.ask_key()

    def tick(self, now_s: float) -> None:
        """Let time pass when nothing arrives: four times a second is enough."""
        self._stream.tick(now_s)
        if self._container is None and self._began_s is not None and now_s - self._began_s > HEADER_PATIENCE_S:
            self._open()

    def _add(self, kind: PayloadFormat, at_s: float, frame: Frame) -> None:
        """Write one frame, or hold it until the size of the picture is known."""
        if kind.is_video:
            self._timeline.add(at_s)
            if self._size is None:
                self._size = vp8_size(frame.payload)
        self._end_s = max(self._end_s, at_s)
        if self._container is None:
            self._held.append((kind, at_s, frame))
            if self._size is not None:
                self._open()
        else:
            self._mux(kind, at_s, frame)

    def _open(self) -> None:
        """Begin the file and write what was held."""
        self._stream.tick(self._clock_s())
        self._container = av.open(
            self._stream, "w", format="matroska", options=_MUXER_OPTIONS, buffer_size=_MUXER_BUFFER_BYTES
        )
        width, height = self._size or FALLBACK_SIZE
        self._streams = {
            VP8.codec: self._container.add_mux_stream("vp8", rate=30, width=width, height=height),
            OPUS.codec: self._container.add_stream_from_template(_OPUS_TEMPLATE[1]),
        }
        held, self._held = self._held, []
        for kind, at_s, frame in held:
            self._mux(kind, at_s, frame)

    def _mux(self, kind: PayloadFormat, at_s: float, frame: Frame) -> None:
        """Hand one frame to the muxer; times of one stream only grow."""
        at_ms = max(round(at_s * 1000), self._written_ms.get(kind.codec, -1) + 1)
        self._written_ms[kind.codec] = at_ms
        packet = av.Packet(frame.payload)
        packet.pts = packet.dts = at_ms
        packet.time_base = _MILLISECONDS
        packet.stream = self._streams[kind.codec]
        packet.is_keyframe = frame.key
        self._container.mux(packet)

    async def finish(self) -> RecordedTrack:
        """Close the file and return when it is durable; raise `RecordingFailedError` when it is not."""
        if self._container is None and self._held:
            self._open()
        if self._container is not None:
            self._container.close()
        segments = await self._stream.finish()
        width, height = self._size or (0, 0)
        return RecordedTrack(
            role=self.role,
            name=self.stem,
            segments=tuple((segment.filename, segment.size, segment.sha256) for segment in segments),
            started_at=self._started_at,
            duration_s=round(self._end_s, 3),
            frames=self._timeline.frames,
            gaps=tuple(self._timeline.gaps),
            width=width,
            height=height,
            fps_measured=self._timeline.pictures_per_s(),
        )


def leftover_tracks(folder: Path, name: str, role: str, known_stems: frozenset[str]) -> tuple[RecordedTrack, ...]:
    """Parts of a recording that a dead worker left: their durable segments, hashed again from disk.

    Their figures died with the worker; `started_at` is when the first segment was finished, about 4 s late.
    """
    tracks: list[RecordedTrack] = []
    for stem in stems_on_disk(folder, name):
        if stem in known_stems:
            continue
        paths = segments_on_disk(folder, stem)
        segments = [hash_segment(path) for path in paths]
        tracks.append(
            RecordedTrack(
                role=role,
                name=stem,
                segments=tuple((segment.filename, segment.size, segment.sha256) for segment in segments),
                started_at=datetime.fromtimestamp(paths[0].stat().st_mtime, UTC),
                duration_s=0.0,
                frames=0,
                gaps=(),
                width=0,
                height=0,
                fps_measured=0.0,
                complete=False,
            )
        )
    return tuple(tracks)
