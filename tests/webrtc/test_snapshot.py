"""Sampling and decoding pictures, with pictures of a real encoder."""

from fractions import Fraction

import av
import numpy as np
import pytest

from webrtc.engine import EncodedPicture
from webrtc.rtp import OPUS, VP8
from webrtc.snapshot import PictureDecoder, PictureSampler


def encoded(levels: list[int]) -> list[bytes]:
    """VP8 pictures of one grey each, the first a key picture."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "yuv420p", Fraction(1, 30)
    encoder.thread_count = 1  # libvpx' other threads wait actively
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    pictures: list[bytes] = []
    for number, level in enumerate(levels):
        grey = np.full((48, 64, 3), level, np.uint8)
        picture = av.VideoFrame.from_ndarray(grey, format="bgr24").reformat(format="yuv420p")
        picture.pts = number
        pictures += [bytes(packet) for packet in encoder.encode(picture)]
    return pictures


def picture(payload: bytes, at_s: float = 0.0) -> EncodedPicture:
    return EncodedPicture(payload, not payload[0] & 1, "VP8", at_s, at_s)


def test_the_latest_picture_is_the_last_one_fed_blue_green_red() -> None:
    decoder = PictureDecoder("VP8")
    assert decoder.latest() is None
    for number, payload in enumerate(encoded([40, 90, 200])):
        decoder.feed(picture(payload, float(number)))
    latest = decoder.latest()
    assert latest is not None
    assert latest.shape == (48, 64, 3)
    assert abs(float(latest.mean()) - 200) < 6
    assert (decoder.decoded, decoder.latest_at_s) == (3, 2.0)


def test_nothing_is_decoded_before_a_key_picture() -> None:
    decoder = PictureDecoder("VP8")
    for payload in encoded([40, 90, 200])[1:]:
        decoder.feed(picture(payload))
    assert (decoder.decoded, decoder.latest()) == (0, None)


def test_after_a_broken_picture_the_decoder_waits_for_the_next_key() -> None:
    first, second = encoded([40, 90]), encoded([200, 210])
    decoder = PictureDecoder("VP8")
    decoder.feed(picture(first[0]))
    decoder.feed(EncodedPicture(b"\x01", key=False, codec="VP8", at_s=0.0, camera_s=0.0))
    assert decoder.broken == 1
    decoder.feed(picture(first[1]))
    latest = decoder.latest()
    assert latest is not None
    assert abs(float(latest.mean()) - 40) < 6  # not the picture whose reference is in doubt
    for payload in second:
        decoder.feed(picture(payload))
    latest = decoder.latest()
    assert latest is not None
    assert abs(float(latest.mean()) - 210) < 6


def test_the_sampler_asks_for_a_key_and_delivers_from_it_on() -> None:
    delivered: list[EncodedPicture] = []
    asked: list[int] = []
    sampler = PictureSampler(pictures_per_s=6, deliver=delivered.append, ask_key=lambda: asked.append(1))
    source = object()
    pictures = encoded([10, 20, 30])
    sampler.take(OPUS, source, 0, 0, 0, b"sound")
    for number, payload in enumerate([*pictures[1:], *pictures]):
        sampler.take(VP8, source, number, number * 3000, 1, b"\x10" + payload)
    assert len(asked) == 1
    assert [sampled.payload for sampled in delivered] == pictures
    assert [sampled.key for sampled in delivered] == [True, False, False]
    assert [sampled.camera_s for sampled in delivered] == pytest.approx([2 / 30, 3 / 30, 4 / 30])


def test_a_lost_wish_for_a_key_picture_is_repeated_while_the_wait_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    now_s = [1_000.0]
    monkeypatch.setattr("webrtc.snapshot.time.monotonic", lambda: now_s[0])
    sampler = PictureSampler(pictures_per_s=6, deliver=lambda _: None, ask_key=lambda: asked.append(now_s[0]))
    source = object()
    for number in range(24):
        sampler.take(VP8, source, number, number * 3000, 1, b"\x10\x01")
        now_s[0] += 0.125
    assert asked == [1_000.0 + 0.5 * wish for wish in range(6)]


def test_a_slow_pace_delivers_key_pictures_only_and_asks_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [1_000.0]
    monkeypatch.setattr("webrtc.snapshot.time.monotonic", lambda: now_s[0])
    delivered: list[EncodedPicture] = []
    asked: list[int] = []
    sampler = PictureSampler(pictures_per_s=0.5, deliver=delivered.append, ask_key=lambda: asked.append(1))
    source = object()
    pictures = encoded([10, 20, 30]) * 2
    for number, payload in enumerate(pictures):
        sampler.take(VP8, source, number, number * 3000, 1, b"\x10" + payload)
        now_s[0] += 1.0
    assert [sampled.payload for sampled in delivered] == [pictures[0], pictures[3]]
    assert len(asked) == 2  # every two seconds after the first picture
