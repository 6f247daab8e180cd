"""One participant's connection: offer, answer, candidates, and the four ends of its sound and picture."""

import asyncio
import time
from collections.abc import Callable

from aiortc import RTCPeerConnection

from webrtc.aio.answers import Answering
from webrtc.aio.compat import follow_remote_ice, nominate_again, renew_ice, stream_id, swap_transceiver
from webrtc.aio.connection import codecs, new_peer_connection, preferred_codecs
from webrtc.aio.port import Port
from webrtc.aio.receiver import PassReceiver
from webrtc.aio.sender import PassSender
from webrtc.engine import MediaEvent, VideoCodec
from webrtc.errors import BadDescriptionError
from webrtc.leg_engine import Tap
from webrtc.line import LineWatch


class Leg:
    """A leg and what it told about its line so far."""

    def __init__(
        self,
        leg_id: str,
        place: tuple[str, str],
        tell: Callable[[MediaEvent], None],
        video: VideoCodec = VideoCodec.VP8,
    ):
        self.leg_id = leg_id
        self.room, self.role = place
        self._connection: RTCPeerConnection = new_peer_connection()
        self._answering = Answering(self._connection)
        self.senders: dict[str, PassSender] = {}
        self.receivers: dict[str, PassReceiver] = {}
        self._port: Port | None = None
        self._line = LineWatch(leg_id, tell, self._begin_anew)
        for kind, codec in codecs(video).items():
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
        if not self._line.was_answered:
            raise BadDescriptionError("the first offer has not been answered")
        if self._connection.signalingState == "stable":
            renew_ice(self._connection)
        else:  # the page asks again: the offer before was never answered, and is as good
            return self._connection.localDescription.sdp
        return await self.offer()

    async def accept(self, sdp: str) -> None:
        """Apply the answer, then the candidates that came before it; raise `BadDescriptionError`."""
        await self._answering.accept(sdp)
        follow_remote_ice(self._connection)
        self._line.answered()

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_mline_index: int | None) -> None:
        """Apply a trickled candidate; raise `BadDescriptionError`."""
        await self._answering.add_candidate(candidate, sdp_mid, sdp_mline_index)

    def _on_state(self) -> None:
        """aiortc's state changed: `connected` once, then `failed` or `closed` for good (it knows no `disconnected`)."""
        state = self._connection.connectionState
        if state == "connected":
            self._line.up()
        elif state in ("failed", "closed"):
            self._line.end()

    def _begin_anew(self) -> None:
        if self._port is not None:
            self._port.begin_anew()
            for receiver in self.receivers.values():
                receiver.begin_anew()

    def _on_return(self) -> None:
        """The first packet after a silence: not a moment is lost until the next tick."""
        if self._port is not None:
            self._line.tick(self._port.packets, time.monotonic())

    # --- while it lives ---

    @property
    def over(self) -> bool:
        """Whether the leg ended for good."""
        return self._line.over

    def tick(self, now_s: float) -> None:
        """Send due reports and notice silence; called four times a second."""
        if self._line.connected and not self._line.over:
            for receiver in self.receivers.values():
                receiver.report(now_s)
            for sender in self.senders.values():
                sender.report(now_s)
        if self._line.coming_up:
            nominate_again(self._connection)
        silent_s = self._line.lost_s(now_s)
        if self._port is not None and silent_s is not None:
            self._port.call_back(silent_s, self._on_return)
        listens = self._port is not None and any(receiver.started for receiver in self.receivers.values())
        self._line.tick(self._port.packets if listens and self._port is not None else None, now_s)

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
        self._line.over = True
        self._show_nothing()
        for receiver in self.receivers.values():
            for subscriber in list(receiver.subscribers):
                subscriber.detach()
            receiver.taps.clear()
        if self._port is not None:
            self._port.close()
        await asyncio.shield(self._connection.close())  # half closed, its sockets would stay open for ever
