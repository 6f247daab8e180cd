"""What is measured of a line while it is recorded: loss by the minute, sizes; and that lips move when voices sound."""

import io
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pyrage  # type: ignore[import-untyped]
import pytest

from tests.webrtc.films import unseal
from tests.webrtc.test_record import SILENCE, Clock, Leg, encoded
from webrtc.record import Recording
from webrtc.rtp import OPUS, VP8, Assembler
from webrtc.sealed import SegmentWriter
from webrtc.timeline import SIZES_MAX, LineLedger, MediaClock, SkewMeter, Timeline

NTP_SECOND = 1 << 32


@pytest.fixture
async def writer() -> AsyncIterator[SegmentWriter]:
    writer = SegmentWriter()
    yield writer
    writer.close()


def film(folder: Path, writer: SegmentWriter, clock: Clock) -> Recording:
    identity = pyrage.x25519.Identity.generate()
    return Recording("customer", folder, "customer", str(identity.to_public()), writer, clock)


def test_a_packet_that_fills_a_hole_is_late_and_one_that_never_comes_is_lost() -> None:
    assembler = Assembler(OPUS)
    for sequence in (65_534, 65_535, 2, 0, 3):  # 0 comes late; 1 never does
        assembler.push(sequence, 0, 0, b"a", 0.0)
    assembler.push(4, 0, 0, b"a", 1.0)
    assert (assembler.late, assembler.lost) == (1, 1)
    assembler.push(2, 0, 0, b"a", 1.1)  # a repeat is neither
    assembler.push(4, 0, 0, b"a", 1.1)
    assert (assembler.late, assembler.lost) == (1, 1)


def test_a_new_beginning_is_no_loss() -> None:
    assembler = Assembler(OPUS)
    assembler.push(0, 0, 0, b"a", 0.0)
    assembler.push(30_000, 0, 0, b"a", 0.1)
    assert assembler.lost == 0


async def test_minutes_hold_what_came_and_what_did_not(tmp_path: Path, writer: SegmentWriter) -> None:
    clock = Clock()
    recording = film(tmp_path, writer, clock)
    sound = object()
    sent = {0: 0, 1: 0, 2: 0}
    for number in range(50 * 130):  # 130 s of sound
        clock.now_s += 0.02
        minute = min(int(number * 0.02 // 60), 2)
        if number % 50 == 7 and minute == 1:
            continue  # one a second never comes, in the second minute
        sent[minute] += 1
        recording.take(OPUS, sound, number & 0xFFFF, number * 960, 0, SILENCE)
        recording.tick(clock.now_s)
    quality = (await recording.finish()).quality
    assert quality is not None
    assert [(minute.lost, minute.repaired) for minute in quality.minutes] == [(0, 0), (60, 0), (0, 0)]
    for measured, wanted in zip(quality.minutes, (3_000, 2_940, 500), strict=True):
        assert abs(measured.packets - wanted) <= 2
    assert sum(minute.packets for minute in quality.minutes) == sum(sent.values())


@pytest.mark.parametrize("late_s", [0.25, -0.1, 0.0])
async def test_sender_reports_tell_how_much_later_than_sound_pictures_stand(
    late_s: float, tmp_path: Path, writer: SegmentWriter
) -> None:
    """The page took picture and sound at the same moment; the way made pictures `late_s` later in the recording."""
    clock = Clock()
    recording = film(tmp_path, writer, clock)
    leg = Leg(recording, clock, timestamp=7, sequence=7)
    for round_number, picture in enumerate([encoded(1), encoded(1), encoded(1)]):
        leg.talk(picture)
        taken_ntp = 3_900_000_000 * NTP_SECOND + round_number * NTP_SECOND // 30
        # a moment of the page's clock at which sound stood at its last frame, and pictures `late_s` before theirs
        recording.hear(OPUS, leg.audio, taken_ntp, (leg.sent - 1) * 1600)
        recording.hear(VP8, leg.video, taken_ntp, 7 + (leg.sent - 1) * 3000 + round(late_s * 90_000))
    quality = (await recording.finish()).quality
    assert quality is not None
    assert quality.skew_samples == 5  # each report but the first meets one of the other kind
    assert quality.skew_worst_ms == pytest.approx(1000 * late_s, abs=40)


def test_lies_and_old_reports_are_no_skew() -> None:
    sound, pictures = MediaClock(1_000), MediaClock(1_000)
    sound.place("sound", 0, 0.0)
    pictures.place("pictures", 0, 0.0)
    meter = SkewMeter(sound, pictures)
    assert meter.report(0, 0, 0.0, video=False) is None
    assert meter.report(0, 3_600_000, 0.1, video=True) is None  # an hour apart, says the page
    assert meter.report(0, 0, 60.0, video=False) is None
    assert (meter.samples, meter.mean_ms, meter.worst_ms) == (0, None, None)
    assert meter.report(0, 500, 60.1, video=True) == 0.5
    assert meter.report(0, 100, 60.2, video=True) == 0.1
    assert (meter.mean_ms, meter.worst_ms) == (300.0, 500.0)
    meter.forget(video=False)
    assert meter.report(0, 500, 60.3, video=True) is None
    assert meter.samples == 2


def test_pictures_move_by_a_fifth_of_the_time_and_no_further_than_they_are_asked_to() -> None:
    clock = MediaClock(1_000)
    clock.place("page", 0, 10.0)
    clock.move(-0.4)
    places = [clock.place("page", at_ms, 10 + at_ms / 1000) for at_ms in range(100, 3_001, 100)]
    assert places[0] == pytest.approx(10.08)
    assert all(later > earlier for earlier, later in pairwise(places))
    assert places[-1] == pytest.approx(13 - 0.4)
    clock.move(0.01)  # nobody could notice
    assert clock.place("page", 3_100, 13.1) == pytest.approx(13.1 - 0.4)
    clock.move(5.0)  # a lie
    assert clock.place("page", 3_200, 13.2) == pytest.approx(13.2 - 0.4)
    clock.move(0.4)
    assert clock.place("again", 0, 20.0) == 20.0  # another stream owes nothing
    assert clock.place("again", 100, 20.1) == pytest.approx(20.1)


def shown_and_heard(matroska: bytes) -> tuple[list[float], list[float]]:
    """When a white picture follows a dark one, and a tone follows silence, in a recording as libav plays it."""
    with av.open(io.BytesIO(matroska)) as container:
        light = [
            (float(picture.time or 0.0), picture.to_ndarray(format="gray").mean() > 128)
            for picture in container.decode(video=0)
        ]
    with av.open(io.BytesIO(matroska)) as container:
        tones = [
            (float(sound.time or 0.0), float(np.abs(sound.to_ndarray()).mean()) > 0.02)
            for sound in container.decode(audio=0)
        ]
    shown, heard = (
        [later[0] for earlier, later in pairwise(seen) if later[1] and not earlier[1]] for seen in (light, tones)
    )
    return shown, heard


def flashes(seconds: int) -> list[bytes]:
    """Pictures at 30/s by libvpx, white in the first fifth of every second but the first."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 320, 240, "yuv420p", Fraction(1, 30)
    encoder.thread_count = 1  # libvpx' other threads wait actively
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    told: list[bytes] = []
    for number in range(30 * seconds):
        planes = np.full((360, 320), 128, np.uint8)
        planes[:240] = 220 if number >= 30 and number % 30 < 6 else 30
        picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        picture.pts = number
        told += [bytes(packet) for packet in encoder.encode(picture)]
    return told


def beeps(seconds: int) -> list[bytes]:
    """Sound in pieces of 20 ms by libopus, a tone where `flashes` are white."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    encoder.time_base, encoder.options = Fraction(1, 48_000), {"application": "lowdelay"}
    at = np.arange(48_000 * seconds)
    tone = 9_000 * np.sin(2 * np.pi * 440 * at / 48_000) * ((at >= 48_000) & (at % 48_000 < 9_600))
    told: list[bytes] = []
    for begin in range(0, len(tone), 960):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(np.repeat(tone[begin : begin + 960].astype(np.int16), 2).tobytes())
        frame.sample_rate, frame.pts, frame.time_base = 48_000, begin, Fraction(1, 48_000)
        told += [bytes(packet) for packet in encoder.encode(frame)]
    return told


@pytest.mark.parametrize("late_s", [0.4, -0.3])
async def test_pictures_that_came_later_than_their_sound_stand_with_it_once_the_page_has_reported(
    late_s: float, tmp_path: Path, writer: SegmentWriter
) -> None:
    """A flash and a beep every second, taken together; the way of one of them is longer than the other's."""
    identity, clock, seconds, began_s = pyrage.x25519.Identity.generate(), Clock(), 9, Clock.now_s
    recording = Recording("customer", tmp_path, "customer", str(identity.to_public()), writer, clock)
    picture_way_s, sound_way_s = max(late_s, 0.0), max(-late_s, 0.0)
    sound, video = object(), object()
    arrivals: list[tuple[float, Callable[[], None]]] = []
    for number, piece in enumerate(flashes(seconds)):
        take = partial(recording.take, VP8, video, number, 5_000 + number * 3_000, 1, b"\x10" + piece)
        arrivals.append((number / 30 + picture_way_s, take))
    for number, piece in enumerate(beeps(seconds)):
        take = partial(recording.take, OPUS, sound, number, 77 + number * 960, 0, piece)
        arrivals.append((number / 50 + sound_way_s, take))
    for second in range(1, seconds):  # browsers report about once a second, of sound not before 2.5 s
        ntp = (3_900_000_000 + second) * NTP_SECOND
        hear = partial(recording.hear, VP8, video, ntp, 5_000 + second * 90_000)
        arrivals.append((second + picture_way_s + 0.005, hear))
        if second > 2:
            hear = partial(recording.hear, OPUS, sound, ntp, 77 + second * 48_000)
            arrivals.append((second + sound_way_s + 0.005, hear))
    for at_s, arrive in sorted(arrivals, key=lambda arrival: arrival[0]):
        clock.now_s = began_s + at_s
        arrive()
        recording.tick(clock.now_s)
    track = await recording.finish()
    shown, heard = shown_and_heard(unseal(tmp_path, [name for name, _, _ in track.segments], identity))
    apart_s = [picture_s - sound_s for picture_s, sound_s in zip(shown, heard, strict=True)]
    assert len(apart_s) == seconds - 1
    assert apart_s[0] == pytest.approx(late_s, abs=0.06)  # nobody has told yet
    assert max(abs(one_s) for one_s in apart_s[5:]) < 0.06  # of 33 ms a picture and 20 ms a piece of sound
    assert track.frames == 30 * seconds
    assert track.quality is not None
    assert track.quality.skew_worst_ms == pytest.approx(1000 * late_s, abs=30)


def test_a_page_that_turns_all_the_time_does_not_fill_the_manifest() -> None:
    timeline = Timeline()
    for number in range(1_000):
        timeline.show(float(number), (640, 480) if number % 2 else (480, 640))
    assert len(timeline.sizes) == SIZES_MAX


def test_loss_of_a_stream_that_ended_is_kept() -> None:
    ledger, first, second = LineLedger(), Assembler(OPUS), Assembler(OPUS)
    first.lost, second.lost = 5, 2
    ledger.leave(first)
    assert [minute.lost for minute in ledger.finish([second])] == [7]
