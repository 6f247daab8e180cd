"""Recordings in H.264: what libav reads out of them is the oracle, for the header, every picture and the key flags."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pyrage  # type: ignore[import-untyped]
import pytest

from tests.webrtc.films import h264_packets, h264_pictures, key_flags, pictures_in, unseal
from webrtc.record import SEEK_EVERY_S, Recording, leftover_tracks
from webrtc.rtp import H264, OPUS, VP8
from webrtc.sealed import SegmentWriter

SILENCE = b"\xf8\xff\xfe"


class Page:
    """Sends a recording 30 pictures a second and sound, on a clock of its own."""

    def __init__(self, folder: Path, writer: SegmentWriter):
        self.identity = pyrage.x25519.Identity.generate()
        self.now_s = 1_000.0
        self.folder = folder
        recipient = str(self.identity.to_public())
        self.film = Recording("customer", folder, "customer", recipient, writer, lambda: self.now_s, H264)
        self.asked: list[float] = []
        self.film.ask_key = lambda: self.asked.append(self.now_s)
        self.video, self.audio = object(), object()
        self.sequence, self.sent = 65_500, 0

    def talk(self, pictures: list[bytes], *, lose: frozenset[int] = frozenset()) -> None:
        """Send these; of the pictures in `lose` the last packet never comes."""
        for index, picture in enumerate(pictures):
            self.now_s += 1 / 30
            packets = h264_packets(picture)
            for number, packet in enumerate(packets):
                last = number == len(packets) - 1
                if not (last and index in lose):
                    stamp = (0xFFFFF000 + self.sent * 3000) & 0xFFFFFFFF
                    self.film.take(H264, self.video, self.sequence, stamp, int(last), packet)
                self.sequence = (self.sequence + 1) & 0xFFFF
            self.film.take(OPUS, self.audio, self.sent & 0xFFFF, self.sent * 1600, 0, SILENCE)
            self.sent += 1
            self.film.tick(self.now_s)

    async def finished(self) -> bytes:
        """The whole film in the clear."""
        track = await self.film.finish()
        return unseal(self.folder, [name for name, _, _ in track.segments], self.identity)


@pytest.fixture
async def writer() -> AsyncIterator[SegmentWriter]:
    writer = SegmentWriter()
    yield writer
    writer.close()


async def test_the_header_is_libavs_own_and_every_picture_decodes(tmp_path: Path, writer: SegmentWriter) -> None:
    page = Page(tmp_path, writer)
    pictures = [*h264_pictures(60, 322, 182), *h264_pictures(60, 322, 182)]
    page.talk(pictures)
    matroska = await page.finished()
    with av.open(io.BytesIO(matroska)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 322, 182)
        assert stream.codec_context.profile is not None
        assert "baseline" in stream.codec_context.profile.lower()
        assert stream.codec_context.extradata is not None
        assert stream.codec_context.extradata[:1] == b"\x01"
        assert len(list(container.decode(audio=0))) == 120
    assert len(pictures_in(matroska)) == 120
    assert [at for at, key in enumerate(key_flags(matroska)) if key] == [0, 60]


async def test_a_page_that_turns_in_mid_call_is_shown_in_both_sizes(tmp_path: Path, writer: SegmentWriter) -> None:
    page = Page(tmp_path, writer)
    page.talk([*h264_pictures(30, 320, 240), *h264_pictures(30, 240, 320), *h264_pictures(30, 640, 360)])
    track = await page.film.finish()
    shown = pictures_in(unseal(tmp_path, [name for name, _, _ in track.segments], page.identity))
    assert [(width, height) for _, width, height in shown] == [(320, 240)] * 30 + [(240, 320)] * 30 + [(640, 360)] * 30
    assert track.quality is not None
    assert [(size.width, size.height) for size in track.quality.sizes] == [(320, 240), (240, 320), (640, 360)]


async def test_a_lost_packet_never_leaves_a_broken_reference(tmp_path: Path, writer: SegmentWriter) -> None:
    page = Page(tmp_path, writer)
    page.talk([*h264_pictures(60), *h264_pictures(60)], lose=frozenset({30}))
    assert page.asked
    assert len(pictures_in(await page.finished())) == 90


async def test_a_crash_loses_at_most_the_segment_under_way(tmp_path: Path, writer: SegmentWriter) -> None:
    page = Page(tmp_path, writer)
    page.talk(h264_pictures(300))
    writer.close()  # what was queued is written; the rest dies with the process
    (track,) = leftover_tracks(tmp_path, "customer", "customer", frozenset())
    assert (track.complete, track.quality) == (False, None)
    shown = pictures_in(unseal(tmp_path, [name for name, _, _ in track.segments], page.identity))
    assert shown[-1][0] > 10 - 4 - 1.1  # a segment, and the cluster under way


async def test_a_camera_that_comes_late_still_decodes(tmp_path: Path, writer: SegmentWriter) -> None:
    page = Page(tmp_path, writer)
    for number in range(150):
        page.now_s += 0.02
        page.film.take(OPUS, page.audio, number, number * 960, 0, SILENCE)
        page.film.tick(page.now_s)
    page.audio = object()
    page.talk(h264_pictures(30))
    matroska = await page.finished()
    assert len(pictures_in(matroska)) == 30
    with av.open(io.BytesIO(matroska)) as container:
        assert len(list(container.decode(audio=0))) == 180


async def test_key_pictures_are_asked_for_in_time(tmp_path: Path, writer: SegmentWriter) -> None:
    page = Page(tmp_path, writer)
    key, *others = h264_pictures(60)
    page.talk([key, *others * 7])
    assert [round(at_s - 1_000.0 - SEEK_EVERY_S, 1) for at_s in page.asked][:1] == [0.1]
    await page.film.finish()


async def test_pictures_of_another_codec_than_the_deployments_are_not_mixed_in(
    tmp_path: Path, writer: SegmentWriter
) -> None:
    page = Page(tmp_path, writer)
    page.talk(h264_pictures(10))
    page.film.take(VP8, object(), 1, 1, 1, b"\x10\x00\x9d\x01\x2a")
    assert len(pictures_in(await page.finished())) == 10
