"""Real browsers on a stage: a page from a server of our own, an engine, and the strings between them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from webrtc.engine import LegConnected, MediaEngine, MediaEvent, PictureSampled
from webrtc.errors import BadDescriptionError, UnknownLegError

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",  # a machine with nothing but `lo` has no other way
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]

PAGE = """<!doctype html><meta charset=utf-8><title>leg</title><video id=far autoplay playsinline muted></video><script>
let connection, near, firstFrameAt;
async function camera(){
  near = near || await navigator.mediaDevices.getUserMedia({audio:true, video:{width:640,height:480,frameRate:30}})}
async function answer(sdp){
  await camera(); firstFrameAt = undefined;
  connection = new RTCPeerConnection({iceServers:[], bundlePolicy:'max-bundle'});
  connection.onicecandidate = ({candidate: c}) => c && sendCandidate(c.candidate, c.sdpMid, c.sdpMLineIndex);
  connection.ontrack = e => { if(e.track.kind !== 'video') return;
    far.srcObject = e.streams[0];
    far.requestVideoFrameCallback(() => firstFrameAt = Date.now()) };
  await connection.setRemoteDescription({type:'offer', sdp});
  for(const t of connection.getTransceivers()){
    t.direction = 'sendrecv';
    await t.sender.replaceTrack(near.getTracks().find(x => x.kind === t.receiver.track.kind)) }
  await connection.setLocalDescription(await connection.createAnswer());
  return connection.localDescription.sdp }
async function figures(){
  const out = {firstFrameAt, state: connection.connectionState};
  for(const s of (await connection.getStats()).values()){
    const what = s.type + ' ' + s.kind;
    if(what === 'inbound-rtp video') Object.assign(out, {decoded: s.framesDecoded, freezes: s.freezeCount});
    if(what === 'inbound-rtp audio') Object.assign(out, {heard: s.totalSamplesReceived, packets: s.packetsReceived});
    if(what === 'outbound-rtp video') Object.assign(out, {sent: s.framesEncoded, keys: s.keyFramesEncoded}) }
  return out }
</script>"""


@dataclass
class Events:
    """Everything the engine told so far; pictures apart, because they are many."""

    told: list[tuple[float, MediaEvent]] = field(default_factory=list)
    pictures: list[PictureSampled] = field(default_factory=list)

    def has(self, kind: type, leg_id: str | None = None) -> bool:
        """Whether such an event was told (about this leg)."""
        return self.when(kind, leg_id) is not None

    def when(self, kind: type, leg_id: str | None = None) -> float | None:
        """Monotonic time of the first such event."""
        for at_s, event in self.told:
            if isinstance(event, kind) and (leg_id is None or getattr(event, "leg_id", None) == leg_id):
                return at_s
        return None


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str, patience_s: float = 30.0) -> float:
    """Seconds until the condition held; fail naming what did not happen."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < patience_s:
        held = condition()
        if held if isinstance(held, bool) else await held:
            return time.monotonic() - began_s
        await asyncio.sleep(0.02)
    raise AssertionError(f"{what}: not within {patience_s} s")


@asynccontextmanager
async def listening(engine: MediaEngine) -> AsyncIterator[Events]:
    """Reads the engine's events as the counter would."""
    events = Events()

    async def read() -> None:
        while True:
            event = await engine.next_event()
            if isinstance(event, PictureSampled):
                events.pictures.append(event)
            else:
                events.told.append((time.monotonic(), event))

    reading = asyncio.create_task(read())
    try:
        yield events
    finally:
        reading.cancel()


async def _serve_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request with the page."""
    await reader.readuntil(b"\r\n\r\n")
    body = PAGE.encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()


@asynccontextmanager
async def browsers(count: int, *more_arguments: str) -> AsyncIterator[tuple[list[Browser], str]]:
    """Separate Chromium processes and the address of the page."""
    server = await asyncio.start_server(_serve_page, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with async_playwright() as playwright:
        started: list[Browser] = []
        try:
            for _ in range(count):
                started.append(
                    await playwright.chromium.launch(
                        executable_path=CHROMIUM, headless=True, args=[*ARGUMENTS, *more_arguments]
                    )
                )
            yield started, f"http://127.0.0.1:{port}/"
        finally:
            for browser in started:
                await browser.close()
            server.close()
            await server.wait_closed()


@dataclass
class Participant:
    """A page with a leg."""

    page: Page
    engine: MediaEngine
    leg_id: str = ""

    @classmethod
    async def enter(cls, browser: Browser, address: str, engine: MediaEngine) -> "Participant":
        """Open the page, camera ready."""
        page = await (await browser.new_context()).new_page()
        participant = cls(page, engine)
        await page.expose_function("sendCandidate", participant._candidate)
        await page.goto(address)
        await page.evaluate("camera()")
        return participant

    async def _candidate(self, candidate: str, mid: str | None, index: int | None) -> None:
        """What the signalling door does with a trickled candidate."""
        try:
            await self.engine.add_candidate(self.leg_id, candidate, mid, index)
        except (UnknownLegError, BadDescriptionError):
            return

    async def join(self, room: str, role: str, events: Events) -> None:
        """Get an offer, answer it, wait until media can flow."""
        offer = await self.engine.create_leg(room, role)
        self.leg_id = offer.leg_id
        sdp = await self.page.evaluate("sdp => answer(sdp)", offer.sdp)
        await self.engine.accept(self.leg_id, sdp)
        await until(lambda: events.has(LegConnected, self.leg_id), f"{role} connected")

    async def figures(self) -> dict[str, Any]:
        """The browser's own statistics."""
        figures: dict[str, Any] = await self.page.evaluate("figures()")
        return figures

    async def sees(self, pictures: int) -> None:
        """Wait until so many pictures of the other side are decoded."""

        async def enough() -> bool:
            return int((await self.figures()).get("decoded") or 0) >= pictures

        try:
            await until(enough, f"{pictures} pictures decoded", 20.0)
        except AssertionError as error:
            raise AssertionError(f"{error}; the browser says {await self.figures()}") from error


async def both_ways(one: Participant, other: Participant) -> None:
    """Each sees and hears the other."""
    await one.engine.attach(one.leg_id, other.leg_id)
    await one.engine.attach(other.leg_id, one.leg_id)
