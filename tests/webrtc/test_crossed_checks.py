"""A router that maps ports gives the server's first check another port, where the page's own check crosses it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.webrtc.engine_contract.peer import Peer
from tests.webrtc.stage import listening, until
from webrtc.aio.pass_engine import PassEngine
from webrtc.engine import LegConnected

_BINDING_REQUEST = b"\x00\x01"  # RFC 8489 §5
_CANDIDATE = re.compile(r"(a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1) (\d+) ")
LOOPBACK = "127.0.0.1"


class Port(asyncio.DatagramProtocol):
    """One port of the router; what comes is handed on."""

    def __init__(self) -> None:
        self.number = 0
        self.to: tuple[Port, int] | None = None  # the port of the router it leaves by, and where it goes
        self.first_request_by: Port | None = None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport, self.number = transport, transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, _address: tuple[str, int]) -> None:
        if self.to is None:
            return
        leaves_by, number = self.to
        if self.first_request_by is not None and data.startswith(_BINDING_REQUEST):
            leaves_by, self.first_request_by = self.first_request_by, None
        leaves_by.send(data, number)

    def send(self, data: bytes, number: int) -> None:
        assert self._transport is not None
        self._transport.sendto(data, (LOOPBACK, number))

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


@asynccontextmanager
async def opened(count: int) -> AsyncIterator[list[Port]]:
    loop = asyncio.get_running_loop()
    ports = [(await loop.create_datagram_endpoint(Port, local_addr=(LOOPBACK, 0)))[1] for _ in range(count)]
    try:
        yield ports
    finally:
        for port in ports:
            port.close()


def seen_at(sdp: str, port: Port) -> tuple[str, int]:
    """The description with the router's port in place of its own, and its own."""
    found = _CANDIDATE.search(sdp)
    assert found is not None
    return _CANDIDATE.sub(rf"\g<1> {port.number} ", sdp), int(found[2])


async def test_a_page_that_saw_the_first_check_come_from_elsewhere_gets_through() -> None:
    engine = PassEngine(host_addresses=[LOOPBACK])
    await engine.start()
    page = Peer(200)
    try:
        async with listening(engine) as events, opened(3) as (outer, crossed, inner):
            offer = await engine.create_leg("room", "customer")
            told, server = seen_at(offer.sdp, outer)
            answer, customer = seen_at(await page.answer(told), inner)
            outer.to = crossed.to = (inner, server)
            inner.to, inner.first_request_by = (outer, customer), crossed
            await engine.accept(offer.leg_id, answer)
            await until(lambda: events.has(LegConnected, offer.leg_id) and page.up, "both are connected", 10.0)
            assert inner.first_request_by is None
    finally:
        await page.close()
        await engine.stop()
