"""One participant's connection: offer, answer, candidates, and the four ends of its sound and picture."""

import asyncio
import struct
import time
from collections.abc import Callable

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InternalError, InvalidAccessError, InvalidStateError, OperationError
from aiortc.sdp import candidate_from_sdp

from webrtc.aio.compat import (
    follow_remote_ice,
    new_peer_connection,
    preferred_codecs,
    renew_ice,
    stream_id,
    swap_transceiver,
)
from webrtc.aio.port import Port
from webrtc.aio.receiver import PassReceiver
from webrtc.aio.sender import PassSender
from webrtc.engine import LegClosed, LegConnected, LineBack, LineLost, MediaEvent
from webrtc.errors import BadDescriptionError
from webrtc.leg_engine import Tap

# One codec per deployment, because both legs must agree: VP8 is in every browser since Safari 12.1.
CODECS = {"audio": "opus", "video": "VP8"}
# Chromium sends sound 50 times a second without pause; 1.5 s is beyond any jitter (issue 2, research/media.md §1).
SILENCE_S = 1.5
# ICE gives up after 39.5 s (RFC 8445 §14.3 with 7 requests); a page that has not connected by 30 s has gone.
CONNECT_PATIENCE_S = 30.0
# What aiortc raises on a description it cannot use: its own errors, and plain ones from inside its parser.
_DESCRIPTION_ERRORS = (
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,  # a StopIteration inside its parser
    OSError,
    struct.error,
    InternalError,
    InvalidAccessError,
    InvalidStateError,
    OperationError,
)


def without_unreachable_candidates(sdp: str) -> str:
    """The answer without `.local` candidates and without the end mark.

    Resolving mDNS names takes multicast that a counter's network rarely carries; the page's checks tell its address
    anyway (peer-reflexive, RFC 8445 §7.3.1.3). An end mark would let ICE fail before they arrive.
    """
    kept = [line for line in sdp.splitlines() if not (line.startswith("a=candidate:") and ".local " in line)]
    return "\r\n".join(line for line in kept if line != "a=end-of-candidates") + "\r\n"


class Leg:
    """A leg and what it told about its line so far."""

    def __init__(self, leg_id: str, room: str, role: str, tell: Callable[[MediaEvent], None]):
        self.leg_id = leg_id
        self.room = room
        self.role = role
        self.connected = False
        self._tell = tell
        self._closed = False
        self._lost = False
        self._answered_s: float | None = None
        self._early_candidates: list[tuple[str, str | None, int | None]] = []
        self._packets_seen = 0
        self._heard_s = 0.0
        self._connection: RTCPeerConnection = new_peer_connection()
        self.senders: dict[str, PassSender] = {}
        self.receivers: dict[str, PassReceiver] = {}
        self._port: Port | None = None
        for kind, codec in CODECS.items():
            transceiver = self._connection.addTransceiver(kind, "sendrecv")
            transceiver.setCodecPreferences(preferred_codecs(kind, codec))
            transport = transceiver.receiver.transport
            if self._port is None:  # everything is bundled: one transport, one port
                self._port = Port(transport)
            sender = PassSender(kind, transport, self._port, stream_id(transceiver))
            receiver = PassReceiver(kind, transport, self._port, sender.ssrc)
            swap_transceiver(transceiver, sender, receiver)
            self.senders[kind], self.receivers[kind] = sender, receiver
        self._connection.on("connectionstatechange", self._on_state)

    # --- how it comes about ---

    async def offer(self) -> str:
        """The session description with all our candidates in it."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def restart(self) -> str:
        """A new offer on the same connection, with new ICE credentials (RFC 8445 §9)."""
        if self._answered_s is None:
            raise BadDescriptionError("the first offer has not been answered")
        if self._connection.signalingState == "stable":
            renew_ice(self._connection)
        else:  # the page asks again: the offer before was never answered, and is as good
            return self._connection.localDescription.sdp
        return await self.offer()

    async def accept(self, sdp: str) -> None:
        """Apply the answer, then the candidates that came before it; raise `BadDescriptionError`."""
        description = RTCSessionDescription(sdp=without_unreachable_candidates(sdp), type="answer")
        try:
            await self._connection.setRemoteDescription(description)
        except _DESCRIPTION_ERRORS as error:
            raise BadDescriptionError(f"the answer cannot be used: {type(error).__name__}") from error
        follow_remote_ice(self._connection)
        self._answered_s = time.monotonic()
        early, self._early_candidates = self._early_candidates, []
        for candidate, sdp_mid, sdp_mline_index in early:
            await self.add_candidate(candidate, sdp_mid, sdp_mline_index)

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_mline_index: int | None) -> None:
        """Apply a trickled candidate; raise `BadDescriptionError`."""
        if not candidate or ".local " in candidate:
            return
        if self._answered_s is None:
            if len(self._early_candidates) < 64:  # browsers send about ten
                self._early_candidates.append((candidate, sdp_mid, sdp_mline_index))
            return
        try:
            parsed = candidate_from_sdp(candidate.removeprefix("candidate:"))
            parsed.sdpMid, parsed.sdpMLineIndex = sdp_mid, sdp_mline_index
            await self._connection.addIceCandidate(parsed)
        except _DESCRIPTION_ERRORS as error:
            raise BadDescriptionError(f"the candidate cannot be used: {type(error).__name__}") from error

    def _on_state(self) -> None:
        """aiortc's state changed: `connected` once, then `failed` or `closed` for good (it knows no `disconnected`)."""
        state = self._connection.connectionState
        if state == "connected" and not self.connected:
            self.connected = True
            self._heard_s = time.monotonic()
            self._tell(LegConnected(self.leg_id))
        elif state in ("failed", "closed"):
            self._end()

    def _end(self) -> None:
        """Tell once that the leg is over, and before that that its line is lost."""
        if self._closed:
            return
        self._closed = True
        if self.connected and not self._lost:
            self._tell(LineLost(self.leg_id))
        self._tell(LegClosed(self.leg_id))

    # --- while it lives ---

    @property
    def over(self) -> bool:
        """Whether the leg ended for good."""
        return self._closed

    def tick(self, now_s: float) -> None:
        """Send due reports and notice silence; called four times a second."""
        if self._closed:
            return
        if not self.connected:
            if self._answered_s is not None and now_s - self._answered_s > CONNECT_PATIENCE_S:
                self._end()
            return
        for receiver in self.receivers.values():
            receiver.report(now_s)
        for sender in self.senders.values():
            sender.report(now_s)
        self._watch_line(now_s)

    def _watch_line(self, now_s: float) -> None:
        """Compare arrivals with silence; a page that only looks on (nothing negotiated towards us) is never silent."""
        if self._port is None or not any(receiver.started for receiver in self.receivers.values()):
            return
        if self._port.packets != self._packets_seen:
            self._packets_seen, self._heard_s = self._port.packets, now_s
            if self._lost:
                self._lost = False
                self._port.begin_anew()
                self._tell(LineBack(self.leg_id))
        elif not self._lost and now_s - self._heard_s > SILENCE_S:
            self._lost = True
            self._tell(LineLost(self.leg_id))

    async def attach(self, publisher: "Leg") -> None:
        """Show this leg's participant the publisher."""
        for kind, sender in self.senders.items():
            sender.attach(publisher.receivers[kind])

    async def detach(self) -> None:
        """Show nothing."""
        self._show_nothing()

    def _show_nothing(self) -> None:
        for sender in self.senders.values():
            sender.detach()

    def listen(self, tap: Tap) -> None:
        """Give the tap every packet from now on."""
        for receiver in self.receivers.values():
            if tap not in receiver.taps:
                receiver.taps.append(tap)

    def ignore(self, tap: Tap) -> None:
        """Give the tap nothing more."""
        for receiver in self.receivers.values():
            if tap in receiver.taps:
                receiver.taps.remove(tap)

    def ask_key(self) -> None:
        """Ask the page for a key picture."""
        self.receivers["video"].ask_key()

    async def close(self) -> None:
        """Hang up without an event; subscribers of this leg keep their last picture."""
        self._closed = True
        self._show_nothing()
        for receiver in self.receivers.values():
            for subscriber in list(receiver.subscribers):
                subscriber.detach()
            receiver.taps.clear()
        if self._port is not None:
            self._port.close()
        await asyncio.shield(self._connection.close())  # half closed, its sockets would stay open for ever
