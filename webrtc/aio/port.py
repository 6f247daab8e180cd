"""One leg's door for media: hands decrypted packets to the right receiver and RTCP to whom it concerns."""

import asyncio
import struct
from collections.abc import Callable

from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from webrtc.aio.arrivals import ArrivalLog, Departure, DepartureLog
from webrtc.aio.compat import SecureLink
from webrtc.aio.receiver import PassReceiver
from webrtc.aio.sender import PassSender
from webrtc.rtp import parse_rtp
from webrtc.transport_cc import FMT as TRANSPORT_FEEDBACK
from webrtc.transport_cc import RTPFB, transport_number

# Between two ticks of the engine a lost page is called once more: it is answered 60 ms after its return on average.
CALL_AGAIN_S = 0.125
# What aiortc's parsers raise on packets that lie about their lengths (found by `counter media fuzz`).
_UNREADABLE = (ValueError, IndexError, struct.error)


class Port:
    """Demultiplexer of one DTLS transport: RTP by payload type (equal on all legs), RTCP by SSRC."""

    def __init__(self, dtls: RTCDtlsTransport):
        self.link = SecureLink(dtls, self._on_rtp, self._on_rtcp, self.begin_anew)
        self.packets = 0
        self.departures = DepartureLog(self._on_fates)
        self._arrivals: ArrivalLog | None = None
        self._receivers: dict[int, PassReceiver] = {}
        self._senders: dict[int, PassSender] = {}
        self._on_return: Callable[[], None] | None = None

    def add_receiver(self, receiver: PassReceiver, payload_types: list[int]) -> None:
        """From now on packets of these types go to this receiver."""
        self._receivers.update(dict.fromkeys(payload_types, receiver))

    def add_sender(self, sender: PassSender) -> None:
        """From now on reports and requests about this sender's SSRCs go to it."""
        self._senders[sender.ssrc] = sender
        self._senders[sender.rtx_ssrc] = sender

    def tell_arrivals(self, ssrc: int) -> None:
        """From now on the publisher hears when its numbered packets arrive; `ssrc` is who tells."""
        self._arrivals = ArrivalLog(self.link.send_rtcp, ssrc)

    def call_back(self, silent_s: float, on_return: Callable[[], None]) -> None:
        """The line is lost: ask the page whether it is there again, and tell with its first packet that it is."""
        self._on_return = on_return
        self.link.call_back(silent_s)
        asyncio.get_running_loop().call_later(CALL_AGAIN_S, self._call_again, silent_s)

    def _call_again(self, silent_s: float) -> None:
        if self._on_return is not None:
            self.link.call_back(silent_s)

    def begin_anew(self) -> None:
        """The line is another, or back after silence: what was known of it is worth nothing now."""
        self.link.call_back(0.0)
        if self._arrivals is not None:
            self._arrivals.forget()
        for sender in set(self._senders.values()):
            sender.begin_anew()

    def close(self) -> None:
        """Hand nothing to anybody any more."""
        self._on_return = None
        self._receivers.clear()
        self._senders.clear()
        if self._arrivals is not None:
            self._arrivals.stop()
            self._arrivals = None

    def _on_rtp(self, packet: bytes) -> None:
        """Route one decrypted RTP packet."""
        fields = parse_rtp(packet)
        if fields is None:
            return
        receiver = self._receivers.get(fields.payload_type)
        if receiver is not None:
            self.packets += 1
            if self._on_return is not None:
                on_return, self._on_return = self._on_return, None
                on_return()
            if receiver.transport_cc_id and self._arrivals is not None:
                number = transport_number(packet, receiver.transport_cc_id)
                if number is not None:
                    self._arrivals.note(number, fields.ssrc)
            receiver.take(packet, fields)

    def _on_rtcp(self, compound: bytes) -> None:
        """Route every packet of a decrypted RTCP compound; what cannot be parsed is nobody's."""
        if len(compound) > 1 and compound[1] == RTPFB and compound[0] & 0x1F == TRANSPORT_FEEDBACK:
            # browsers send these ten times a second and alone; aiortc would read them as an absurd NACK
            self.departures.on_feedback(compound)
            return
        try:
            packets = RtcpPacket.parse(compound)
        except _UNREADABLE:
            return
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                for receiver in set(self._receivers.values()):
                    if receiver.ssrc == packet.ssrc:
                        receiver.on_sender_report(packet.sender_info.ntp_timestamp, packet.sender_info.rtp_timestamp)
            elif isinstance(packet, RtcpRtpfbPacket):
                sender = self._senders.get(packet.media_ssrc)
                if sender is not None and packet.fmt == RTCP_RTPFB_NACK:
                    sender.retransmit(packet.lost)
            elif isinstance(packet, RtcpPsfbPacket):
                self._on_payload_feedback(packet)

    def _on_fates(self, fates: list[Departure]) -> None:
        """What became of the packets we sent concerns whoever sends video here."""
        for sender in set(self._senders.values()):
            sender.on_fates(fates)

    def _on_payload_feedback(self, packet: RtcpPsfbPacket) -> None:
        """PLI, FIR (its media SSRC is 0, RFC 5104 §4.3.1.2) and REMB."""
        if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            sender = self._senders.get(packet.media_ssrc)
            for concerned in (sender,) if sender is not None else set(self._senders.values()):
                concerned.on_key_wanted()
        elif packet.fmt == RTCP_PSFB_APP:
            try:
                bitrate, ssrcs = unpack_remb_fci(packet.fci)
            except _UNREADABLE:
                return
            for ssrc in ssrcs:
                sender = self._senders.get(ssrc)
                if sender is not None and ssrc == sender.ssrc:
                    sender.on_estimate(bitrate)
