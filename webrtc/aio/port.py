"""One leg's door for media: hands decrypted packets to the right receiver and RTCP to whom it concerns."""

from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from webrtc.aio.compat import SecureLink
from webrtc.aio.receiver import PassReceiver
from webrtc.aio.sender import PassSender
from webrtc.rtp import parse_rtp


class Port:
    """Demultiplexer of one DTLS transport: RTP by payload type (equal on all legs), RTCP by SSRC."""

    def __init__(self, dtls: RTCDtlsTransport):
        self.link = SecureLink(dtls, self._on_rtp, self._on_rtcp)
        self.packets = 0
        self._receivers: dict[int, PassReceiver] = {}
        self._senders: dict[int, PassSender] = {}

    def add_receiver(self, receiver: PassReceiver, payload_types: list[int]) -> None:
        """From now on packets of these types go to this receiver."""
        self._receivers.update(dict.fromkeys(payload_types, receiver))

    def add_sender(self, sender: PassSender) -> None:
        """From now on reports and requests about this sender's SSRCs go to it."""
        self._senders[sender.ssrc] = sender
        self._senders[sender.rtx_ssrc] = sender

    def close(self) -> None:
        """Hand nothing to anybody any more."""
        self._receivers.clear()
        self._senders.clear()

    def _on_rtp(self, packet: bytes) -> None:
        """Route one decrypted RTP packet."""
        fields = parse_rtp(packet)
        if fields is None:
            return
        receiver = self._receivers.get(fields.payload_type)
        if receiver is not None:
            self.packets += 1
            receiver.take(packet, fields)

    def _on_rtcp(self, compound: bytes) -> None:
        """Route every packet of a decrypted RTCP compound; what cannot be parsed is nobody's."""
        try:
            packets = RtcpPacket.parse(compound)
        except (ValueError, IndexError):
            return
        for packet in packets:
            if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
                for report in packet.reports:
                    sender = self._senders.get(report.ssrc)
                    if sender is not None and report.ssrc == sender.ssrc:
                        sender.on_loss_report(report.fraction_lost / 256)
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

    def _on_payload_feedback(self, packet: RtcpPsfbPacket) -> None:
        """PLI, FIR (its media SSRC is 0, RFC 5104 §4.3.1.2) and REMB."""
        if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            sender = self._senders.get(packet.media_ssrc)
            for concerned in (sender,) if sender is not None else set(self._senders.values()):
                concerned.on_key_wanted()
        elif packet.fmt == RTCP_PSFB_APP:
            try:
                bitrate, ssrcs = unpack_remb_fci(packet.fci)
            except (ValueError, IndexError):
                return
            for ssrc in ssrcs:
                sender = self._senders.get(ssrc)
                if sender is not None and ssrc == sender.ssrc:
                    sender.on_estimate(bitrate)
