"""Matroska (RFC 9559) as a recording needs it, written forward only: a header, then clusters of about a second.

libav's muxer cannot take an H.264 header from what a page sends, and cost the media worker's loop a third of what a
recording costs (4.2 to 2.7 µs a packet without it, sealing apart). Every cluster goes out whole, sorted and with its
size, so that a reader finds a beginning and a crash leaves no half of one.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

from webrtc.rtp import OPUS

VIDEO, AUDIO = 1, 2
# A page that is read again begins at a cluster, and what a crash may cost beyond a segment is one of them.
CLUSTER_MS = 1_000
CLUSTER_BYTES = 1 << 19
# The version since when SimpleBlock exists is 2, CodecDelay came with 4 (RFC 9559 §5.1.4.1.25).
_DOC_TYPE_VERSION, _READ_VERSION = 4, 2
_UNKNOWN_SIZE = b"\x01\xff\xff\xff\xff\xff\xff\xff"
# libopus looks 312 samples ahead at 48 kHz (RFC 7845 §4.2); decoders roll in for 80 ms (RFC 9559 §5.1.4.1.26)
_OPUS_SKIP = 312
_OPUS_HEAD = b"OpusHead" + struct.pack("<BBHIHB", 1, 2, _OPUS_SKIP, OPUS.clock_hz, 0, 0)
_OPUS_DELAY_NS = _OPUS_SKIP * 1_000_000_000 // OPUS.clock_hz
_OPUS_ROLL_NS = 80_000_000
_CODEC_IDS = {"VP8": b"V_VP8", "H264": b"V_MPEG4/ISO/AVC"}
_APPLICATION = b"Visual Counter"
# SimpleBlock, its size in four bytes, its track, its time after the cluster's, its flags (RFC 9559 §10.2)
_BLOCK = struct.Struct("!BIBhB")
_FOUR_BYTE_SIZE = 0x1000_0000
_KEY = 0x80


def _element(identifier: int, content: bytes) -> bytes:
    """An element with its size in as few bytes as it takes (RFC 8794 §4-5)."""
    size = len(content)
    width = max(1, -(-(size + 1).bit_length() // 7))  # all ones would mean "unknown"
    prefix = identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")
    return prefix + ((1 << 7 * width) | size).to_bytes(width, "big") + content


def _number(identifier: int, value: int) -> bytes:
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """What a file must say of its pictures before the first."""

    codec: str
    width: int
    height: int
    private: bytes = b""


def header(video: VideoHeader) -> bytes:
    """Everything before the first cluster: pictures are track 1, Opus sound is track 2."""
    ebml = _element(
        0x1A45DFA3,
        _number(0x4286, 1)
        + _number(0x42F7, 1)
        + _number(0x42F2, 4)
        + _number(0x42F3, 8)
        + _element(0x4282, b"matroska")
        + _number(0x4287, _DOC_TYPE_VERSION)
        + _number(0x4285, _READ_VERSION),
    )
    about = _element(
        0x1549A966, _number(0x2AD7B1, 1_000_000) + _element(0x4D80, _APPLICATION) + _element(0x5741, _APPLICATION)
    )
    pictures = _track(VIDEO, _CODEC_IDS[video.codec], video.private) + _element(
        0xE0, _number(0xB0, video.width) + _number(0xBA, video.height)
    )
    sound = (
        _track(AUDIO, b"A_OPUS", _OPUS_HEAD)
        + _number(0x56AA, _OPUS_DELAY_NS)
        + _number(0x56BB, _OPUS_ROLL_NS)
        + _element(0xE1, _element(0xB5, struct.pack("!f", OPUS.clock_hz)) + _number(0x9F, 2))
    )
    tracks = _element(0x1654AE6B, _element(0xAE, pictures) + _element(0xAE, sound))
    return ebml + b"\x18\x53\x80\x67" + _UNKNOWN_SIZE + about + tracks


def _track(number: int, codec_id: bytes, private: bytes) -> bytes:
    """What both kinds of track say; kinds are 1 and 2 as our numbers are (RFC 9559 §5.1.4.1.3). No lacing."""
    return (
        _number(0xD7, number)
        + _number(0x73C5, number)
        + _number(0x83, number)
        + _number(0x9C, 0)
        + _element(0x86, codec_id)
        + (_element(0x63A2, private) if private else b"")
    )


class MatroskaWriter:
    """Collects frames and writes whole clusters. Before `begin` everything waits: the header must come first."""

    def __init__(self, write: Callable[[bytes], object]):
        self._write = write
        self._blocks: list[tuple[int, int, int, bytes]] = []
        self._bytes = 0
        self._first_ms = 0
        self.begun = False

    @property
    def empty(self) -> bool:
        """Whether no frame waits."""
        return not self._blocks

    def begin(self, video: VideoHeader) -> None:
        """Write the header."""
        self._write(header(video))
        self.begun = True

    def add(self, track: int, at_ms: int, payload: bytes, *, key: bool) -> None:
        """One frame; times of one track only grow. A key picture begins a cluster, where a reader may begin too."""
        if self._blocks and self.begun:
            apart_ms = at_ms - self._first_ms
            full = self._bytes >= CLUSTER_BYTES or not -CLUSTER_MS < apart_ms < CLUSTER_MS
            if full or (key and track == VIDEO):
                self.flush()
        if not self._blocks:
            self._first_ms = at_ms
        self._blocks.append((at_ms, track, _KEY if key else 0, payload))
        self._bytes += len(payload)

    def flush(self) -> None:
        """Write what waits. In order of time, as Chromium wants it ("a timecode before the previous block")."""
        blocks, self._blocks, self._bytes = self._blocks, [], 0
        blocks.sort(key=itemgetter(0))
        while blocks:
            start_ms = blocks[0][0]
            pieces: list[bytes] = []
            for at_ms, track, flags, payload in blocks:
                if at_ms - start_ms > 32_767:  # a block's time has 16 bits (RFC 9559 §10.1)
                    break
                size = _FOUR_BYTE_SIZE | 4 + len(payload)
                pieces += (_BLOCK.pack(0xA3, size, 0x80 | track, at_ms - start_ms, flags), payload)
            self._write(_element(0x1F43B675, _number(0xE7, start_ms) + b"".join(pieces)))
            blocks = blocks[len(pieces) // 2 :]
