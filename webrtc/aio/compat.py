"""Every private name of aiortc 1.16 and aioice 0.13 we lean on, in one place.

aiortc has no public way to pass packets through (its issues 627, 984, 1176). On an upgrade of either library this file
is the one to touch; `check_private_names` and `selfcheck.echo_call` say at start whether it still holds.
"""

import contextlib
import secrets
import struct
import time
from collections.abc import Callable
from typing import Any

import aioice.ice
import aioice.stun
import pylibsrtp
from aiortc import RTCPeerConnection, RTCRtpTransceiver
from aiortc.codecs import CODECS, HEADER_EXTENSIONS, is_rtx
from aiortc.rtcdtlstransport import RTCDtlsTransport, State
from aiortc.rtcicetransport import RTCIceTransport
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
)

from webrtc.errors import BadDescriptionError, EngineUnfitError
from webrtc.transport_cc import URI as TRANSPORT_CC

# RFC 7983 §7: first byte 128..191 is RTP or RTCP; RFC 5761 §4: RTCP has its type 192..223 in the second.
_MEDIA_FIRST = range(128, 192)
_RTCP_SECOND = range(192, 224)
# A check that gets no answer is repeated by aioice itself after 0.5 s; no need to begin another before.
FOLLOW_PAUSE_S = 0.3

# A page that is silent for longer has gone; aioice asks every 5 s and would end the connection after six refusals.
AWAY_S = 90.0
# RFC 7675 §5.1: nothing but checks goes to an address that has not consented for so long.
CONSENT_S = 30.0

_PRIVATE_NAMES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (RTCRtpTransceiver, ("_setCurrentDirection", "_set_mid", "setCodecPreferences")),
    (RTCDtlsTransport, ("_setup_srtp", "_recv_next", "_handle_rtp_data", "_handle_rtcp_data")),
    (RTCIceTransport, ("_monitor",)),
    (aioice.ice.Connection, ("data_received", "request_received", "query_consent", "check_incoming", "build_request")),
    (aioice.ice.StunProtocol, ("datagram_received", "connection_made", "send_stun")),
)

_stun_datagram_received: Callable[..., None] = aioice.ice.StunProtocol.datagram_received


def check_private_names() -> None:
    """Raise `EngineUnfitError` naming the first thing that is no longer where we reach for it."""
    for owner, names in _PRIVATE_NAMES:
        for name in names:
            if not hasattr(owner, name):
                raise EngineUnfitError(f"{owner.__module__}.{owner.__name__} has no {name}: check the pinned version")


def install_first_byte_demultiplexer() -> None:
    """Keep media away from aioice's STUN parser.

    The parser takes any datagram whose bytes 2-3 equal its length minus 20, without looking for the magic cookie: one
    RTP packet in 65536 would be eaten. Asking the first byte (RFC 7983) also saves an exception per packet.
    """

    def datagram_received(self: Any, datagram: bytes, address: tuple[Any, ...]) -> None:
        if datagram and datagram[0] in _MEDIA_FIRST:
            pair = self.receiver._nominated.get(1)
            elsewhere = pair is not None and (address[0], address[1]) != pair.remote_addr
            self.receiver.media_from = (self, (address[0], address[1])) if elsewhere else None
            self.receiver.data_received(datagram, self.local_candidate.component)
        else:
            # aioice trusts the lengths of attributes, and anybody may send them (found by `counter media fuzz`)
            with contextlib.suppress(struct.error, LookupError):
                _stun_datagram_received(self, datagram, address)

    aioice.ice.StunProtocol.datagram_received = datagram_received


def stay_for_the_page() -> None:
    """Keep a connection whose page is silent for `AWAY_S`: aioice's 30 s are shorter than a lift or a tunnel.

    Chromium forgets a way after 30 s of silence but not its connection: a check of ours makes it begin anew.
    """
    if not hasattr(aioice.ice, "CONSENT_FAILURES") or not hasattr(aioice.ice, "CONSENT_INTERVAL"):
        raise EngineUnfitError("aioice.ice has no CONSENT_FAILURES: check the pinned version")
    vars(aioice.ice)["CONSENT_FAILURES"] = int(AWAY_S / aioice.ice.CONSENT_INTERVAL)


def negotiate_transport_cc() -> None:
    """Offer transport-wide congestion control for video in aiortc's tables, which know only REMB.

    The identifier must be one no extension of either kind has: they share a bundle.
    """
    extensions = HEADER_EXTENSIONS["video"]
    if all(extension.uri != TRANSPORT_CC for extension in extensions):
        taken = {extension.id for kind in HEADER_EXTENSIONS.values() for extension in kind}
        extensions.append(RTCRtpHeaderExtensionParameters(id=max(taken) + 1, uri=TRANSPORT_CC))
    feedback = RTCRtcpFeedback(type="transport-cc")
    for codec in CODECS["video"]:
        if not is_rtx(codec) and feedback not in codec.rtcpFeedback:
            codec.rtcpFeedback.append(feedback)


def _ice_connections(connection: RTCPeerConnection) -> list[Any]:
    """aioice's side of a connection; one, because everything is bundled."""
    transports = {transceiver.receiver.transport.transport for transceiver in connection.getTransceivers()}
    return [transport._connection for transport in transports]


def renew_ice(connection: RTCPeerConnection) -> None:
    """Give the next offer new ICE credentials, which tells the page to look for a way again.

    aiortc knows no ICE restart: it would repeat its first credentials for ever. Media keep flowing over the old pair
    until a check over another succeeds; as the controlling side we nominate with every check.
    """
    for ice in _ice_connections(connection):
        ice._local_username, ice._local_password = secrets.token_hex(2), secrets.token_hex(11)
        for pair in ice._check_list:  # a pair that succeeded before would not be checked, so not nominated, again
            pair.state = aioice.ice.CandidatePair.State.FROZEN


def follow_remote_ice(connection: RTCPeerConnection) -> None:
    """Take the page's present ICE credentials; aiortc reads those of the first answer only.

    Raise `BadDescriptionError` for those RFC 8839 §5.4 does not allow: too long for a check, they would end the tick
    of the engine, which carries others' calls too.
    """
    remote = list(vars(connection)["_RTCPeerConnection__remoteIce"].values())
    for ice in _ice_connections(connection):
        if remote and ice.remote_username is not None:  # else aiortc is about to set them itself
            if ice.remote_username == remote[0].usernameFragment:
                continue
            try:
                aioice.ice.validate_username(remote[0].usernameFragment)
                aioice.ice.validate_password(remote[0].password)
            except ValueError as error:
                raise BadDescriptionError("the answer's ICE credentials cannot be used") from error
            ice.remote_username, ice.remote_password = remote[0].usernameFragment, remote[0].password
            for pair in ice._check_list:  # checks begun before carry credentials the page no longer knows
                if pair.task is not None:
                    pair.task.cancel()
                    pair.task = None
                ice.check_start_task(pair)


def _check_nominated(ice: Any) -> None:
    """Ask the page over the nominated pair once more, if there is one; nobody waits for its answer."""
    pair = ice._nominated.get(1)
    if pair is None or ice.remote_password is None:
        return
    check = ice.build_request(pair, nominate=ice.ice_controlling)
    check.add_message_integrity(ice.remote_password.encode())
    pair.protocol.send_stun(check, pair.remote_addr)


def nominate_again(connection: RTCPeerConnection) -> None:
    """Repeat the nomination to a page that does not begin its handshake.

    A Linux router that maps ports gives our first check another one when the page's own check crosses it: the page was
    then nominated a pair that leads nowhere, and aioice says it only once.
    """
    for ice in _ice_connections(connection):
        _check_nominated(ice)


def swap_transceiver(transceiver: RTCRtpTransceiver, sender: object, receiver: object) -> None:
    """Put our sender and receiver into a fresh transceiver, in place of aiortc's decoding ones."""
    for name in ("_RTCRtpTransceiver__sender", "_RTCRtpTransceiver__receiver"):
        if not hasattr(transceiver, name):
            raise EngineUnfitError(f"RTCRtpTransceiver has no {name}: check the pinned version")
    vars(transceiver)["_RTCRtpTransceiver__sender"] = sender
    vars(transceiver)["_RTCRtpTransceiver__receiver"] = receiver


def payload_type_of(codec: RTCRtpCodecParameters) -> int:
    """The payload type of a negotiated codec, which always has one."""
    if codec.payloadType is None:
        raise BadDescriptionError(f"{codec.mimeType} was negotiated without a payload type")
    return codec.payloadType


def stream_id(transceiver: RTCRtpTransceiver) -> str:
    """The media stream name aiortc gave the connection: sound and picture of one leg share it."""
    return transceiver.sender._stream_id


class SecureLink:
    """One DTLS transport seen as what it is to us: a place to put media and a place it comes from, without queues."""

    def __init__(
        self,
        dtls: RTCDtlsTransport,
        on_rtp: Callable[[bytes], None],
        on_rtcp: Callable[[bytes], None],
        on_new_way: Callable[[], None],
    ):
        self._dtls = dtls
        self._on_new_way = on_new_way
        self._pair: Any = None
        self._address: tuple[str, int] | None = None  # of the pair; aioice puts it together at each asking
        self._followed_s = 0.0
        self._consented = True
        self._on_rtp = on_rtp
        self._on_rtcp = on_rtcp
        self._ice: Any = dtls.transport._connection
        self._ice.media_from = None
        self._stock_data_received: Callable[[bytes, int], None] = self._ice.data_received
        self._ice.data_received = self._data_received

    @property
    def connected(self) -> bool:
        """Whether what we send now is encrypted and leaves."""
        return self._dtls._state is State.CONNECTED

    def _data_received(self, datagram: bytes, component: int) -> None:
        """Take media in the very callback of the socket; DTLS goes aiortc's way (1.3 x the CPU, but only at set-up)."""
        if datagram[0] not in _MEDIA_FIRST:
            self._stock_data_received(datagram, component)
            return
        session: pylibsrtp.Session | None = self._dtls._rx_srtp  # None until the handshake is done
        if session is None or len(datagram) < 2:  # media can overtake the last flight of the handshake
            return
        try:
            if datagram[1] in _RTCP_SECOND:
                self._on_rtcp(session.unprotect_rtcp(datagram))
            else:
                self._on_rtp(session.unprotect(datagram))
        except pylibsrtp.Error:  # replayed, forged or truncated: not for us
            return
        if self._ice.media_from is not None:
            self._follow(*self._ice.media_from)

    def _follow(self, protocol: Any, address: tuple[str, int]) -> None:
        """Authentic media come from elsewhere, by a router that forgot or another network: check that way at once.

        As a check from there would make us do (RFC 8445 §7.3.1.4). Only the page can answer it, and a replayed packet
        does not get here, so nobody can pull the line to himself.
        """
        now_s = time.monotonic()
        if now_s - self._followed_s < FOLLOW_PAUSE_S:
            return
        self._followed_s = now_s
        for pair in self._ice._check_list:
            if pair.remote_addr == address and pair.task is None:
                pair.state = aioice.ice.CandidatePair.State.FROZEN  # else a way used before would not be checked again
        check = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
        check.attributes["PRIORITY"] = aioice.ice.candidate_priority(1, "prflx")
        self._ice.check_incoming(check, address, protocol)

    def call_back(self, silent_s: float) -> None:
        """Ask a silent page whether it is there again: its own checks and its media are the answer.

        Called while the line is lost, and once more with 0 when it is back.
        """
        self._consented = silent_s < CONSENT_S
        if silent_s > 0:
            _check_nominated(self._ice)

    def send_rtp(self, packet: bytes) -> None:
        """Encrypt and send one RTP packet now, or drop it while the line is not up."""
        if self._dtls._state is State.CONNECTED:
            self._send(self._dtls._tx_srtp.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send one compound RTCP packet now, or drop it while the line is not up."""
        if self._dtls._state is State.CONNECTED:
            self._send(self._dtls._tx_srtp.protect_rtcp(packet))

    def _send(self, datagram: bytes) -> None:
        """Out through the pair ICE nominated for component 1 (RTCP is multiplexed)."""
        pair = self._ice._nominated.get(1)
        if pair is not self._pair:
            had_another, self._pair = self._pair is not None, pair
            self._address = None if pair is None else pair.remote_addr
            if had_another:
                self._on_new_way()
        if pair is not None and self._consented:
            pair.protocol.transport.sendto(datagram, self._address)
