"""Sealed recordings from packets made by a real encoder, without a network."""

import asyncio
import hashlib
import io
import os
import threading
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import av
import pyrage  # type: ignore[import-untyped]
import pytest

from webrtc.agewriter import AgeRecipient
from webrtc.errors import RecordingFailedError
from webrtc.record import Recording, leftover_tracks
from webrtc.rtp import OPUS, VP8
from webrtc.sealed import CLUSTER_ID, WAITING_SEGMENTS, SegmentWriter
from webrtc.timeline import MediaClock

SILENCE = b"\xf8\xff\xfe"


class Clock:
    """A clock the test turns."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def encoded(count: int, width: int = 320, height: int = 240) -> list[bytes]:
    """VP8 pictures by libvpx, the first a key picture."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuv420p", Fraction(1, 30)
    encoder.thread_count = 1  # libvpx' other threads wait actively: they cost this file 50 s of processor time, not 5
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    pictures: list[bytes] = []
    for number in range(count):
        picture = av.VideoFrame(width, height, "yuv420p")
        picture.pts = number
        pictures += [bytes(packet) for packet in encoder.encode(picture)]
    return pictures


class Leg:
    """Feeds a recording what a page would send: 30 pictures and 50 sound packets a second."""

    def __init__(self, recording: Recording, clock: Clock, *, timestamp: int, sequence: int):
        self.recording, self.clock = recording, clock
        self.video, self.audio = object(), object()
        self.timestamp, self.sequence = timestamp, sequence
        self.sent = 0

    def talk(self, pictures: list[bytes], *, lose: frozenset[int] = frozenset(), sound: bool = True) -> None:
        """Send these pictures at 30/s, two packets each."""
        for index, picture in enumerate(pictures):
            self.clock.now_s += 1 / 30
            half = len(picture) // 2
            stamp = (self.timestamp + self.sent * 3000) & 0xFFFFFFFF
            for part, payload in enumerate((b"\x10" + picture[:half], b"\x00" + picture[half:])):
                if index not in lose or part == 0:
                    self.recording.take(VP8, self.video, self.sequence, stamp, part, payload)
                self.sequence = (self.sequence + 1) & 0xFFFF
            if sound:
                self.recording.take(OPUS, self.audio, self.sent & 0xFFFF, self.sent * 1600, 0, SILENCE)
            self.sent += 1
            self.recording.tick(self.clock.now_s)


@pytest.fixture
async def writer() -> AsyncIterator[SegmentWriter]:
    writer = SegmentWriter()
    yield writer
    writer.close()


@pytest.fixture
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


def recording(folder: Path, identity: pyrage.x25519.Identity, writer: SegmentWriter, clock: Clock) -> Recording:
    return Recording("customer", folder, "customer", str(identity.to_public()), writer, clock)


def clear(folder: Path, identity: pyrage.x25519.Identity, names: list[str]) -> bytes:
    return b"".join(pyrage.decrypt((folder / name).read_bytes(), [identity]) for name in names)


def times(matroska: bytes) -> list[float]:
    """Presentation times of the decoded pictures; a decoding error raises."""
    with av.open(io.BytesIO(matroska)) as container:
        return [float(picture.time) for picture in container.decode(video=0)]


async def test_segments_concatenate_to_a_film_with_every_picture(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    clock = Clock()
    film = recording(tmp_path, identity, writer, clock)
    Leg(film, clock, timestamp=0xFFFFFF00, sequence=65_500).talk(encoded(300))
    track = await film.finish()
    names = [name for name, _, _ in track.segments]
    assert names == [f"customer-{number:04d}.mkv.age" for number in range(len(names))]
    assert len(names) == 3  # 10 s in segments of 4 s
    for name, size, sha256 in track.segments:
        sealed = (tmp_path / name).read_bytes()
        assert sealed.startswith(b"age-encryption.org/v1\n")
        assert (len(sealed), hashlib.sha256(sealed).hexdigest()) == (size, sha256)
    for name in names[1:]:
        assert clear(tmp_path, identity, [name]).startswith(CLUSTER_ID)
    assert len(times(clear(tmp_path, identity, names))) == track.frames == 300
    assert track.duration_s == pytest.approx(10, abs=0.1)
    assert track.fps_measured == pytest.approx(30, abs=0.2)
    assert (track.width, track.height, track.gaps, track.complete) == (320, 240, (), True)
    assert set(os.listdir(tmp_path)) == set(names)  # no clear text, no leftovers


async def test_any_number_of_first_segments_is_a_film_too(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    clock = Clock()
    film = recording(tmp_path, identity, writer, clock)
    Leg(film, clock, timestamp=7, sequence=7).talk(encoded(300))
    names = [name for name, _, _ in (await film.finish()).segments]
    counts = [len(times(clear(tmp_path, identity, names[: number + 1]))) for number in range(len(names))]
    assert counts == sorted(counts)
    assert counts[0] > 60
    assert counts[-1] == 300


async def test_a_crash_loses_at_most_the_segment_under_way(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    clock = Clock()
    film = recording(tmp_path, identity, writer, clock)
    Leg(film, clock, timestamp=7, sequence=7).talk(encoded(300))
    writer.close()  # what was queued is written; the rest dies with the process
    (track,) = leftover_tracks(tmp_path, "customer", "customer", frozenset())
    assert (track.complete, len(track.segments)) == (False, 2)
    shown = times(clear(tmp_path, identity, [name for name, _, _ in track.segments]))
    assert shown[-1] > 10 - 4 - 2  # a segment, and the cluster the muxer holds
    part = recording(tmp_path, identity, writer, clock)
    assert part.stem == "customer.2"


async def test_a_leg_that_comes_back_goes_on_in_the_same_film_after_a_true_gap(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    clock = Clock()
    film = recording(tmp_path, identity, writer, clock)
    asked: list[str] = []
    film.ask_key = lambda: asked.append("key")
    Leg(film, clock, timestamp=123_456, sequence=9).talk(encoded(60))
    clock.now_s += 3.5
    Leg(film, clock, timestamp=4_000_000_000, sequence=40_000).talk(encoded(60))
    track = await film.finish()
    assert asked == []  # both legs began with a key picture
    ((at_s, length_s),) = track.gaps
    assert at_s == pytest.approx(2.0, abs=0.1)
    assert length_s == pytest.approx(3.5, abs=0.1)
    shown = times(clear(tmp_path, identity, [name for name, _, _ in track.segments]))
    assert len(shown) == track.frames == 120
    assert shown[60] - shown[59] == pytest.approx(length_s, abs=0.01)
    assert track.fps_measured == pytest.approx(30, abs=0.5)


async def test_a_lost_packet_asks_for_a_key_picture_and_never_leaves_a_broken_reference(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    clock = Clock()
    film = recording(tmp_path, identity, writer, clock)
    asked: list[str] = []
    film.ask_key = lambda: asked.append("key")
    pictures = encoded(60) + encoded(60)  # the second run begins with a key picture
    Leg(film, clock, timestamp=0, sequence=0).talk(pictures, lose=frozenset({30}))
    track = await film.finish()
    assert len(asked) == 2  # after the hole, and once more because the wait lasts
    assert track.frames == 30 + 60
    assert len(times(clear(tmp_path, identity, [name for name, _, _ in track.segments]))) == 90


async def test_a_recording_that_begins_in_mid_stream_asks_for_a_key_picture_and_starts_there(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    clock = Clock()
    film = recording(tmp_path, identity, writer, clock)
    asked: list[str] = []
    film.ask_key = lambda: asked.append("key")
    Leg(film, clock, timestamp=0, sequence=0).talk(encoded(60)[55:] + encoded(30))
    track = await film.finish()
    assert (asked, track.frames) == (["key"], 30)
    assert len(times(clear(tmp_path, identity, [name for name, _, _ in track.segments]))) == 30


async def test_sound_alone_is_recorded_when_the_camera_never_shows_anything(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    clock = Clock()
    film = recording(tmp_path, identity, writer, clock)
    sound = object()
    for number in range(250):
        clock.now_s += 0.02
        film.take(OPUS, sound, number, number * 960, 0, SILENCE)
        film.tick(clock.now_s)
    track = await film.finish()
    assert (track.frames, track.width, track.fps_measured) == (0, 0, 0.0)
    matroska = clear(tmp_path, identity, [name for name, _, _ in track.segments])
    with av.open(io.BytesIO(matroska)) as container:
        assert len(list(container.decode(audio=0))) == 250


async def test_a_silent_line_still_gets_its_last_segment_sealed(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    clock = Clock()
    film = recording(tmp_path, identity, writer, clock)
    Leg(film, clock, timestamp=7, sequence=7).talk(encoded(90))
    clock.now_s += 5
    film.tick(clock.now_s)
    await asyncio.to_thread(writer.close)
    assert (tmp_path / "customer-0000.mkv.age").exists()


async def test_nothing_arrived_gives_a_track_without_segments(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    track = await recording(tmp_path, identity, writer, Clock()).finish()
    assert (track.segments, track.duration_s, track.frames) == ((), 0.0, 0)
    assert os.listdir(tmp_path) == []


async def test_a_full_writer_delays_and_drops_nothing(
    tmp_path: Path, identity: pyrage.x25519.Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, disk = SegmentWriter(), threading.Event()
    real = SegmentWriter._seal
    monkeypatch.setattr(SegmentWriter, "_seal", staticmethod(lambda *job: disk.wait(30) and real(*job)))
    for number in range(WAITING_SEGMENTS):
        writer.submit(tmp_path, f"other-{number:04d}.mkv.age", AgeRecipient.parse(str(identity.to_public())), b"x")
    assert not writer.has_room
    clock = Clock()
    film = recording(tmp_path, identity, writer, clock)
    Leg(film, clock, timestamp=7, sequence=7).talk(encoded(300))
    disk.set()
    track = await film.finish()
    writer.close()
    assert len(track.segments) == 1  # it grew while the disk did not move
    assert len(times(clear(tmp_path, identity, [track.segments[0][0]]))) == 300


def test_a_later_segment_never_has_its_name_before_an_earlier_one(
    tmp_path: Path, identity: pyrage.x25519.Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, disk, recipient = SegmentWriter(), threading.Event(), AgeRecipient.parse(str(identity.to_public()))
    real, synced = os.fsync, threading.Semaphore(0)

    def sync(descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(".first-0000.mkv.age.part"):
            assert disk.wait(60)
        real(descriptor)
        synced.release()

    monkeypatch.setattr(os, "fsync", sync)
    names = [f"first-{number:04d}.mkv.age" for number in range(4)]
    durable = [writer.submit(tmp_path, name, recipient, b"x") for name in names]
    for _ in names[1:]:
        assert synced.acquire(timeout=60)
    assert not [name for name in os.listdir(tmp_path) if not name.startswith(".")]
    disk.set()
    assert [segment.result().filename for segment in durable] == names
    writer.close()


async def test_a_disk_that_refuses_is_told_at_the_end(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    clock = Clock()
    folder = tmp_path / "gone"
    film = recording(folder, identity, writer, clock)
    Leg(film, clock, timestamp=7, sequence=7).talk(encoded(30))
    with pytest.raises(RecordingFailedError, match="FileNotFoundError"):
        await film.finish()


@pytest.mark.parametrize("name", ["", "../secret", "a/b", "a.b", "x" * 65, "Ä"])
async def test_names_that_could_leave_the_folder_are_refused(
    name: str, tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    with pytest.raises(RecordingFailedError):
        Recording("customer", tmp_path, name, str(identity.to_public()), writer, Clock())


async def test_a_recipient_that_is_none_is_refused_before_anything_is_recorded(
    tmp_path: Path, writer: SegmentWriter
) -> None:
    with pytest.raises(RecordingFailedError):
        Recording("customer", tmp_path, "customer", "age1nonsense", writer, Clock())


def test_a_clock_that_lies_is_put_back_on_our_time_line() -> None:
    clock, source = MediaClock(90_000), object()
    assert clock.place(source, 1_000, 5.0) == 5.0
    assert clock.place(source, 1_000 + 90_000, 6.01) == pytest.approx(6.0)
    assert clock.place(source, 1_000 + 90_000 * 3_600, 7.0) == 7.0  # an hour later, says the page


async def test_a_key_picture_is_asked_for_in_time_so_that_a_player_can_begin_in_the_middle(
    tmp_path: Path, writer: SegmentWriter, identity: pyrage.x25519.Identity
) -> None:
    clock = Clock()
    film = recording(tmp_path, identity, writer, clock)
    asked: list[float] = []
    film.ask_key = lambda: asked.append(clock.now_s)
    begun_s = clock.now_s
    key, *others = encoded(60)
    Leg(film, clock, timestamp=0, sequence=0).talk([key, *others * 7])  # a browser sends no key picture unasked
    await film.finish()
    assert [round(at_s - begun_s, 1) for at_s in asked][:2] == [12.1, 12.6]
