"""Where Janus forwards a leg's packets to (SRTP over loopback), for recordings, watchers and the line's watch."""

import asyncio
import base64
import os
import struct
from typing import Any

import pylibsrtp

from webrtc.leg_engine import Tap
from webrtc.rtp import PayloadFormat, parse_rtp

# RFC 3711 §8.2: 128 bits of key and 112 of salt, in one piece for libsrtp and for Janus.
_KEY_BYTES = 30
# Key frames at 2.5 Mbit/s come as bursts of 100 KB, and the worker may be busy for a few milliseconds.
_SOCKET_BUFFER_BYTES = 1 << 20
_PLI = struct.Struct("!BBHLL")


class _Inlet(asyncio.DatagramProtocol):
    """One socket's callback."""

    def __init__(self, forward: "Forward", kind: PayloadFormat):
        self._forward = forward
        self._kind = kind

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Called by the loop for every packet."""
        self._forward.take(self._kind, data)


class Forward:
    """A sound and a picture socket of one leg. Nobody but Janus has the key, so whatever else arrives is dropped."""

    def __init__(self) -> None:
        self._key = os.urandom(_KEY_BYTES)
        policy = pylibsrtp.Policy(
            key=self._key,
            ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND,
            srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
        )
        self._session = pylibsrtp.Session(policy=policy)
        self._transports: dict[str, asyncio.DatagramTransport] = {}
        self._sources: dict[str, tuple[int, object]] = {}
        self._janus_rtcp: tuple[str, int] | None = None
        self.packets = 0
        self.taps: list[Tap] = []

    @property
    def key_base64(self) -> str:
        """The key as `rtp_forward` wants it (`srtp_crypto`, suite 80)."""
        return base64.b64encode(self._key).decode()

    async def open(self, kinds: tuple[PayloadFormat, ...]) -> dict[str, int]:
        """A port for each kind."""
        ports: dict[str, int] = {}
        for kind in kinds:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda kind=kind: _Inlet(self, kind),  # type: ignore[misc]
                local_addr=("127.0.0.1", 0),
            )
            socket = transport.get_extra_info("socket")
            socket.setsockopt(1, 8, _SOCKET_BUFFER_BYTES)  # SOL_SOCKET, SO_RCVBUF
            ports[kind.codec] = transport.get_extra_info("sockname")[1]
            self._transports[kind.codec] = transport
        return ports

    def janus_listens(self, rtcp_port: int) -> None:
        """Where Janus takes our requests for key pictures."""
        self._janus_rtcp = ("127.0.0.1", rtcp_port)

    def take(self, kind: PayloadFormat, datagram: bytes) -> None:
        """Decrypt one packet and hand it to the taps. This runs ~150 times a second per leg: keep it flat."""
        if len(datagram) < 12 or 192 <= datagram[1] < 224:
            return
        try:
            packet = self._session.unprotect(datagram)
        except pylibsrtp.Error:
            return
        fields = parse_rtp(packet)
        if fields is None:
            return
        self.packets += 1
        if self.taps:
            ssrc, source = self._sources.get(kind.codec, (-1, None))
            if ssrc != fields.ssrc:
                source = object()
                self._sources[kind.codec] = fields.ssrc, source
            payload = packet[fields.begin : fields.end]
            for tap in self.taps:
                tap.take(kind, source, fields.sequence, fields.timestamp, fields.marker, payload)

    def ask_key(self) -> None:
        """Ask Janus, which asks the page: a PLI (RFC 4585 §6.3.1)."""
        video = next((transport for codec, transport in self._transports.items() if codec != "opus"), None)
        if video is not None and self._janus_rtcp is not None and not video.is_closing():
            video.sendto(_PLI.pack(0x81, 206, 2, 1, 0), self._janus_rtcp)

    def close(self) -> None:
        """Close the sockets."""
        self.taps.clear()
        for transport in self._transports.values():
            transport.close()
