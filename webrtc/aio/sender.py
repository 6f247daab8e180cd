"""What we send to a leg: another leg's packets under numbers of our own, continuous over every change of source."""

import random
import struct
import time
import uuid
from typing import TYPE_CHECKING

from aiortc.codecs import is_rtx
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtp import RtcpSdesPacket, RtcpSenderInfo, RtcpSourceInfo, RtcpSrPacket
from aiortc.stats import RTCStatsReport

from webrtc.aio.arrivals import Departure
from webrtc.aio.compat import payload_type_of
from webrtc.aio.rate import ViewerLimit
from webrtc.aio.receiver import PassReceiver
from webrtc.aio.recent import picture_places
from webrtc.rtp import FORMATS, KEY_AGAIN_S, PayloadFormat, ahead
from webrtc.transport_cc import URI as TRANSPORT_CC

if TYPE_CHECKING:
    from webrtc.aio.port import Port

# Packets kept for repair: 512 is over two seconds of 2 Mbit/s video. A power of two, for the ring.
HISTORY = 512
# A repair from before the first packet of a source would collide with numbers already used; they come within 1000.
STRAGGLERS = 1000
# A viewer asks again about once a round trip; on a full line the first repair is still in the queue (100 ms is common).
REPAIR_AGAIN_S = 0.1
# Repairs come after fresh packets: on a full line more of them only lengthen the queue they were lost in. What the line
# carries in a quarter of a second may be saved up, twice that overspent by pictures.
CREDIT_S = 0.25
# A newcomer gets the pictures since the last key picture in one burst; a line that would be full with it for longer is
# better served by a key picture of its own.
BURST_MAX_S = 0.4
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
_PLAIN = struct.Struct("!BBHLL")
# RFC 8285 §4.2: one extension of 3 bytes, or of 2 and padding, fills exactly one word after the 0xBEDE header.
_WITH_EXTENSION = struct.Struct("!BBHLLHHL")
_TRANSPORT_NUMBER_AT = 17
_CNAME_ITEM = 1  # RFC 3550 §6.5.1


def _random_bits(bits: int) -> int:
    """A starting number nobody else has; not a secret."""
    return random.getrandbits(bits)


class PassSender:
    """Stands where aiortc expects an RTCRtpSender, without track or encoder."""

    def __init__(self, kind: str, transport: RTCDtlsTransport, port: "Port", stream_id: str):
        self.kind = kind
        self.transport = transport
        self.port = port
        self.ssrc = _random_bits(32)
        self.rtx_ssrc = _random_bits(32)
        self.source: PassReceiver | None = None
        self.started = False
        # names aiortc itself reads or writes
        self.track: MediaStreamTrack | None = None
        self._ssrc = self.ssrc
        self._rtx_ssrc = self.rtx_ssrc
        self._stream_id = stream_id
        self._track_id = str(uuid.uuid4())
        self._enabled = True

        self._format: PayloadFormat | None = None
        self._payload_type = self._clock_hz = self._abs_send_time_id = self._transport_cc_id = 0
        self._rtx_payload_type: int | None = None
        self._cname = b""
        self._sequence_shift = self._timestamp_shift = 0
        self._sequence = _random_bits(15)
        self._timestamp = _random_bits(31)
        self._sent_s = 0.0
        self._rebase = True
        self._first_of_source = 0
        self._stragglers_until = 0
        self._waits_for_key = kind == "video"
        self._key_asked_s = 0.0
        self._history: list[tuple[int, bytes, int] | None] = [None] * HISTORY
        self._rtx_sequence = _random_bits(15)
        self._packets = self._octets = 0
        self._limit = ViewerLimit()
        self._repaired_s: dict[int, float] = {}
        self._credit_bytes = 0.0
        self._credit_s = 0.0
        self._report_due_s = 0.0

    # --- what aiortc calls ---

    async def getStats(self) -> RTCStatsReport:  # noqa: N802 - aiortc's name
        """Nothing: figures of ours come from the leg."""
        return RTCStatsReport()

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Called when DTLS is up: learn how packets must look, and only now ask the source for a key picture.

        Asked earlier, the answer would arrive before anybody can see it and the pause would swallow the useful
        request (411 ms to the first picture instead of 117-150).
        """
        if self.started:
            return
        codec = parameters.codecs[0]
        self._format = FORMATS[codec.name.lower()]
        self._payload_type, self._clock_hz = payload_type_of(codec), codec.clockRate
        for other in parameters.codecs:
            if is_rtx(other) and other.parameters["apt"] == codec.payloadType:
                self._rtx_payload_type = other.payloadType
        for extension in parameters.headerExtensions:
            if extension.uri == ABS_SEND_TIME and self.kind == "video":
                self._abs_send_time_id = extension.id
            elif extension.uri == TRANSPORT_CC and self.kind == "video":
                self._transport_cc_id = extension.id
        self._cname = (parameters.rtcp.cname or "").encode()
        self.port.add_sender(self)
        self.started = True
        self._show_now()

    async def stop(self) -> None:
        """Leave the source."""
        self.detach()
        self.started = False

    # --- who is shown ---

    def attach(self, source: PassReceiver) -> None:
        """Forward this receiver from its next key picture on."""
        if self.source is source:
            return
        self.detach()
        self.source = source
        source.subscribers.append(self)
        self.source_changed()
        if self.started:
            self._show_now()

    def detach(self) -> None:
        """Forward nothing."""
        if self.source is not None:
            self.source.subscribers.remove(self)
            self.source.limit(id(self), None)
        self.source = None

    def source_changed(self) -> None:
        """Another stream comes: number it on from the last packet, and begin with a key picture."""
        self._rebase = True
        self._waits_for_key = self.kind == "video"
        self._key_asked_s = time.monotonic()

    def _ask_key(self) -> None:
        """Ask the source for a key picture, and remember when."""
        self._key_asked_s = time.monotonic()
        if self.source is not None:
            self.source.ask_key()

    def _show_now(self) -> None:
        """Show what the source showed last, from its last key picture on; without one, ask for it.

        The pictures in between take their turns a millisecond apart, so that the viewer is not behind by their age.
        """
        recent = self.source.recent.whole() if self.source is not None and self.kind == "video" else []
        burst_s = 8 * sum(kept.end - kept.begin for kept in recent) / self._limit.line_bps
        if not recent or burst_s > BURST_MAX_S:
            self._ask_key()
            return
        places = picture_places(recent)
        passed = int((time.monotonic() - self._sent_s) * self._clock_hz) if self._sent_s else 0
        step = self._clock_hz // 1000
        newest = self._timestamp + max(passed, len(places) * step + 1)
        self._begin_at(recent[0].sequence, 0)
        for packet, sequence, timestamp, begin, end, marker in recent:
            self._timestamp_shift = newest - (len(places) - 1 - places[timestamp]) * step - timestamp
            self.forward(packet, sequence, timestamp, begin, end, marker)

    def _begin_at(self, sequence: int, timestamp_shift: int) -> None:
        """Number a source on from the last packet sent, beginning with this one of its."""
        self._rebase = False
        self._first_of_source = sequence
        self._stragglers_until = self._packets + STRAGGLERS
        self._sequence_shift = (self._sequence + 1 - sequence) & 0xFFFF
        self._timestamp_shift = timestamp_shift

    # --- packets ---

    def forward(self, packet: bytes, sequence: int, timestamp: int, begin: int, end: int, marker: int) -> None:
        """Send one packet of the source under our numbers. This runs ~300 times a second per call: keep it flat."""
        if not self.started or not self._enabled or self._format is None:
            return
        now_s = time.monotonic()
        if self._waits_for_key:
            if not self._format.begins_key(packet[begin:end], 0):
                if now_s - self._key_asked_s > KEY_AGAIN_S:
                    self._ask_key()
                return
            self._waits_for_key = False
        if self._rebase:
            passed = int((now_s - self._sent_s) * self._clock_hz) if self._sent_s else 0
            self._begin_at(sequence, self._timestamp + max(passed, 1) - timestamp)
        if self._packets < self._stragglers_until and ahead(sequence, self._first_of_source) < 0:
            return
        sequence = (sequence + self._sequence_shift) & 0xFFFF
        timestamp = (timestamp + self._timestamp_shift) & 0xFFFFFFFF
        mark = marker << 7 | self._payload_type
        if self._transport_cc_id:
            number = self.port.departures.number(end - begin + _WITH_EXTENSION.size, now_s)
            extension = (self._transport_cc_id << 4 | 1) << 24 | number << 8
            header = _WITH_EXTENSION.pack(0x90, mark, sequence, timestamp, self.ssrc, 0xBEDE, 1, extension)
        elif self._abs_send_time_id:  # 24 bits, 6.18 fixed point seconds; the estimator wants our sending time
            sent_at = int((time.time() % 64) * 262144) & 0xFFFFFF
            extension = (self._abs_send_time_id << 4 | 2) << 24 | sent_at
            header = _WITH_EXTENSION.pack(0x90, mark, sequence, timestamp, self.ssrc, 0xBEDE, 1, extension)
        else:
            header = _PLAIN.pack(0x80, mark, sequence, timestamp, self.ssrc)
        out = header + packet[begin:end]
        if self._rtx_payload_type is not None:
            self._history[sequence & (HISTORY - 1)] = (sequence, out, len(header))
        if ahead(sequence, self._sequence) > 0:
            self._sequence, self._timestamp, self._sent_s = sequence, timestamp, now_s
        self._packets += 1
        self._octets += end - begin
        self._credit_bytes -= end - begin
        self.port.link.send_rtp(out)

    def retransmit(self, lost: list[int]) -> None:
        """Send again what the viewer misses and we still have, as RFC 4588 packets."""
        if self._rtx_payload_type is None:
            return
        now_s = time.monotonic()
        bound_bps = self._limit.line_bps
        earned = bound_bps / 8 * (now_s - self._credit_s) + self._credit_bytes
        saving = bound_bps / 8 * CREDIT_S
        self._credit_bytes = max(-2 * saving, min(earned, saving))
        again_s = REPAIR_AGAIN_S if self._limit.limit_bps is not None else 0.0
        self._credit_s = now_s
        for number in lost:
            if self._credit_bytes < 0:
                return
            if now_s - self._repaired_s.get(number, 0.0) < again_s:
                continue
            kept = self._history[number & (HISTORY - 1)]
            if kept is None or kept[0] != number:
                continue
            _, packet, header_length = kept
            header = bytearray(packet[:header_length])
            header[1] = (packet[1] & 0x80) | self._rtx_payload_type
            struct.pack_into("!H", header, 2, self._rtx_sequence)
            struct.pack_into("!L", header, 8, self.rtx_ssrc)
            if self._transport_cc_id:
                number_again = self.port.departures.number(len(packet) + 2, time.monotonic())
                struct.pack_into("!H", header, _TRANSPORT_NUMBER_AT, number_again)
            self._credit_bytes -= len(packet)
            self._repaired_s[number] = now_s
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            self.port.link.send_rtp(bytes(header) + struct.pack("!H", number) + packet[header_length:])

    def begin_anew(self) -> None:
        """The viewer has another line: judge it afresh, and show the whole picture again."""
        self._limit = ViewerLimit()
        if self.source is not None and self.kind == "video":
            self.source.limit(id(self), None)
            self._ask_key()

    # --- what the viewer tells us ---

    def on_key_wanted(self) -> None:
        """The viewer's decoder needs a key picture."""
        self._ask_key()

    def on_estimate(self, bitrate_bps: int) -> None:
        """The REMB of a viewer that tells no arrivals."""
        if self.source is not None and self.kind == "video" and not self._transport_cc_id:
            limit_bps = self._limit.estimated(bitrate_bps, self.source.rate_bps, time.monotonic())
            self.source.limit(id(self), limit_bps)

    def on_fates(self, fates: list[Departure]) -> None:
        """What became of our packets: pass the viewer's need on to the publisher."""
        if self.source is not None and self._transport_cc_id:
            self.source.limit(id(self), self._limit.heard(fates, time.monotonic()))

    def report(self, now_s: float) -> None:
        """Send the source's sender report on our time line when due: this is what keeps lips and sound together."""
        if len(self._repaired_s) > HISTORY:
            self._repaired_s = {
                number: at_s for number, at_s in self._repaired_s.items() if now_s - at_s < REPAIR_AGAIN_S
            }
        if now_s < self._report_due_s or not self._packets or self.source is None or self.source.sender_report is None:
            return
        self._report_due_s = now_s + 0.5 + _random_bits(10) / 1024
        ntp, rtp_timestamp, heard_s = self.source.sender_report
        passed_s = now_s - heard_s
        report = RtcpSrPacket(
            ssrc=self.ssrc,
            sender_info=RtcpSenderInfo(
                ntp_timestamp=(ntp + int(passed_s * (1 << 32))) & 0xFFFFFFFFFFFFFFFF,
                rtp_timestamp=(rtp_timestamp + self._timestamp_shift + int(passed_s * self._clock_hz)) & 0xFFFFFFFF,
                packet_count=self._packets & 0xFFFFFFFF,
                octet_count=self._octets & 0xFFFFFFFF,
            ),
        )
        names = RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=self.ssrc, items=[(_CNAME_ITEM, self._cname)])])
        self.port.link.send_rtcp(bytes(report) + bytes(names))
