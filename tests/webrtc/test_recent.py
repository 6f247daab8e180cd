"""Whoever is attached sees the last key picture and what followed at once, unless a packet of it is missing."""

import itertools
import struct
import time
from dataclasses import dataclass, field
from typing import cast

from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import (
    RTCRtcpParameters,
    RTCRtpCodecParameters,
    RTCRtpReceiveParameters,
    RTCRtpSendParameters,
)

from webrtc.aio.arrivals import DepartureLog
from webrtc.aio.port import Port
from webrtc.aio.receiver import PassReceiver
from webrtc.aio.recent import KEPT_PACKETS, RecentPictures
from webrtc.aio.sender import PassSender
from webrtc.rtp import VP8, RtpFields, parse_rtp

KEY, DELTA, MORE = b"\x10\x00\x9d\x01\x2a", b"\x10\x01", b"\x00\x55"
TYPE, PICTURE_TICKS = 96, 3_000


@dataclass
class Wire:
    """Both a port and its link: what was sent stays here."""

    rtp: list[bytes] = field(default_factory=list)
    rtcp: list[bytes] = field(default_factory=list)
    departures: DepartureLog = field(default_factory=lambda: DepartureLog(lambda _: None))

    @property
    def link(self) -> "Wire":
        return self

    def send_rtp(self, packet: bytes) -> None:
        self.rtp.append(packet)

    def send_rtcp(self, packet: bytes) -> None:
        self.rtcp.append(packet)

    def add_sender(self, sender: PassSender) -> None:
        """As a port does."""

    def add_receiver(self, receiver: PassReceiver, payload_types: list[int]) -> None:
        """As a port does."""

    @property
    def seen(self) -> list[RtpFields]:
        return [fields for fields in map(parse_rtp, self.rtp) if fields is not None]

    @property
    def key_requests(self) -> int:
        return sum(packet[0] == 0x81 and packet[1] == 206 for packet in self.rtcp)


async def publisher(wire: Wire) -> PassReceiver:
    receiver = PassReceiver("video", cast("RTCDtlsTransport", None), cast("Port", wire), 1)
    await receiver.receive(RTCRtpReceiveParameters(codecs=[_codec()]))
    return receiver


async def viewer(wire: Wire) -> PassSender:
    sender = PassSender("video", cast("RTCDtlsTransport", None), cast("Port", wire), "stream")
    await sender.send(RTCRtpSendParameters(codecs=[_codec()], rtcp=RTCRtcpParameters(cname="x")))
    return sender


def _codec() -> RTCRtpCodecParameters:
    return RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=TYPE)


def feed(receiver: PassReceiver, sequence: int, payload: bytes, picture: int, marker: int) -> None:
    packet = struct.pack("!BBHLL", 0x80, marker << 7 | TYPE, sequence, picture * PICTURE_TICKS, 77) + payload
    fields = parse_rtp(packet)
    assert fields is not None
    receiver.take(packet, fields)


async def test_a_newcomer_is_shown_the_last_key_picture_and_what_followed_without_asking_for_another() -> None:
    theirs, ours = Wire(), Wire()
    source, sender = await publisher(theirs), await viewer(ours)
    payloads = [(KEY, 1, 0), (MORE, 1, 1), (DELTA, 2, 1), (DELTA, 3, 1)]
    for number, (payload, picture, marker) in enumerate(payloads):
        feed(source, 65_534 + number & 0xFFFF, payload, picture, marker)
    asked = theirs.key_requests
    sender.attach(source)
    assert [fields.marker for fields in ours.seen] == [0, 1, 1, 1]
    assert [packet[12:] for packet in ours.rtp] == [payload for payload, *_ in payloads]
    feed(source, 2, DELTA, 4, 1)
    assert theirs.key_requests == asked
    sequences = [fields.sequence for fields in ours.seen]
    assert {(later - earlier) & 0xFFFF for earlier, later in itertools.pairwise(sequences)} == {1}
    times = [fields.timestamp for fields in ours.seen]
    steps = [(later - earlier) & 0xFFFFFFFF for earlier, later in itertools.pairwise(times)]
    assert steps == [0, 90, 90, PICTURE_TICKS]  # the old ones a millisecond apart, the next at its own pace


async def test_a_newcomer_to_a_stream_with_a_hole_asks_for_a_key_picture() -> None:
    theirs, ours = Wire(), Wire()
    source, sender = await publisher(theirs), await viewer(ours)
    feed(source, 1, KEY, 1, 1)
    feed(source, 3, DELTA, 3, 1)
    sender.attach(source)
    assert ours.rtp == []
    assert theirs.key_requests == 1
    await source.stop()


async def test_a_stream_nobody_looks_at_is_kept_fresh_as_far_as_its_line_allows() -> None:
    wire = Wire()
    source = await publisher(wire)
    feed(source, 1, KEY + bytes(1_000), 1, 1)
    source.rate_bps, source._report_due_s = 1e6, float("inf")
    later_s = time.monotonic() + 1_000.0
    source.report(later_s)
    assert wire.key_requests == 1
    source.rate_bps = 10_000  # a key picture of 1 KB would take 2.4 s of a third of it
    source.report(later_s)
    assert source._key_timer is None
    source.rate_bps = 1e6
    source.subscribers.append(await viewer(Wire()))
    source.report(later_s)
    assert source._key_timer is None
    source.subscribers.clear()
    source.report(later_s)
    assert source._key_timer is not None  # waits for its turn after the last
    await source.stop()


async def test_after_an_outage_nothing_lost_in_it_is_asked_for_but_a_key_picture() -> None:
    wire = Wire()
    source = await publisher(wire)
    feed(source, 1, KEY, 1, 1)
    source.subscribers.append(await viewer(Wire()))
    source.begin_anew()
    assert wire.key_requests == 1
    feed(source, 100, KEY, 30, 1)
    feed(source, 101, DELTA, 31, 1)
    asked = len(wire.rtcp)
    assert not any(packet[1] == 205 for packet in wire.rtcp)  # RFC 4585 §6.2.1: no NACK
    feed(source, 103, DELTA, 33, 1)
    assert wire.rtcp[asked][1] == 205  # loss after it is loss as ever
    await source.stop()


def take(recent: RecentPictures, sequence: int, payload: bytes, picture: int) -> None:
    recent.take(VP8, payload, sequence, picture * PICTURE_TICKS, 0, len(payload), 0)


def test_packets_out_of_order_are_put_in_order_and_a_long_stretch_is_forgotten() -> None:
    recent = RecentPictures()
    take(recent, 1, DELTA, 0)
    assert recent.whole() == []
    for sequence, payload, picture in ((65_535, KEY, 1), (1, DELTA, 2), (0, MORE, 1)):
        take(recent, sequence, payload, picture)
    assert [packet.sequence for packet in recent.whole()] == [65_535, 0, 1]
    assert recent.key_bytes == len(KEY) + len(MORE)
    for sequence in range(2, KEPT_PACKETS + 1):
        take(recent, sequence, DELTA, sequence)
    assert recent.whole() == []


def test_a_packet_that_comes_twice_is_shown_once() -> None:
    recent = RecentPictures()
    take(recent, 65_535, KEY, 1)
    for _ in range(2):
        take(recent, 0, DELTA, 2)
    assert [packet.sequence for packet in recent.whole()] == [65_535, 0]
