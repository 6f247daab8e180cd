"""Pages of a call without a browser: plain aiortc peers that join, answer, and join again when they are called."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from counter_server.calls.rooms import Calls
from counter_server.calls.seats import MAIN, Seat
from counter_server.errors import CounterError
from webrtc.aio.addresses import set_host_addresses
from webrtc.aio.connection import CODECS, new_peer_connection, preferred_codecs
from webrtc.aio.selfcheck import _OPUS_SILENCE, _EncodedTrack, _key_picture
from webrtc.supervisor import SupervisedEngine


class CallPage:
    """One side's page. `heard_at` is when it last got a decoded sound or picture."""

    def __init__(self, calls: Calls, role: str, owner: str, part: str = MAIN) -> None:
        self.calls, self.role, self.owner, self.part = calls, role, owner, part
        self.heard_at: dict[str, float] = {}
        self.joins = 0
        self._called = 0
        self._peer: RTCPeerConnection | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self) -> None:
        """Ask for a leg and answer it, as `webrtc/web/call.ts` does."""
        offer = await self.calls.join(self.role, self.owner, self.part)
        self.joins += 1
        before, peer = self._peer, new_peer_connection()
        self._peer = peer
        peer.on("track", lambda track: self._spawn(self._listen(track)))
        await peer.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
        for transceiver in peer.getTransceivers():
            kind = transceiver.kind
            transceiver.setCodecPreferences(preferred_codecs(kind, CODECS[kind]))
            sound = (_OPUS_SILENCE, 48_000, 0.02)
            payload, clock_hz, every_s = sound if kind == "audio" else (_key_picture(), 90_000, 0.033)
            transceiver.sender.replaceTrack(_EncodedTrack(kind, payload, clock_hz, every_s))
            transceiver.direction = "sendrecv"
        await peer.setLocalDescription(await peer.createAnswer())
        await self.calls.answer(self.role, self.owner, offer.leg_id, peer.localDescription.sdp)
        if before is not None:
            await before.close()

    def look(self) -> None:
        """Join again if the counter called."""
        called = self.calls.called_anew(self.role, self.owner).get(self.part, 0)
        if called > self._called:
            self._called = called
            self._spawn(self._join_again())

    async def _join_again(self) -> None:
        while True:
            try:
                return await self.join()
            except CounterError:
                await asyncio.sleep(0.2)

    async def _listen(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                await track.recv()
                self.heard_at[track.kind] = time.monotonic()
        except MediaStreamError:
            return

    def _spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def hears_since(self, since_s: float) -> bool:
        """Whether sound and picture arrived after that time."""
        return all(self.heard_at.get(kind, 0.0) > since_s for kind in ("audio", "video"))

    async def close(self) -> None:
        """Leave."""
        for task in self._tasks:
            task.cancel()
        if self._peer is not None:
            await self._peer.close()


@asynccontextmanager
async def calls_over(workers: int) -> AsyncIterator[tuple[Calls, SupervisedEngine, Callable[..., CallPage]]]:
    """A running switchboard over real worker processes, and how to open a page on it."""
    pages: list[CallPage] = []
    set_host_addresses(["127.0.0.1"])  # for the pages in this process too: a machine may have nothing but `lo`
    engine = SupervisedEngine(host_addresses=["127.0.0.1"], workers=workers)

    def line_changed(_seat: Seat) -> None:
        for page in pages:
            page.look()

    def page(role: str, owner: str, part: str = MAIN) -> CallPage:
        pages.append(CallPage(calls, role, owner, part))
        return pages[-1]

    calls = Calls(engine, line_changed, lambda _visit, _picture: None)
    await calls.start()
    listening = asyncio.create_task(calls.listen())
    try:
        yield calls, engine, page
    finally:
        listening.cancel()
        await asyncio.gather(*(one.close() for one in pages))
        await calls.stop()
        set_host_addresses(None)
