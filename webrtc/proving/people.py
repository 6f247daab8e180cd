"""People at browsers on the hosts of a network: they join a room of an engine, and what they see is counted."""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from webrtc.engine import LegConnected, MediaEngine, MediaEvent
from webrtc.errors import MediaError
from webrtc.proving.network import Network

_PAGE = Path(__file__).with_name("page.html")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]
# How a kiosk's Chromium is to be started (docs/calls.md): its sockets then belong to no address, and outlive one.
KIOSK_ARGUMENTS = ("--webrtc-ip-handling-policy=default_public_interface_only",)
CONNECT_PATIENCE_S = 15.0
# A pause this long is seen as a freeze (issue 6).
FREEZE_S = 0.5


@dataclass(frozen=True, slots=True)
class Sight:
    """What one person saw in a stretch of time."""

    seconds: float
    pictures: int
    longest_freeze_s: float
    frozen_s: float
    out_of_order: int
    broken: int

    @property
    def per_s(self) -> float:
        """Pictures a second."""
        return self.pictures / self.seconds if self.seconds else 0.0


def look_back(seen: list[tuple[float, int]], began_ms: float, ended_ms: float) -> Sight:
    """Order, freezes and corruption of numbered pictures; a pause over 0.5 s counts as frozen."""
    times = [began_ms, *(at_ms for at_ms, _ in seen), ended_ms]
    pauses_s = [(later - earlier) / 1000 for earlier, later in itertools.pairwise(times)]
    numbers = [number for _, number in seen if number >= 0]
    return Sight(
        seconds=(ended_ms - began_ms) / 1000,
        pictures=len(seen),
        longest_freeze_s=max(pauses_s),
        frozen_s=sum(pause_s for pause_s in pauses_s if pause_s > FREEZE_S),
        out_of_order=sum(later < earlier for earlier, later in itertools.pairwise(numbers)),
        broken=sum(number < 0 for _, number in seen),
    )


@dataclass
class Person:
    """One page, and its leg of an engine."""

    name: str
    page: Page
    engine: MediaEngine | None = None
    leg_id: str = ""
    connected: dict[str, asyncio.Event] = field(default_factory=dict)
    told: list[MediaEvent] = field(default_factory=list)

    async def join(self, room: str) -> None:
        """A fresh leg, up."""
        assert self.engine is not None  # noqa: S101
        offer = await self.engine.create_leg(room, self.name)
        self.leg_id = offer.leg_id
        self.connected[offer.leg_id] = asyncio.Event()
        await self._answer(offer.leg_id, offer.sdp)
        async with asyncio.timeout(CONNECT_PATIENCE_S):
            await self.connected[offer.leg_id].wait()

    async def restart(self) -> None:
        """The same leg over whatever way the network now has."""
        assert self.engine is not None  # noqa: S101
        offer = await self.engine.restart(self.leg_id)
        await self._answer(offer.leg_id, offer.sdp)

    async def _answer(self, leg_id: str, offer: str) -> None:
        assert self.engine is not None  # noqa: S101
        answer = await self.page.evaluate("([sdp, leg]) => answer(sdp, leg)", [offer, leg_id])
        await self.engine.accept(leg_id, answer)

    async def candidate(self, leg_id: str, candidate: str, mid: str | None, index: int | None) -> None:
        """A trickled candidate of the page."""
        if self.engine is not None:
            with suppress(MediaError):
                await self.engine.add_candidate(leg_id, candidate, mid, index)

    async def figures(self) -> dict[str, Any]:
        """The browser's own statistics."""
        return dict(await self.page.evaluate("figures()"))

    async def look(self, seconds: float) -> Sight:
        """What is seen in the next seconds."""
        began_ms = float(await self.page.evaluate("(take(), Date.now())"))
        await asyncio.sleep(seconds)
        ended_ms, seen = await self.page.evaluate("[Date.now(), take()]")
        return look_back([(at_ms, number) for at_ms, number in seen], began_ms, ended_ms)

    async def next_picture_s(self, since_ms: float, patience_s: float, *, after: int = -1) -> float | None:
        """Seconds from a moment (the pages' clock) to the first picture seen after it; None if none came.

        Pictures with numbers up to `after` do not count.
        """
        for _ in range(round(patience_s / 0.02)):
            seen = await self.page.evaluate("seen")
            later = [at_ms for at_ms, number in seen if at_ms > since_ms and (after < 0 or number > after)]
            if later:
                return float(later[0] - since_ms) / 1000
            await asyncio.sleep(0.02)
        return None


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The page, whatever is asked for."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        await reader.readuntil(b"\r\n\r\n")
        body = _PAGE.read_bytes()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def people(
    network: Network, engine: MediaEngine | None, *, more_arguments: tuple[str, ...] = ()
) -> AsyncIterator[dict[str, Person]]:
    """One person with a browser on every host; their camera runs. Events of the engine reach whose leg it is."""
    server = await asyncio.start_server(_serve, network.address, 0)
    address = f"http://{network.address}:{server.sockets[0].getsockname()[1]}/"
    everybody: dict[str, Person] = {}

    async def listen(engine: MediaEngine) -> None:
        while True:
            event = await engine.next_event()
            for person in everybody.values():
                if getattr(event, "leg_id", None) in person.connected:
                    person.told.append(event)
                    if isinstance(event, LegConnected):
                        person.connected[event.leg_id].set()

    listening = asyncio.create_task(listen(engine)) if engine is not None else None
    with tempfile.TemporaryDirectory(prefix="counter-proving-") as folder:
        async with async_playwright() as playwright:
            browsers = []
            try:
                for name, host in network.hosts.items():
                    browser = await playwright.chromium.launch(
                        executable_path=str(host.browser(Path(folder))),
                        headless=True,
                        args=[
                            *_ARGUMENTS,
                            *more_arguments,
                            f"--unsafely-treat-insecure-origin-as-secure={address.rstrip('/')}",
                        ],
                    )
                    browsers.append(browser)
                    page = await browser.new_page()
                    person = everybody[name] = Person(name, page, engine)
                    await page.expose_function("sendCandidate", person.candidate)
                    await page.goto(address)
                    await page.evaluate("camera()")
                yield everybody
            finally:
                if listening is not None:
                    listening.cancel()
                for browser in browsers:
                    await browser.close()
                server.close()
