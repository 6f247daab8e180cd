"""What is measured of a line while it is recorded: loss by the minute, lips and voice, sizes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest

from tests.webrtc.test_record import SILENCE, Clock, Leg, encoded
from webrtc.record import Recording
from webrtc.rtp import OPUS, VP8, Assembler
from webrtc.sealed import SegmentWriter
from webrtc.timeline import SIZES_MAX, LineLedger, SkewMeter, Timeline

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
    meter, source = SkewMeter(), object()
    meter.report(source, 0, 0.0, 0.0, video=False)
    meter.report(source, 0, 3_600.0, 0.1, video=True)  # an hour apart, says the page
    meter.report(source, 0, 0.0, 60.0, video=False)
    assert (meter.samples, meter.mean_ms, meter.worst_ms) == (0, None, None)
    meter.report(source, 0, 0.5, 60.1, video=True)
    meter.report(source, 0, 0.1, 60.2, video=True)
    assert (meter.mean_ms, meter.worst_ms) == (300.0, 500.0)
    meter.forget(video=False)
    meter.report(source, 0, 0.5, 60.3, video=True)
    assert meter.samples == 2


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
