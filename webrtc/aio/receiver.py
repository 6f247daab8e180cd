"""What a leg sends us: counted, asked for again when lost, and handed on packet by packet."""

import asyncio
import random
import time
from collections import deque
from typing import TYPE_CHECKING

from aiortc.codecs import is_rtx
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    clamp_packets_lost,
    pack_remb_fci,
)
from aiortc.stats import RTCStatsReport

from webrtc.aio.compat import payload_type_of
from webrtc.aio.rate import CAP_BPS
from webrtc.aio.recent import RecentPictures
from webrtc.leg_engine import Tap
from webrtc.rtp import FORMATS, PayloadFormat, RtpFields, ahead
from webrtc.transport_cc import URI as TRANSPORT_CC

if TYPE_CHECKING:
    from webrtc.aio.port import Port
    from webrtc.aio.sender import PassSender

# One key picture costs as much as ten others, and Chromium ignores a request within 300 ms of the last
# (EncoderRtcpFeedback); at exactly 300 ms jitter made it ignore two of three, seen here as 1.1 s to the first picture.
KEY_PAUSE_S = 0.35
# While nobody looks, key pictures are asked for so often that whoever comes is shown a recent one at once: of the rate
# the page sends anyway they may take this share; an uplink that allows less than one in the longest pause gets none.
UNSEEN_KEY_SHARE = 1 / 3
UNSEEN_KEY_PAUSE_S = (0.5, 1.2)
# Repairs are asked for again after a little more than they took lately, four rounds; then a key picture is cheaper than
# a frozen one. Below 50 ms the clock of a busy loop rules; 0.3 s is a satellite.
NACK_PAUSE_S = (0.05, 0.3)
NACK_ROUNDS = 4.4
# Until a first repair has told how long one takes: two round trips of a long line.
NACK_FIRST_PATIENCE_S = 0.5
# A jump of more packets than this is a new beginning, not loss.
JUMP_PACKETS = 300


class PassReceiver:
    """Stands where aiortc expects an RTCRtpReceiver, without jitter buffer or decoder."""

    def __init__(self, kind: str, transport: RTCDtlsTransport, port: "Port", rtcp_ssrc: int):
        self.kind = kind
        self.transport = transport
        self.port = port
        self.ssrc: int | None = None
        self.format: PayloadFormat | None = None
        self.subscribers: list[PassSender] = []
        self.taps: list[Tap] = []
        self.rate_bps = 0.0
        self.key_requests = 0
        self.repaired = 0
        self.sender_report: tuple[int, int, float] | None = None  # NTP, RTP timestamp, our clock at arrival
        self.started = False
        self.transport_cc_id = 0
        self.recent = RecentPictures()
        # names aiortc itself reads or writes
        self.track: MediaStreamTrack | None = None
        self._track: MediaStreamTrack | None = None
        self._enabled = True

        self._rtcp_ssrc = rtcp_ssrc
        self._formats: dict[int, PayloadFormat] = {}
        self._rtx_to_media: dict[int, int] = {}
        self._source: object = object()
        self._highest = self._base = self._cycles = 0
        self._received = self._expected_before = self._received_before = 0
        self._missing: dict[int, float] = {}
        self._anew = False
        self._repair_times_s: deque[float] = deque(maxlen=16)
        self._nack_timer: asyncio.TimerHandle | None = None
        self._key_timer: asyncio.TimerHandle | None = None
        self._key_asked_s = float("-inf")
        self._key_owed = False
        self._bytes = self._bytes_before = 0
        self._measured_s = time.monotonic()
        self._limits: dict[int, float] = {}
        self._remb_sent = (0.0, float("-inf"))
        self._report_due_s = 0.0

    # --- what aiortc calls ---

    async def getStats(self) -> RTCStatsReport:  # noqa: N802 - aiortc's name
        """Nothing: figures of ours come from the leg."""
        return RTCStatsReport()

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Called when DTLS is up: learn which payload type is what."""
        if self.started:
            return
        self.started = True
        for codec in parameters.codecs:
            number = payload_type_of(codec)
            if is_rtx(codec):
                self._rtx_to_media[number] = int(codec.parameters["apt"] or 0)
            elif codec.name.lower() in FORMATS:
                self._formats[number] = FORMATS[codec.name.lower()]
        for extension in parameters.headerExtensions:
            if extension.uri == TRANSPORT_CC and self.kind == "video":
                self.transport_cc_id = extension.id
                self.port.tell_arrivals(self._rtcp_ssrc)
        self.port.add_receiver(self, [*self._formats, *self._rtx_to_media])

    async def stop(self) -> None:
        """End the timers."""
        for timer in (self._nack_timer, self._key_timer):
            if timer is not None:
                timer.cancel()
        self.started = False

    def _handle_disconnect(self) -> None:
        """Called by aiortc when the connection ends; the leg hears of it by its state."""

    # --- packets ---

    def take(self, packet: bytes, fields: RtpFields) -> None:
        """Count one packet and hand it on. This runs ~300 times a second per call: keep it flat."""
        payload_type, marker, sequence, timestamp, ssrc, begin, end = fields
        media_type = self._rtx_to_media.get(payload_type)
        if media_type is not None:  # RFC 4588 §4: the original number comes first
            if end - begin < 2:
                return
            sequence = packet[begin] << 8 | packet[begin + 1]
            begin += 2
            asked_s = self._missing.pop(sequence, None)
            if self.ssrc is None or asked_s is None:
                return  # not asked for: a bandwidth probe or a repeat
            self._repair_times_s.append(time.monotonic() - asked_s)
            self.repaired += 1
            self._received += 1
        else:
            if ssrc != self.ssrc:
                payload_format = self._formats[payload_type]
                with_key = payload_format.begins_key(packet[begin:end], 0)
                self._begin_source(ssrc, sequence, payload_format, with_key=with_key)
            else:
                self._count(sequence)
            self._received += 1
            self._bytes += len(packet)
        if self._key_timer is not None and self.format is not None and self.format.begins_key(packet[begin:end], 0):
            self._key_timer.cancel()  # the wish that waits for its turn has just been granted
            self._key_timer = None
        if self.kind == "video" and self.format is not None:
            self.recent.take(self.format, packet, sequence, timestamp, begin, end, marker)
        for subscriber in self.subscribers:
            subscriber.forward(packet, sequence, timestamp, begin, end, marker)
        if self.taps and self.format is not None:
            payload = packet[begin:end]
            for tap in self.taps:
                tap.take(self.format, self._source, sequence, timestamp, marker, payload)

    def begin_anew(self) -> None:
        """The line is back after silence: ask for nothing lost in it, but for a picture that needs none of it."""
        self._missing.clear()
        self._anew = True
        if self.subscribers or self.taps:
            self.ask_key()

    def _begin_source(self, ssrc: int, sequence: int, payload_format: PayloadFormat, *, with_key: bool) -> None:
        """A new stream: everything counted so far was about another. `with_key`: it begins as all wish it to."""
        self.ssrc, self.format = ssrc, payload_format
        self._source = object()
        self._highest = self._base = sequence
        self._cycles = self._received = self._expected_before = self._received_before = 0
        self._missing.clear()
        self.recent.forget()
        self.sender_report = None
        for subscriber in self.subscribers:
            subscriber.source_changed()
        if not with_key and (self._key_owed or self.subscribers):
            self.ask_key()
        self._key_owed = False

    def _count(self, sequence: int) -> None:
        """Follow the sequence numbers and notice what is missing (RFC 3550 A.1)."""
        step = ahead(sequence, self._highest)
        if step <= 0:
            self._missing.pop(sequence, None)
            return
        if sequence < self._highest:
            self._cycles += 1 << 16
        before, self._highest = self._highest, sequence
        anew, self._anew = self._anew, False
        if step > (1 if anew else JUMP_PACKETS):
            self._missing.clear()
            self.ask_key()
        elif step > 1 and self.kind == "video":
            lost = [(before + number) & 0xFFFF for number in range(1, step)]
            self._missing.update(dict.fromkeys(lost, time.monotonic()))
            self._send_nack(lost)
            if self._nack_timer is None:
                self._nack_timer = asyncio.get_running_loop().call_later(self._nack_pause_s(), self._repeat_nacks)

    # --- what we ask the page for ---

    def _nack_pause_s(self) -> float:
        """A little more than the quickest of the last repairs took: they tell the round trip."""
        shortest_s, longest_s = NACK_PAUSE_S
        return min(max(1.2 * min(self._repair_times_s, default=0.0), shortest_s), longest_s)

    def _repeat_nacks(self) -> None:
        """Ask again for what is still missing; for what never came ask a key picture instead."""
        self._nack_timer = None
        now_s = time.monotonic()
        patience_s = NACK_ROUNDS * self._nack_pause_s() if self._repair_times_s else NACK_FIRST_PATIENCE_S
        given_up = [number for number, since_s in self._missing.items() if now_s - since_s > patience_s]
        for number in given_up:
            del self._missing[number]
        if self._missing:
            self._send_nack(list(self._missing))
            self._nack_timer = asyncio.get_running_loop().call_later(self._nack_pause_s(), self._repeat_nacks)
        if given_up:
            self.ask_key()

    def _send_nack(self, lost: list[int]) -> None:
        """RFC 4585 §6.2.1."""
        packet = RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=self._rtcp_ssrc, media_ssrc=self.ssrc or 0)
        packet.lost = sorted(lost)
        self.port.link.send_rtcp(bytes(packet))

    def ask_key(self) -> None:
        """Ask for a key picture: at once, or when the pause after the last one is over, or when the stream begins."""
        if self.kind != "video":
            return
        if self.ssrc is None:
            self._key_owed = True
            return
        wait_s = self._key_asked_s + KEY_PAUSE_S - time.monotonic()
        if wait_s > 0:
            if self._key_timer is None:
                self._key_timer = asyncio.get_running_loop().call_later(wait_s, self._ask_key_late)
            return
        self._key_owed = False
        self._key_asked_s = time.monotonic()
        self.key_requests += 1
        packet = RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=self._rtcp_ssrc, media_ssrc=self.ssrc)
        self.port.link.send_rtcp(bytes(packet))

    def _keep_fresh(self, now_s: float) -> None:
        """Have a recent key picture at hand for whoever is attached next; once somebody looks, only wishes count."""
        if self.subscribers or self.taps or self.rate_bps <= 0:
            return
        shortest_s, longest_s = UNSEEN_KEY_PAUSE_S
        pause_s = max(shortest_s, 8 * self.recent.key_bytes / (UNSEEN_KEY_SHARE * self.rate_bps))
        if pause_s <= longest_s and now_s - self._key_asked_s >= pause_s:
            self.ask_key()

    def _ask_key_late(self) -> None:
        """The trailing request: the wish that fell into the pause must not be lost."""
        self._key_timer = None
        self.ask_key()

    def limit(self, subscriber: int, limit_bps: float | None) -> None:
        """Bound what the page may send for this subscriber's sake; None lifts its bound."""
        if limit_bps is None:
            self._limits.pop(subscriber, None)
        else:
            self._limits[subscriber] = limit_bps
        self._send_remb(time.monotonic())

    def _send_remb(self, now_s: float) -> None:
        """Tell the page the smallest bound; a change under 3 % waits for the next second."""
        if self.ssrc is None or self.kind != "video":
            return
        bound = min([CAP_BPS, *self._limits.values()])
        sent, sent_s = self._remb_sent
        if abs(bound - sent) < 0.03 * bound and now_s - sent_s < 1:
            return
        self._remb_sent = (bound, now_s)
        fci = pack_remb_fci(int(bound), [self.ssrc])
        packet = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=self._rtcp_ssrc, media_ssrc=0, fci=fci)
        self.port.link.send_rtcp(bytes(packet))

    # --- reports ---

    def on_sender_report(self, ntp: int, rtp_timestamp: int) -> None:
        """Remember the page's clock; subscribers get it re-based."""
        self.sender_report = (ntp, rtp_timestamp, time.monotonic())
        if self.format is not None:
            for tap in self.taps:
                tap.hear(self.format, self._source, ntp, rtp_timestamp)

    def report(self, now_s: float) -> None:
        """Send a receiver report when one is due, about once a second (RFC 3550 §6.4.2)."""
        self._keep_fresh(now_s)
        if self.ssrc is None or now_s < self._report_due_s:
            return
        self._report_due_s = now_s + 0.5 + random.random()  # noqa: S311 - spreads reports, hides nothing
        self.rate_bps = 8 * (self._bytes - self._bytes_before) / max(now_s - self._measured_s, 0.1)
        self._bytes_before, self._measured_s = self._bytes, now_s
        highest = self._cycles + self._highest
        expected = highest - self._base + 1
        expected_now = expected - self._expected_before
        received_now = self._received - self._received_before
        self._expected_before, self._received_before = expected, self._received
        lost_share = max(0, expected_now - received_now) * 256 // expected_now if expected_now > 0 else 0
        lsr = delay = 0
        if self.sender_report is not None:
            ntp, _, heard_s = self.sender_report
            lsr, delay = (ntp >> 16) & 0xFFFFFFFF, int((now_s - heard_s) * 65536)
        block = RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=min(lost_share, 255),
            packets_lost=clamp_packets_lost(expected - self._received),
            highest_sequence=highest & 0xFFFFFFFF,
            jitter=0,  # nobody reads it from us: the page's own limit comes by REMB
            lsr=lsr,
            dlsr=min(delay, 0xFFFFFFFF),
        )
        self.port.link.send_rtcp(bytes(RtcpRrPacket(ssrc=self._rtcp_ssrc, reports=[block])))
        self._send_remb(now_s)
