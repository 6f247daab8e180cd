"""A camera's and a microphone's stream, encoded once, so that load costs no encoder and both servers carry the same.

Pictures leave as RTP payloads (RFC 7741) whose PictureID is their number: whoever gets one knows when it was sent,
and neither of the two servers touches it.
"""

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np

WIDTH, HEIGHT, PICTURES_PER_S = 640, 480, 30
# 1 Mbit/s of 640x480 is what research/media.md measured both servers with.
VIDEO_BPS = 1_000_000
SOUND_BPS = 32_000
_SECONDS = 4
# Chromium fills its packets to about this.
_PAYLOAD_MAX_BYTES = 1_100
NUMBERS = 1 << 15  # PictureID with M=1 has 15 bits (RFC 7741 §4.2)
_DESCRIPTOR = struct.Struct("!BBH")
_EXTENDED, _BEGINS, _HAS_NUMBER, _LONG_NUMBER = 0x80, 0x10, 0x80, 0x8000


@dataclass(frozen=True, slots=True)
class Clip:
    """Encoded pictures, the first of them a key picture, and 20 ms pieces of sound."""

    pictures: tuple[bytes, ...]
    sounds: tuple[bytes, ...]


def make_clip(seed: int = 7) -> Clip:
    """Four seconds of a moving, noisy scene and of a tone."""
    return Clip(_pictures(seed), _sounds())


def _pictures(seed: int) -> tuple[bytes, ...]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(16, 235, (HEIGHT // 4 + 50, WIDTH // 4 + 50), np.uint8)
    scene = np.kron(coarse, np.ones((4, 4), np.uint8))
    encoder = cast("Any", av.CodecContext.create("libvpx", "w"))
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.bit_rate, encoder.gop_size = Fraction(1, PICTURES_PER_S), VIDEO_BPS, 3000
    encoder.thread_count = 1  # libvpx' other threads wait actively: 70 ms of processor time a picture instead of 4
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    encoder.options |= {"minrate": str(VIDEO_BPS), "maxrate": str(VIDEO_BPS), "bufsize": str(VIDEO_BPS // 2)}
    encoded: list[bytes] = []
    for number in range(_SECONDS * PICTURES_PER_S):
        down, right = int(100 + 90 * np.sin(number / 31)), int(100 + 90 * np.cos(number / 23))
        grey = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        grey[:HEIGHT] = scene[down : down + HEIGHT, right : right + WIDTH]
        picture = av.VideoFrame.from_ndarray(grey, format="yuv420p")
        picture.pts = number
        encoded += [bytes(packet) for packet in encoder.encode(picture)]
    return tuple(encoded)


def _sounds() -> tuple[bytes, ...]:
    encoder = cast("Any", av.CodecContext.create("libopus", "w"))
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = 48_000, "stereo", "s16", SOUND_BPS
    encoder.time_base = Fraction(1, 48_000)
    tone = (8_000 * np.sin(np.arange(48_000 * _SECONDS) * 2 * np.pi * 440 / 48_000)).astype(np.int16)
    encoded: list[bytes] = []
    for begin in range(0, len(tone), 960):
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(np.repeat(tone[begin : begin + 960], 2).tobytes())
        frame.sample_rate, frame.pts, frame.time_base = 48_000, begin, Fraction(1, 48_000)
        encoded += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(encoded)


def payloads(picture: bytes, number: int) -> list[bytes]:
    """The RTP payloads of one picture."""
    told: list[bytes] = []
    for begin in range(0, len(picture), _PAYLOAD_MAX_BYTES):
        first = _EXTENDED | (0 if begin else _BEGINS)
        descriptor = _DESCRIPTOR.pack(first, _HAS_NUMBER, _LONG_NUMBER | number % NUMBERS)
        told.append(descriptor + picture[begin : begin + _PAYLOAD_MAX_BYTES])
    return told


def picture_number(payload: bytes) -> int | None:
    """The number of the picture this payload belongs to; None where it has none (another encoder made it)."""
    if len(payload) < _DESCRIPTOR.size:
        return None
    first, extension, number = _DESCRIPTOR.unpack_from(payload)
    if not first & _EXTENDED or not extension & _HAS_NUMBER or not number & _LONG_NUMBER:
        return None
    return int(number) & (NUMBERS - 1)
