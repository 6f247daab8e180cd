"""A page played by aiortc: answers one offer with as many connections as the offer has bundles."""

import asyncio
import shutil
import time
from fractions import Fraction

import aioice.ice
import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from webrtc.aio.addresses import set_host_addresses
from webrtc.aio.compat import follow_remote_ice, renew_ice
from webrtc.aio.connection import new_peer_connection
from webrtc.janus.process import JANUS

WIDTH, HEIGHT, PICTURES_PER_S = 320, 240, 15


def janus_missing() -> str | None:
    """Why no Janus can carry calls here; None where one can."""
    if shutil.which(JANUS) is None:
        return "the package janus is not installed"
    set_host_addresses(None)
    own = aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=False)
    return "Janus needs an address beside loopback" if own == ["127.0.0.1"] else None


class GreyCamera(MediaStreamTrack):
    """Pictures of one grey, so that whoever sees them knows whose they are."""

    kind = "video"

    def __init__(self, level: int, flowing: asyncio.Event):
        super().__init__()
        self._level = level
        self._flowing = flowing
        self._began_s = time.monotonic()
        self._number = 0

    async def recv(self) -> av.VideoFrame:
        """The next picture in its time."""
        await asyncio.sleep(1 / PICTURES_PER_S)
        await self._flowing.wait()
        self._number += 1
        grey = np.full((HEIGHT, WIDTH, 3), self._level, np.uint8)
        grey[:16, : 16 + self._number % 128] = 255 - self._level
        picture = av.VideoFrame.from_ndarray(grey, format="bgr24").reformat(format="yuv420p")
        picture.pts, picture.time_base = int((time.monotonic() - self._began_s) * 90_000), Fraction(1, 90_000)
        return picture


class Silence(MediaStreamTrack):
    """A muted microphone."""

    kind = "audio"

    def __init__(self, flowing: asyncio.Event):
        super().__init__()
        self._flowing = flowing
        self._samples = 0

    async def recv(self) -> av.AudioFrame:
        """20 ms of nothing, in their time."""
        await asyncio.sleep(0.02)
        await self._flowing.wait()
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(bytes(960 * 4))
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._samples, Fraction(1, 48_000)
        self._samples += 960
        return frame


def bundles(sdp: str) -> list[str]:
    """One description per bundle of an offer."""
    head, *sections = sdp.replace("\r\n", "\n").split("\nm=")
    common = [line for line in head.split("\n") if not line.startswith("a=group:")]
    told: list[str] = []
    for line in head.split("\n"):
        if line.startswith("a=group:BUNDLE"):
            mids = line.split(" ")[1:]
            own = [f"m={section}" for section in sections if any(f"a=mid:{mid}\n" in f"{section}\n" for mid in mids)]
            told.append("\n".join([*common, line, *(section.rstrip("\n") for section in own)]) + "\n")
    return [description.replace("\n", "\r\n") for description in told]


def joined(answers: list[str]) -> str:
    """One answer out of several, sections in order of their names."""
    heads: list[str] = []
    sections: list[str] = []
    for answer in answers:
        head, *own = answer.replace("\r\n", "\n").split("\nm=")
        heads.append(head)
        sections += [f"m={section}".rstrip("\n") for section in own]
    lines = heads[0].split("\n") + [line for head in heads[1:] for line in head.split("\n") if "BUNDLE" in line]
    return "\r\n".join([*lines, *(section.replace("\n", "\r\n") for section in sections)]) + "\r\n"


class Peer:
    """A page with camera and microphone, and what it saw and heard of the other side."""

    def __init__(self, level: int, camera: MediaStreamTrack | None = None):
        self.seen: list[tuple[float, float]] = []  # when, mean brightness
        self.heard = 0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._camera = camera or GreyCamera(level, self.flowing)
        self._connections: list[RTCPeerConnection] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def answer(self, offer: str) -> str:
        """The page's answer, candidates in it."""
        answers: list[str] = []
        for description in bundles(offer):
            connection = new_peer_connection()
            self._connections.append(connection)
            connection.on("track", self._take)
            await connection.setRemoteDescription(RTCSessionDescription(sdp=description, type="offer"))
            for transceiver in connection.getTransceivers():
                if transceiver._offerDirection in ("sendrecv", "sendonly"):  # ours, as far as the counter allows it
                    sound = transceiver.kind == "audio"
                    track = Silence(self.flowing) if sound else self._camera
                    transceiver.sender.replaceTrack(track)
                transceiver.direction = "sendrecv"
            await connection.setLocalDescription(await connection.createAnswer())
            answers.append(connection.localDescription.sdp)
        return joined(answers)

    async def answer_again(self, offer: str) -> str:
        """The answer to an offer that finds another way: new credentials on both sides, as browsers do."""
        answers: list[str] = []
        for connection, description in zip(self._connections, bundles(offer), strict=True):
            renew_ice(connection)
            await connection.setRemoteDescription(RTCSessionDescription(sdp=description, type="offer"))
            await connection.setLocalDescription(await connection.createAnswer())
            answers.append(connection.localDescription.sdp)
        return joined(answers)

    def follow(self) -> None:
        """Check the new way: aiortc itself stays on the first credentials."""
        for connection in self._connections:
            follow_remote_ice(connection)

    @property
    def up(self) -> bool:
        """Whether this side thinks so too: only then does the other hear of its leaving."""
        return all(connection.connectionState == "connected" for connection in self._connections)

    def levels_since(self, since_s: float) -> list[float]:
        """Brightness of the pictures seen since."""
        return [level for at_s, level in self.seen if at_s > since_s]

    def _take(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._follow_track(track)))

    async def _follow_track(self, track: MediaStreamTrack) -> None:
        """Decode what comes."""
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, av.VideoFrame):
                    pixels = frame.to_ndarray(format="gray")
                    self.seen.append((time.monotonic(), float(np.median(pixels))))
                else:
                    self.heard += 1
        except MediaStreamError:
            return

    async def close(self) -> None:
        """Leave as a closed tab does."""
        for connection in self._connections:
            await connection.close()
        for task in self._tasks:
            task.cancel()
