"""RTP payloads as pure functions: which packet begins a key picture, and how packets become whole pictures.

Everything here takes bytes from strangers: malformed input is told by a return value or `MalformedRtpError`, never by
an IndexError. Codecs by their RTP names: "VP8" (RFC 7741), "H264" (RFC 6184), "opus" (RFC 7587).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from webrtc.errors import MalformedRtpError
from webrtc.h264 import begins_key_h264, h264_size, join_h264, leads_h264

_HEADER = struct.Struct("!BBHLL")

# A hole is repaired within 0.22 s or never (the receiver's NACK rounds); 0.4 s leaves room for one more round trip.
HOLE_PATIENCE_S = 0.4
# 256 packets of 1200 bytes are over a second of video at 2 Mbit/s: memory stays bounded whatever a page sends.
HOLE_MAX_WAITING = 256
# A request for a key picture is one small packet that may be lost itself: repeat it while the wait lasts. One second is
# Chromium also ignores one that follows a key picture too soon. 0.5 s is two round trips of a long mobile line.
KEY_AGAIN_S = 0.5
# A picture of more than 2048 packets (2.4 MB) does not come from a camera of ours.
PICTURE_MAX_PACKETS = 2048


class RtpFields(NamedTuple):
    """Where things are in one RTP packet (RFC 3550 §5.1); the payload is packet[begin:end], padding removed."""

    payload_type: int
    marker: int
    sequence: int
    timestamp: int
    ssrc: int
    begin: int
    end: int


def parse_rtp(packet: bytes) -> RtpFields | None:
    """Header fields of a packet, or None when it is cut short or its lengths contradict each other."""
    length = len(packet)
    if length < 12:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(packet)
    if first >> 6 != 2:
        return None
    begin = 12 + ((first & 0x0F) << 2)
    if first & 0x10:
        if length < begin + 4:
            return None
        begin += 4 + (((packet[begin + 2] << 8) | packet[begin + 3]) << 2)
    end = length - packet[-1] if first & 0x20 else length
    if end < begin:
        return None
    return RtpFields(second & 0x7F, second >> 7, sequence, timestamp, ssrc, begin, end)


def ahead(later: int, earlier: int, bits: int = 16) -> int:
    """How far `later` is after `earlier` on a counter that wraps; negative when it is behind (RFC 1982)."""
    half = 1 << (bits - 1)
    return ((later - earlier + half) & ((1 << bits) - 1)) - half


def vp8_descriptor_length(payload: bytes, begin: int = 0) -> int | None:
    """Bytes of the VP8 payload descriptor (RFC 7741 §4.2), or None when the packet ends inside it."""
    length = len(payload)
    at = begin + 1
    if length < at:
        return None
    if payload[begin] & 0x80:
        if length <= at:
            return None
        extension = payload[at]
        at += 1
        if extension & 0x80:
            if length <= at:
                return None
            at += 2 if payload[at] & 0x80 else 1
        if extension & 0x40:
            at += 1
        if extension & 0x30:
            at += 1
    return at - begin if length >= at else None


def begins_key_vp8(payload: bytes, begin: int = 0) -> bool:
    """Whether this packet is the first of a VP8 key picture: S=1, PID=0 and P=0 (RFC 7741 §4.2 and §4.3)."""
    skip = vp8_descriptor_length(payload, begin)
    if skip is None or len(payload) <= begin + skip:
        return False
    return payload[begin] & 0x17 == 0x10 and not payload[begin + skip] & 1


def depayload_vp8(payload: bytes) -> bytes:
    """The piece of VP8 bitstream in one packet; raise `MalformedRtpError` when the descriptor does not fit."""
    skip = vp8_descriptor_length(payload)
    if skip is None:
        raise MalformedRtpError(f"VP8 descriptor does not fit into {len(payload)} bytes")
    return payload[skip:]


def join_vp8(payloads: list[bytes]) -> bytes:
    """One picture's bitstream."""
    return b"".join(map(depayload_vp8, payloads))


def leads_nothing(_payload: bytes) -> bool:
    """VP8 pictures begin with their first packet."""
    return False


def vp8_size(picture: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels of a VP8 key picture, or None when it is no key picture (RFC 6386 §9.1)."""
    if len(picture) < 10 or picture[0] & 1 or picture[3:6] != b"\x9d\x01\x2a":
        return None
    width, height = struct.unpack_from("<HH", picture, 6)
    return width & 0x3FFF, height & 0x3FFF


def begins_always(payload: bytes, begin: int = 0) -> bool:
    """Every sound packet stands for itself."""
    return len(payload) > begin


@dataclass(frozen=True, slots=True)
class PayloadFormat:
    """How one codec travels in RTP."""

    codec: str
    clock_hz: int
    begins_key: Callable[[bytes, int], bool]
    leads: Callable[[bytes], bool]  # whether a packet may stand before the one that begins a key picture
    join: Callable[[list[bytes]], bytes]  # the packets of one picture; raises `MalformedRtpError`
    size: Callable[[bytes], tuple[int, int] | None]  # of a joined key picture, in pixels
    is_video: bool


def size_of_sound(_frame: bytes) -> None:
    """Sound has none."""
    return


VP8 = PayloadFormat("VP8", 90_000, begins_key_vp8, leads_nothing, join_vp8, vp8_size, is_video=True)
H264 = PayloadFormat("H264", 90_000, begins_key_h264, leads_h264, join_h264, h264_size, is_video=True)
OPUS = PayloadFormat("opus", 48_000, begins_always, leads_nothing, b"".join, size_of_sound, is_video=False)
FORMATS = {"vp8": VP8, "h264": H264, "opus": OPUS}


class Frame(NamedTuple):
    """One whole picture or sound frame, with the 32-bit RTP timestamp it was sent under."""

    timestamp: int
    payload: bytes
    key: bool


@dataclass(slots=True)
class Assembler:
    """Turns packets in any order into whole frames in order, and never emits one whose reference is missing.

    A hole that is not repaired in time is skipped: video then waits for the next key picture (`holes` counts them, and
    `waits_for_key` tells the caller to ask for one).
    """

    format: PayloadFormat
    holes: int = 0
    lost: int = 0  # packets that were not waited for any longer
    late: int = 0  # packets that came after later ones: repaired, or overtaken
    malformed: int = 0
    waits_for_key: bool = field(init=False)
    _next: int | None = None
    _waiting: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)
    _highest: int = 0
    _hole_since_s: float | None = None
    _packets: list[bytes] = field(default_factory=list)
    _timestamp: int = 0
    _key: bool = False
    _leading: bool = True

    def __post_init__(self) -> None:
        self.waits_for_key = self.format.is_video

    def push(self, sequence: int, timestamp: int, marker: int, payload: bytes, now_s: float) -> list[Frame]:
        """Frames completed by this packet, oldest first; late and repeated packets complete nothing."""
        if sequence == self._next and not self._waiting:  # nine packets of ten: nothing to sort
            self._next = (sequence + 1) & 0xFFFF
            completed: list[Frame] = []
            if payload:
                self._take(timestamp, marker, payload, completed)
            return completed
        if self._next is None:
            self._next = sequence
        distance = ahead(sequence, self._next)
        if distance < 0:
            return []
        if distance > 2 * HOLE_MAX_WAITING:  # a jump, not a hole: begin anew rather than wait for packets never sent
            self._waiting.clear()
            self._skip_to(sequence)
        if not self._waiting or ahead(sequence, self._highest) > 0:
            self._highest = sequence
        elif sequence not in self._waiting:
            self.late += 1
        self._waiting[sequence] = (timestamp, marker, payload)
        frames: list[Frame] = []
        self._drain(frames)
        if not self._waiting:
            self._hole_since_s = None
        elif self._hole_since_s is None:
            self._hole_since_s = now_s
        elif now_s - self._hole_since_s > HOLE_PATIENCE_S or len(self._waiting) > HOLE_MAX_WAITING:
            expected = self._next
            found = min(self._waiting, key=lambda waiting: ahead(waiting, expected))
            self.lost += ahead(found, expected)
            self._skip_to(found)
            self._drain(frames)
            self._hole_since_s = now_s if self._waiting else None
        return frames

    def _skip_to(self, sequence: int) -> None:
        """Give the packets before `sequence` up, and with them the picture they belonged to."""
        self.holes += 1
        self._next = sequence
        self._packets = []
        self.waits_for_key = self.format.is_video

    def _drain(self, frames: list[Frame]) -> None:
        """Take waiting packets while they are consecutive."""
        while self._next is not None and (waiting := self._waiting.pop(self._next, None)) is not None:
            self._next = (self._next + 1) & 0xFFFF
            timestamp, marker, payload = waiting
            if payload:  # empty ones are padding probes: they only take up a number
                self._take(timestamp, marker, payload, frames)

    def _take(self, timestamp: int, marker: int, payload: bytes, frames: list[Frame]) -> None:
        """Add one packet in order; a marker or a new timestamp ends the picture."""
        if not self.format.is_video:
            frames.append(Frame(timestamp, payload, key=True))
            return
        if self._packets and timestamp != self._timestamp:
            self._finish(frames)
        if not self._packets:
            self._timestamp, self._leading = timestamp, True
            self._key = False
        if self._leading:
            self._key = self.format.begins_key(payload, 0)
            self._leading = not self._key and self.format.leads(payload)
        self._packets.append(payload)
        if marker or len(self._packets) >= PICTURE_MAX_PACKETS:
            self._finish(frames)

    def _finish(self, frames: list[Frame]) -> None:
        """Emit the picture under way unless something it needs is missing."""
        packets, self._packets = self._packets, []
        if self.waits_for_key and not self._key:
            return
        try:
            picture = self.format.join(packets)
        except MalformedRtpError:
            self.malformed += 1
            self.waits_for_key = True
            return
        self.waits_for_key = False
        frames.append(Frame(self._timestamp, picture, self._key))
