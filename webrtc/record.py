"""What arrived on a leg, muxed as it came into one sealed Matroska recording. Nothing is decoded or encoded.

The time line is the recording's own: zero is the first packet, gaps stay as long as they were, and pictures stand where
their sound does as soon as the page's reports say how both belong together. A leg that comes back (other connection,
other RTP numbers) goes on in the same file.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from webrtc.engine import RecordedTrack
from webrtc.h264 import configuration, length_prefixed, parameter_sets
from webrtc.matroska import AUDIO, CLUSTER_MS, VIDEO, MatroskaWriter, VideoHeader
from webrtc.rtp import H264, KEY_AGAIN_S, OPUS, VP8, Assembler, Frame, PayloadFormat
from webrtc.sealed import (
    SealedStream,
    SegmentWriter,
    check_name,
    free_stem,
    hash_segment,
    segments_on_disk,
    stems_on_disk,
)
from webrtc.timeline import LineLedger, MediaClock, SkewMeter, Timeline, quality

# Pages send key pictures on demand only, and a player can begin at nothing else: one is asked for in every third
# segment. At 640x480 a key picture is about 30 KB, so this costs a publisher 2 % of 1 Mbit/s.
SEEK_EVERY_S = 12.0
# The Matroska header names the picture's size, which the first key picture tells: usually 0.1 s after the sound begins.
HEADER_PATIENCE_S = 2.0
FALLBACK_SIZE = (640, 480)


class _Intake:
    """What arrives of one kind: whose it is, put together how, and where the last frame stands."""

    def __init__(self, kind: PayloadFormat):
        self.kind = kind
        self.track = VIDEO if kind.is_video else AUDIO
        self.clock = MediaClock(kind.clock_hz)
        self.source: object = None
        self.assembler = Assembler(kind)
        self.written_ms = -1


class Recording:
    """One participant's recording, open until `finish`. A tap: give it every packet of the leg."""

    def __init__(
        self,
        role: str,
        folder: Path,
        name: str,
        recipient: str,
        writer: SegmentWriter,
        clock_s: Callable[[], float],
        video: PayloadFormat = VP8,
    ):
        self.role = role
        self.folder = folder
        self.name = check_name(name)
        self.ask_key: Callable[[], None] = lambda: None
        self._clock_s = clock_s
        self._stream = SealedStream(folder, free_stem(folder, name), recipient, writer)
        self._file = MatroskaWriter(self._stream.write)
        self._started_at = datetime.now(UTC)
        self._began_s: float | None = None
        self._flush_at_s = 0.0
        self._key_asked_s = float("-inf")
        self._key_at_s = clock_s()
        self._video = video
        self._intakes = {video.codec: _Intake(video), OPUS.codec: _Intake(OPUS)}
        self._timeline = Timeline()
        self._pictures = self._intakes[video.codec].clock
        self._skew = SkewMeter(self._intakes[OPUS.codec].clock, self._pictures)
        self._ledger = LineLedger()
        self._end_s = 0.0

    @property
    def stem(self) -> str:
        """What this part's files are called before the number."""
        return self._stream.stem

    def take(
        self, kind: PayloadFormat, source: object, sequence: int, timestamp: int, marker: int, payload: bytes
    ) -> None:
        """One packet of the leg, in any order. This runs ~150 times a second per leg: keep it flat."""
        intake = self._intakes.get(kind.codec)
        if intake is None:
            return
        now_s = self._clock_s()
        if self._began_s is None:
            self._began_s = now_s
            self._started_at = datetime.now(UTC)
        if intake.source is not source:
            self._begin_source(intake, source, now_s, with_key=kind.begins_key(payload, 0))
        assembler = intake.assembler
        holes = assembler.holes
        self._ledger.packets += 1
        for frame in assembler.push(sequence, timestamp, marker, payload, now_s):
            at_s = intake.clock.place(source, frame.timestamp, now_s - self._began_s)
            self._add(intake, at_s if at_s > 0 else 0.0, frame, now_s)
        if kind.is_video:
            self._keep_playable(assembler, now_s, found_hole=assembler.holes > holes)

    def hear(self, kind: PayloadFormat, source: object, ntp: int, timestamp: int) -> None:
        """A sender report of the leg: which moment of the page's clock this timestamp is.

        Sound stays where it arrived, because a jump of it is heard; pictures are moved to theirs.
        """
        intake = self._intakes.get(kind.codec)
        if intake is not None and intake.clock.source is source:
            skew_s = self._skew.report(ntp, timestamp, self._clock_s(), video=kind.is_video)
            if skew_s is not None:
                self._pictures.move(-skew_s)

    def tick(self, now_s: float) -> None:
        """Let time pass when nothing arrives: four times a second is enough."""
        if not self._file.begun and self._began_s is not None and now_s - self._began_s > HEADER_PATIENCE_S:
            self._begin_file(None)
        if self._file.begun and not self._file.empty and now_s > self._flush_at_s:
            self._file.flush()
        self._stream.tick(now_s)
        if self._began_s is not None:
            self._ledger.close_until(now_s - self._began_s, self._assemblers())

    def _assemblers(self) -> list[Assembler]:
        return [intake.assembler for intake in self._intakes.values()]

    def _begin_source(self, intake: _Intake, source: object, now_s: float, *, with_key: bool) -> None:
        """Another stream of this kind: nothing of the one before can be continued."""
        self._ledger.leave(intake.assembler)
        intake.source, intake.assembler = source, Assembler(intake.kind)
        self._skew.forget(video=intake.kind.is_video)
        if intake.kind.is_video:
            self._key_asked_s = now_s if with_key else float("-inf")

    def _keep_playable(self, assembler: Assembler, now_s: float, *, found_hole: bool) -> None:
        """Ask for key pictures: often enough for a player to begin, and after every hole."""
        if now_s - self._key_at_s > SEEK_EVERY_S:
            self._key_at_s = now_s - SEEK_EVERY_S + KEY_AGAIN_S  # a page that sends none is asked again, not at once
            self.ask_key()
        if found_hole or (assembler.waits_for_key and now_s - self._key_asked_s > KEY_AGAIN_S):
            self._key_asked_s = now_s
            self.ask_key()

    def _add(self, intake: _Intake, at_s: float, frame: Frame, now_s: float) -> None:
        """Write one frame; before the size of the picture is known it waits in the file's first cluster."""
        payload = frame.payload
        if intake.kind.is_video:
            self._timeline.add(at_s)
            if frame.key:
                self._key_at_s = now_s
                self._timeline.show(at_s, intake.kind.size(payload))
                if not self._file.begun:
                    self._begin_file(payload)
            if intake.kind is H264:
                payload = length_prefixed(payload)
        if at_s > self._end_s:
            self._end_s = at_s
        if self._file.empty:
            self._flush_at_s = now_s + CLUSTER_MS / 1000
        intake.written_ms = at_ms = max(round(at_s * 1000), intake.written_ms + 1)
        self._file.add(intake.track, at_ms, payload, key=frame.key)

    def _begin_file(self, key_picture: bytes | None) -> None:
        """Write the header: what the first key picture says, or what a file without one can."""
        width, height = FALLBACK_SIZE
        if self._timeline.sizes:
            width, height = self._timeline.sizes[0].width, self._timeline.sizes[0].height
        private = b""
        if self._video is H264:
            private = configuration(None if key_picture is None else parameter_sets(key_picture))
        self._stream.tick(self._clock_s())  # the first segment begins now
        self._file.begin(VideoHeader(self._video.codec, width, height, private))

    async def finish(self) -> RecordedTrack:
        """Close the file and return when it is durable; raise `RecordingFailedError` when it is not."""
        if not self._file.empty:
            if not self._file.begun:
                self._begin_file(None)
            self._file.flush()
        segments = await self._stream.finish()
        first = self._timeline.sizes[0] if self._timeline.sizes else None
        return RecordedTrack(
            role=self.role,
            name=self.stem,
            segments=tuple((segment.filename, segment.size, segment.sha256) for segment in segments),
            started_at=self._started_at,
            duration_s=round(self._end_s, 3),
            frames=self._timeline.frames,
            gaps=tuple(self._timeline.gaps),
            width=0 if first is None else first.width,
            height=0 if first is None else first.height,
            fps_measured=self._timeline.pictures_per_s(),
            quality=quality(self._timeline, self._skew, self._ledger.finish(self._assemblers())),
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
