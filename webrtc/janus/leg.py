"""One participant's connections at Janus: a publisher's handle, a subscriber's handle, and a forward to us."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from webrtc.engine import MediaEvent
from webrtc.errors import BadDescriptionError, EngineUnfitError, MediaError
from webrtc.janus.client import JanusClient, JanusRefusedError, Object
from webrtc.janus.descriptions import candidate_for_janus, janus_answers, page_offer, placeholder_offer
from webrtc.janus.forward import Forward
from webrtc.leg_engine import Tap
from webrtc.line import LineWatch
from webrtc.rtp import OPUS, PayloadFormat

# The VideoRoom's "no such feed": the publisher is not up yet, or no longer.
_NO_SUCH_FEED = 428


@dataclass(frozen=True, slots=True)
class VideoRoom:
    """The one room everybody is in; who gets whom is said per subscriber."""

    number: int
    secret: str
    pin: str
    placeholder: int  # a publisher that never sends anything
    video: PayloadFormat
    admin_key: str


class JanusLeg:
    """A leg whose page has two bundles: what it sends goes to one handle, what it gets comes from the other."""

    def __init__(
        self,
        leg_id: str,
        place: tuple[str, str],
        client: JanusClient,
        room: VideoRoom,
        tell: Callable[[MediaEvent], None],
    ):
        self.room, self.role = place
        self._client = client
        self._video_room = room
        self._line = LineWatch(leg_id, tell)
        self._feed = random.getrandbits(50)  # the number others subscribe to; nobody can join the room without its pin
        self._forward = Forward()
        self._publisher = self._subscriber = 0
        self._up: set[int] = set()
        self._version = 0
        self._offered = ""
        self._awaits_answer = False
        self._answered_got = ""
        self._shown: JanusLeg | None = None
        self._viewers: set[JanusLeg] = set()
        self._switching: set[asyncio.Task[None]] = set()

    # --- how it comes about ---

    async def offer(self) -> str:
        """Both handles made, the page's offer out of their descriptions."""
        room = self._video_room
        self._publisher = await self._client.attach(self._on_event)
        self._subscriber = await self._client.attach(self._on_event)
        seat = {"room": room.number, "pin": room.pin}
        join: Object = {"request": "join", **seat, "ptype": "publisher", "id": self._feed}
        await self._client.ask_room(self._publisher, join)
        self._version += 1
        sent = await self._renew_sent("publish")
        streams = [{"feed": room.placeholder}]
        wish: Object = {"request": "join", **seat, "ptype": "subscriber", "autoupdate": False, "streams": streams}
        _, got = await self._client.ask_room(self._subscriber, wish)
        await self._begin_forward()
        return self._remember(sent, got)

    async def restart(self) -> str:
        """New credentials of both handles; nothing else changes."""
        if not self._line.was_answered:
            raise BadDescriptionError("the first offer has not been answered")
        if self._awaits_answer:  # the page asks again: the offer before was never answered, and is as good
            return self._offered
        self._version += 1
        sent = await self._renew_sent("configure")
        _, got = await self._client.ask_room(self._subscriber, {"request": "configure", "restart": True})
        return self._remember(sent, got)

    async def _renew_sent(self, request: str) -> str:
        """Janus' answer to a placeholder: its credentials for what the page sends."""
        placeholder = {"type": "offer", "sdp": placeholder_offer(self._video_room.video.codec, self._version)}
        _, sent = await self._client.ask_room(self._publisher, {"request": request}, {**placeholder, "trickle": True})
        return sent

    def _remember(self, sent: str, got: str) -> str:
        """The offer to the page."""
        self._offered = page_offer(sent, got, session=self._feed, version=self._version)
        if "a=candidate:" not in self._offered:
            raise EngineUnfitError("Janus has no address to offer: it cannot use loopback")
        self._awaits_answer = True
        return self._offered

    async def accept(self, sdp: str) -> None:
        """Tell both handles the page's answer; raise `BadDescriptionError`."""
        sent, got = janus_answers(sdp, self._version)
        if not self._awaits_answer:
            raise BadDescriptionError("no offer waits for an answer")
        try:
            # Janus' core takes the page's credentials and fingerprint from the description; the plugin must not see it
            # (an answer to a publisher ends the process), and looks at none that comes with a question.
            question: Object = {"request": "exists", "room": self._video_room.number}
            await self._client.ask_room(self._publisher, question, {"type": "answer", "sdp": sent, "trickle": True})
            answer = {"type": "answer", "sdp": got, "trickle": True}
            await self._client.ask_room(self._subscriber, {"request": "start"}, answer)
        except JanusRefusedError as error:
            raise BadDescriptionError(f"the answer cannot be used: {error}") from error
        self._awaits_answer = False
        self._answered_got = got
        self._line.answered()

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_mline_index: int | None) -> None:
        """Pass a candidate on; Janus keeps those that come before the answer."""
        if not candidate or ".local " in candidate:
            return
        sends, told = candidate_for_janus(candidate, sdp_mid, sdp_mline_index)
        try:
            await self._client.trickle(self._publisher if sends else self._subscriber, told)
        except JanusRefusedError as error:
            raise BadDescriptionError(f"the candidate cannot be used: {error}") from error

    async def _begin_forward(self) -> None:
        """Let Janus send us what the page sends."""
        room, forward = self._video_room, self._forward
        ports = await forward.open((OPUS, room.video))
        secure = {"host": "127.0.0.1", "srtp_suite": 80, "srtp_crypto": forward.key_base64}
        video = {"mid": "1", "port": ports[room.video.codec], "rtcp_port": ports[room.video.codec]}
        body: Object = {
            "request": "rtp_forward",
            "room": room.number,
            "secret": room.secret,
            "admin_key": room.admin_key,
            "publisher_id": self._feed,
            "host_family": "ipv4",
            **secure,
            "streams": [{"mid": "0", "port": ports[OPUS.codec]}, video],
        }
        said, _ = await self._client.ask_room(self._publisher, body)
        for forwarder in cast("list[dict[str, Any]]", said.get("forwarders", [])):
            if "local_rtcp_port" in forwarder:
                forward.janus_listens(int(forwarder["local_rtcp_port"]))

    def _on_event(self, event: Object) -> None:
        """What Janus says of a handle unasked."""
        match event["janus"]:
            case "webrtcup":
                self._up.add(event["sender"])
                if self._up == {self._publisher, self._subscriber}:
                    self._line.up()
                if event["sender"] == self._publisher:
                    for viewer in self._viewers:
                        viewer.switch_soon()
            case "hangup" | "detached":
                self._line.end()
            case _:  # slow links and media that pauses: the line is watched by what arrives
                return

    # --- while it lives ---

    @property
    def over(self) -> bool:
        """Whether the leg ended for good."""
        return self._line.over

    def lost_janus(self) -> None:
        """Janus is gone."""
        self._line.end()

    def tick(self, now_s: float) -> None:
        """Notice silence."""
        self._line.tick(self._forward.packets, now_s)

    async def attach(self, publisher: "JanusLeg") -> None:
        """Show this leg's participant the publisher, now or as soon as it sends."""
        if self._shown is not None:
            self._shown._viewers.discard(self)
        self._shown = publisher
        publisher._viewers.add(self)
        await self._switch()

    async def detach(self) -> None:
        """Show nothing."""
        if self._shown is not None:
            self._shown._viewers.discard(self)
            self._shown = None
            await self._switch()

    def switch_soon(self) -> None:
        """The publisher this leg waits for sends now."""
        task = asyncio.create_task(self._switch())
        self._switching.add(task)
        task.add_done_callback(self._switching.discard)

    async def _switch(self) -> None:
        """Tell Janus whom this leg gets; a publisher that is not up yet tells us when it is."""
        shown = self._shown
        if shown is None:
            await self._send(on=False)
            return
        if shown._publisher not in shown._up:
            return
        streams = [{"feed": shown._feed, "mid": mid, "sub_mid": mid} for mid in ("0", "1")]
        try:
            _, got = await self._client.ask_room(self._subscriber, {"request": "switch", "streams": streams})
        except JanusRefusedError as error:
            if error.code == _NO_SUCH_FEED:  # it has just gone, and its own event tells so
                return
            raise
        if got and self._answered_got:
            # The publisher before went without a word, and Janus wants to negotiate the section that fell empty anew.
            # Nothing changes for the page, which need not be asked: its last answer still holds.
            answer = {"type": "answer", "sdp": self._answered_got, "trickle": True}
            await self._client.ask_room(self._subscriber, {"request": "start"}, answer)
        await self._send(on=True)

    async def _send(self, *, on: bool) -> None:
        """Let the page get something, or nothing: a change back to the placeholder is not got over by Janus."""
        streams = [{"mid": mid, "send": on} for mid in ("0", "1")]
        await self._client.ask_room(self._subscriber, {"request": "configure", "streams": streams})

    def listen(self, tap: Tap) -> None:
        """Give the tap every packet from now on."""
        if tap not in self._forward.taps:
            self._forward.taps.append(tap)

    def ignore(self, tap: Tap) -> None:
        """Give the tap nothing more."""
        if tap in self._forward.taps:
            self._forward.taps.remove(tap)

    def ask_key(self) -> None:
        """Ask the page for a key picture."""
        self._forward.ask_key()

    async def close(self) -> None:
        """Hang up without an event; subscribers of this leg keep their last picture."""
        self._line.over = True
        if self._shown is not None:
            self._shown._viewers.discard(self)
        for viewer in list(self._viewers):
            try:
                await viewer.detach()
            except MediaError:
                continue  # it goes as well
        self._forward.close()
        for handle in (self._publisher, self._subscriber):
            if handle and not self._client.gone:
                try:
                    await self._client.detach(handle)
                except MediaError:
                    continue  # Janus has dropped it itself
