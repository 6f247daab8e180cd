"""Many simulated people in one process: they send a clip that was encoded once and note when pictures arrive.

`python -m webrtc.proving.load` is started by `webrtc.proving.crowd` on a client's host. It answers frames of
`webrtc.pipe` on its standard input. Nothing is encoded or decoded, so one core carries dozens of people; RTP and RTCP
are those of `webrtc.aio` itself, which Janus understands as well as our own worker does.
"""

import asyncio
import random
import sys
import time
from typing import Any, cast

import uvloop
from aiortc import RTCPeerConnection, RTCSessionDescription

from webrtc.aio.addresses import set_host_addresses
from webrtc.aio.compat import install_first_byte_demultiplexer, negotiate_transport_cc, stream_id, swap_transceiver
from webrtc.aio.connection import CODECS, new_peer_connection, preferred_codecs
from webrtc.aio.port import Port
from webrtc.aio.receiver import KEY_PAUSE_S, PassReceiver
from webrtc.aio.recent import RecentPictures
from webrtc.aio.sender import PassSender
from webrtc.pipe import Object, pack_frame, read_frame
from webrtc.proving.clip import NUMBERS, PICTURES_PER_S, Clip, make_clip, payloads, picture_number
from webrtc.rtp import PayloadFormat

_SOUND_EVERY_S = 0.02
_REPORT_EVERY_S = 0.25
_PATIENCE_S = 20.0


class Camera:
    """Stands where a sender expects the receiver it forwards: gives it the clip, and a key picture when asked."""

    def __init__(self, clip: Clip, sound: PassSender, video: PassSender):
        self.subscribers: list[PassSender] = [sound, video]
        self.sender_report: tuple[int, int, float] | None = None
        self.rate_bps = 0.0
        self.recent = RecentPictures()  # stays empty: the clip begins again instead
        self.sent: dict[int, float] = {}
        self.late_s: list[float] = []
        self._clip = clip
        self._sound, self._video = sound, video
        self._place = 0
        self._key_s = float("-inf")
        self._number = random.randrange(NUMBERS)  # noqa: S311 - two people's numbers should differ, that is all
        self._sequence = {"audio": 0, "video": 0}
        self._timestamp = {"audio": 0, "video": 0}
        self._tasks: list[asyncio.Task[None]] = []
        sound.source = video.source = cast("PassReceiver", self)

    def ask_key(self) -> None:
        """Begin the clip again: its first picture is a key picture. As seldom as a browser would."""
        if time.monotonic() - self._key_s > KEY_PAUSE_S:
            self._place = 0

    def limit(self, subscriber: int, limit_bps: float | None) -> None:
        """Whatever the server's estimate: both servers are to carry the same."""

    def run(self) -> None:
        """Send from now on."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._film()), asyncio.create_task(self._speak())]

    def stop(self) -> None:
        """Send nothing more."""
        for task in self._tasks:
            task.cancel()
        self.subscribers.clear()
        self._sound.source = self._video.source = None

    async def _film(self) -> None:
        due_s = time.monotonic() + random.random() / PICTURES_PER_S  # noqa: S311 - spreads people over a picture's time
        while True:
            due_s = await self._until(due_s, 1 / PICTURES_PER_S)
            picture = self._clip.pictures[self._place]
            if self._place == 0:
                self._key_s = time.monotonic()
            self._place = (self._place + 1) % len(self._clip.pictures)
            self._number = (self._number + 1) % NUMBERS
            self.sent[self._number] = time.monotonic()
            pieces = payloads(picture, self._number)
            for piece in pieces:
                self._give(self._video, piece, int(piece is pieces[-1]))
            self._timestamp["video"] += 90_000 // PICTURES_PER_S

    async def _speak(self) -> None:
        due_s = time.monotonic() + random.random() * _SOUND_EVERY_S  # noqa: S311 - as above
        for number in range(sys.maxsize):
            due_s = await self._until(due_s, _SOUND_EVERY_S)
            self._give(self._sound, self._clip.sounds[number % len(self._clip.sounds)], 0)
            self._timestamp["audio"] += 960

    async def _until(self, due_s: float, every_s: float) -> float:
        """Sleep until it is time; the time after that. A machine that is late is told, and catches up."""
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        self.late_s.append(time.monotonic() - due_s)
        return due_s + every_s

    def _give(self, sender: PassSender, payload: bytes, marker: int) -> None:
        kind = sender.kind
        self._sequence[kind] = (self._sequence[kind] + 1) & 0xFFFF
        sender.forward(payload, self._sequence[kind], self._timestamp[kind] & 0xFFFFFFFF, 0, len(payload), marker)


class Eye:
    """Notes when the last packet of each picture came."""

    def __init__(self) -> None:
        self.seen: dict[int, float] = {}
        self.pictures = 0

    def take(
        self, kind: PayloadFormat, source: object, sequence: int, timestamp: int, marker: int, payload: bytes
    ) -> None:
        """See `webrtc.leg_engine.Tap`."""
        if kind.is_video and marker:
            self.pictures += 1
            number = picture_number(payload)
            if number is not None:
                self.seen.setdefault(number, time.monotonic())

    def hear(self, kind: PayloadFormat, source: object, ntp: int, timestamp: int) -> None:
        """Nothing: one clock serves the whole machine."""


class Connection:
    """One connection of one person, to our worker (both ways) or to Janus (one way each)."""

    def __init__(self, clip: Clip, *, sends: bool, gets: bool):
        direction = {(True, True): "sendrecv", (True, False): "sendonly", (False, True): "recvonly"}[sends, gets]
        self.eye = Eye()
        self._peer: RTCPeerConnection = new_peer_connection()
        self._senders: dict[str, PassSender] = {}
        self._receivers: dict[str, PassReceiver] = {}
        self._port: Port | None = None
        self._up = asyncio.Event()
        for kind, codec in CODECS.items():
            transceiver = self._peer.addTransceiver(kind, direction)
            transceiver.setCodecPreferences(preferred_codecs(kind, codec))
            transport = transceiver.receiver.transport
            self._port = self._port or Port(transport)
            sender = PassSender(kind, transport, self._port, stream_id(transceiver))
            receiver = PassReceiver(kind, transport, self._port, sender.ssrc)
            swap_transceiver(transceiver, sender, receiver)
            self._senders[kind], self._receivers[kind] = sender, receiver
        self._receivers["video"].taps.append(self.eye)
        self.camera = Camera(clip, self._senders["audio"], self._senders["video"]) if sends else None
        self._peer.on("connectionstatechange", self._on_state)
        self._reporting = asyncio.create_task(self._report())

    async def offer(self) -> str:
        """A description of ours, candidates in it."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return self._peer.localDescription.sdp

    async def take(self, sdp: str) -> None:
        """The server's answer."""
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))

    async def answer(self, sdp: str) -> str:
        """Our answer to the server's offer."""
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        return self._peer.localDescription.sdp

    async def until_up(self) -> None:
        """Return when media can flow."""
        async with asyncio.timeout(_PATIENCE_S):
            await self._up.wait()

    def forget(self) -> None:
        """Note pictures afresh."""
        self.eye.seen.clear()
        self.eye.pictures = 0
        if self.camera is not None:
            self.camera.sent.clear()
            self.camera.late_s.clear()

    async def close(self) -> None:
        """Hang up."""
        self._reporting.cancel()
        if self.camera is not None:
            self.camera.stop()
        if self._port is not None:
            self._port.close()
        await self._peer.close()

    def _on_state(self) -> None:
        if self._peer.connectionState == "connected":
            self._up.set()
            if self.camera is not None:
                self.camera.run()

    async def _report(self) -> None:
        """What a browser tells about once a second: receiver reports and bounds."""
        while True:
            await asyncio.sleep(_REPORT_EVERY_S)
            for receiver in self._receivers.values():
                receiver.report(time.monotonic())


class Load:
    """Answers the crowd's calls."""

    def __init__(self, writer: asyncio.StreamWriter):
        self._writer = writer
        self._clip = make_clip()
        self._people: dict[str, Connection] = {}

    async def answer(self, message: Object) -> None:
        """Do one call and send what it gives."""
        gives = await self._do(message)
        self._writer.write(pack_frame({"call": message["call"], "gives": gives}))
        await self._writer.drain()

    async def _do(self, message: Object) -> Any:
        name = str(message.get("name", ""))
        match message["do"]:
            case "make":
                self._people[name] = Connection(self._clip, sends=message["sends"], gets=message["gets"])
            case "offer":
                return await self._people[name].offer()
            case "take":
                return await self._people[name].take(message["sdp"])
            case "answer":
                return await self._people[name].answer(message["sdp"])
            case "until_up":
                return await self._people[name].until_up()
            case "close":
                await self._people.pop(name).close()
            case "forget":
                for person in self._people.values():
                    person.forget()
            case "figures":
                return {name: _figures(person) for name, person in self._people.items()}
            case unknown:
                raise ValueError(f"no call is named {unknown}")
        return None


def _figures(person: Connection) -> Object:
    """What one person sent and saw since it was told to forget; times on the machine's monotonic clock."""
    camera = person.camera
    return {
        "sent": {} if camera is None else camera.sent,
        "late_s": [] if camera is None else camera.late_s,
        "seen": person.eye.seen,
        "pictures": person.eye.pictures,
    }


async def work() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    load = Load(asyncio.StreamWriter(transport, protocol, None, loop))
    try:
        async with asyncio.TaskGroup() as tasks:
            while True:
                message, _ = await read_frame(reader)
                tasks.create_task(load.answer(message))
    except* asyncio.IncompleteReadError:  # the crowd has gone
        transport.close()


def main() -> int:
    """Start of the process."""
    set_host_addresses([sys.argv[1]])
    install_first_byte_demultiplexer()
    negotiate_transport_cc()
    uvloop.run(work())
    return 0


if __name__ == "__main__":
    sys.exit(main())
