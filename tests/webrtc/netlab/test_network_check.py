"""The pages' own check of the line, in a real browser that may only relay, on lines that lose and delay: it says so."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.webrtc.netlab.test_ways import coturn
from tests.webrtc.test_playback_page import bundle
from webrtc.aio.pass_engine import PassEngine
from webrtc.engine import LegConnected
from webrtc.errors import MediaError
from webrtc.proving.network import Host, Network, usable
from webrtc.proving.people import people
from webrtc.turn import TurnServer

pytestmark = pytest.mark.skipif(usable() is not None, reason=usable() or "")

SECRET = "a secret of a test alone"
# 12 s to find a way and 8 to 14 s to measure, on a machine three times slower.
PATIENCE_S = 60.0
# A live channel as the page's own, and the check over it.
CHECKED = """
const listeners = new Set();
const channel = { state: 'open', onMessage: (hear) => (listeners.add(hear), () => listeners.delete(hear)),
  subscribe: () => () => undefined, send: (message) => (toCounter(message), true) };
window.fromCounter = (message) => listeners.forEach((hear) => hear(message));
const Real = RTCPeerConnection;
window.RTCPeerConnection = class extends Real {
  constructor(options) { super({...options, iceTransportPolicy: 'relay'}); } };
const check = new NetworkCheck(channel);
window.checkLine = () => check.run();
"""


class Counter:
    """What the counter's door does with a page that checks its line."""

    def __init__(self, engine: PassEngine, page: Page, relays: list[dict[str, Any]]):
        self._engine, self._page, self._relays = engine, page, relays
        self._found: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    async def check(self) -> dict[str, Any]:
        """What the page finds now."""
        self._found = asyncio.get_running_loop().create_future()
        await self._page.evaluate("checkLine()")
        return await asyncio.wait_for(self._found, PATIENCE_S)

    async def take(self, message: dict[str, Any]) -> None:
        """One message of the page."""
        with suppress(MediaError):  # a leg may be gone while its last candidates come
            match message["type"]:
                case "join":
                    offer = await self._engine.create_leg("check", "customer")
                    told = {"type": "offer", "part": "check", "leg_id": offer.leg_id, "sdp": offer.sdp}
                    await self._page.evaluate("m => fromCounter(m)", {**told, "ice_servers": self._relays})
                case "answer":
                    await self._engine.accept(message["leg_id"], message["sdp"])
                case "candidate":
                    place = message["sdp_mid"], message["sdp_mline_index"]
                    await self._engine.add_candidate(message["leg_id"], message["candidate"], *place)
                case "line_check":
                    await self._engine.close_room("check")
                    self._found.set_result(message)
                case other:
                    raise AssertionError(f"no page says {other} here")

    async def mirror(self) -> None:
        """Send every leg that comes up its own picture, as `counter_server.calls.wires` does."""
        while True:
            event = await self._engine.next_event()
            if isinstance(event, LegConnected):
                await self._engine.attach(event.leg_id, event.leg_id)


@asynccontextmanager
async def checking(folder: Path) -> AsyncIterator[tuple[Host, Counter]]:
    """A page whose line can be made worse, and to whom nothing is open but a relay."""
    script = bundle("webrtc/web/network_check.ts", folder)
    with Network(("customer",), delayed=True) as network, coturn(network.address, folder, SECRET) as port:
        url = f"turn:{network.address}:{port}?transport=udp"
        user, password = TurnServer((url,), SECRET.encode()).credentials("leg-1", time.time())
        engine = PassEngine(host_addresses=[network.address])
        await engine.start()
        try:
            async with people(network, None) as everybody:
                page = everybody["customer"].page
                counter = Counter(engine, page, [{"urls": [url], "username": user, "credential": password}])
                await page.expose_function("toCounter", counter.take)
                await page.add_script_tag(type="module", content=script + CHECKED)
                mirroring = asyncio.create_task(counter.mirror())
                try:
                    yield network.hosts["customer"], counter
                finally:
                    mirroring.cancel()
        finally:
            await engine.stop()


async def test_loss_and_delay_of_a_relayed_line_are_told_as_they_are_and_the_verdict_follows_them(
    tmp_path: Path,
) -> None:
    async with checking(tmp_path) as (host, counter):
        host.lose(up=0.1, down=0.1)
        lossy = await counter.check()
        host.lose(up=0.03, down=0.03)
        host.delay(0.15)
        far = await counter.check()
    print(lossy, far, sep="\n")
    assert (lossy["way"], far["way"]) == ("relay", "relay")
    # some 150 packets each way are a standard error of 2.5 %; a busy machine sends a third of them
    assert 1 < lossy["loss_percent"] < 25
    assert lossy["verdict"] == "coarse" or lossy["loss_percent"] > 15
    assert lossy["kbit_s"] > 80
    assert 0 < far["loss_percent"] < 10
    assert 300 <= far["round_trip_ms"] < 800
    assert far["verdict"] == "coarse"
