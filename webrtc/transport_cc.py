"""Transport-wide congestion control feedback: which packet of a transport arrived when.

Source: draft-holmer-rmcat-transport-wide-cc-extensions-01, as every browser speaks it. Pure functions over bytes; what
strangers send is told by `MalformedRtpError`. Times are in ticks of 250 µs, the resolution of the format.
"""

import struct
from typing import NamedTuple

from webrtc.errors import MalformedRtpError

URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
RTPFB = 205
FMT = 15
TICK_S = 250e-6

_HEAD = struct.Struct("!BBHLLHHL")
_REFERENCE_TICKS = 256  # §3.1: the reference time counts 64 ms
_REFERENCE_WRAP = 1 << 24
_RUN_MAX = (1 << 13) - 1
# §3.1.3 and §3.1.4 hold 7 statuses of two bits in a word; a run of as many or more is never longer.
_VECTOR = 7
# A message says at most this much: over three seconds of 2.5 Mbit/s video, far more than one interval.
STATUSES_MAX = 1024


class Feedback(NamedTuple):
    """Arrivals of the packets from `base` on: ticks since a moment of the receiver's, None for a missing one."""

    base: int
    message: int
    reference_ticks: int
    arrivals: list[int | None]


def pack_feedback(ssrc: int, media_ssrc: int, count: int, base: int, arrivals: list[int | None]) -> bytes:
    """The RTCP packet that tells these arrivals (ticks, at least one of them not None).

    Args:
        count: Number of this message, modulo 256.
        base: Transport sequence number of the first entry.
        arrivals: Where two lie further apart than 8 s the later counts as missing: the format cannot say it.
    """
    first = next(ticks for ticks in arrivals if ticks is not None)
    reference = first // _REFERENCE_TICKS
    before = reference * _REFERENCE_TICKS
    symbols: list[int] = []
    deltas = bytearray()
    for ticks in arrivals:
        if ticks is None:
            symbols.append(0)
            continue
        delta = ticks - before
        if 0 <= delta <= 255:
            symbols.append(1)
            deltas.append(delta)
        elif -32768 <= delta <= 32767:
            symbols.append(2)
            deltas += struct.pack("!h", delta)
        else:
            symbols.append(0)
            continue
        before = ticks
    body = _pack_symbols(symbols) + bytes(deltas)
    body += bytes(-len(body) % 4)
    moment = (reference % _REFERENCE_WRAP) << 8 | count & 0xFF
    words = (_HEAD.size + len(body)) // 4 - 1
    return _HEAD.pack(0x80 | FMT, RTPFB, words, ssrc, media_ssrc, base, len(symbols), moment) + body


def _pack_symbols(symbols: list[int]) -> bytes:
    """Statuses as run-length chunks where they repeat and as vectors of seven where they do not."""
    chunks = bytearray()
    at, total = 0, len(symbols)
    while at < total:
        symbol, end = symbols[at], at + 1
        while end < total and symbols[end] == symbol and end - at < _RUN_MAX:
            end += 1
        if end - at >= _VECTOR or end == total:
            chunks += struct.pack("!H", symbol << 13 | end - at)
        else:
            end = min(at + _VECTOR, total)
            word = 0xC000
            for place, status in enumerate(symbols[at:end]):
                word |= status << (12 - 2 * place)
            chunks += struct.pack("!H", word)
        at = end
    return bytes(chunks)


def parse_feedback(packet: bytes) -> Feedback:
    """What one RTCP packet of this kind says; raise `MalformedRtpError` when it contradicts itself."""
    if len(packet) < _HEAD.size:
        raise MalformedRtpError("a transport feedback is cut short")
    *_, base, expected, moment = _HEAD.unpack_from(packet)
    if expected > STATUSES_MAX:
        raise MalformedRtpError(f"a transport feedback claims {expected} packets")
    symbols: list[int] = []
    at, length = _HEAD.size, len(packet)
    while len(symbols) < expected:
        if at + 2 > length:
            raise MalformedRtpError("a transport feedback ends within its chunks")
        word = packet[at] << 8 | packet[at + 1]
        at += 2
        if not word & 0x8000:
            symbols += [word >> 13 & 3] * min(word & _RUN_MAX, expected - len(symbols))
            if not word & _RUN_MAX:
                raise MalformedRtpError("a transport feedback has an empty run")
        elif word & 0x4000:
            symbols += [word >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [word >> shift & 1 for shift in range(13, -1, -1)]
    reference_ticks = (moment >> 8) * _REFERENCE_TICKS
    ticks = reference_ticks
    arrivals: list[int | None] = []
    for symbol in symbols[:expected]:
        if symbol == 1:
            if at + 1 > length:
                raise MalformedRtpError("a transport feedback ends within its deltas")
            ticks += packet[at]
            at += 1
        elif symbol == 2:  # the status "large or negative delta" of §3.1.1
            if at + 2 > length:
                raise MalformedRtpError("a transport feedback ends within its deltas")
            ticks += struct.unpack_from("!h", packet, at)[0]
            at += 2
        arrivals.append(ticks if symbol in (1, 2) else None)
    return Feedback(base, moment & 0xFF, reference_ticks, arrivals)


def transport_number(packet: bytes, extension_id: int) -> int | None:
    """The transport sequence number in a whole RTP packet's header extension, or None without one.

    One-byte form only (RFC 8285 §4.2), which is what every browser uses when it can.
    """
    at = 12 + ((packet[0] & 0x0F) << 2)
    if not packet[0] & 0x10 or len(packet) < at + 4 or packet[at] != 0xBE or packet[at + 1] != 0xDE:
        return None
    end = min(at + 4 + (((packet[at + 2] << 8) | packet[at + 3]) << 2), len(packet))
    at += 4
    while at + 2 < end:
        element = packet[at]
        if element >> 4 == extension_id:
            return packet[at + 1] << 8 | packet[at + 2]
        at += 1 if not element else (element & 0x0F) + 2
    return None
