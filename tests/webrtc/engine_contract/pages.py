"""Pages in a call, and what they see: each sends one grey."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.webrtc.engine_contract.engines import Engine
from tests.webrtc.engine_contract.peer import Peer
from tests.webrtc.stage import Events, until
from webrtc.engine import LegConnected, LegOffer

DARK, BRIGHT = 60, 190


@asynccontextmanager
async def page(engine: Engine, events: Events, room: str, level: int) -> AsyncIterator[tuple[Peer, LegOffer]]:
    """A peer whose leg is up."""
    peer = Peer(level)
    try:
        offer = await engine.create_leg(room, room.split("-")[0])
        await engine.accept(offer.leg_id, await peer.answer(offer.sdp))
        await until(lambda: events.has(LegConnected, offer.leg_id) and peer.up, f"{room} connected")
        yield peer, offer
    finally:
        await peer.close()


def sees(peer: Peer, level: int, *, since_s: float, pictures: int = 5) -> Callable[[], bool]:
    """Whether the peer saw so many pictures, all of this grey."""

    def enough() -> bool:
        levels = peer.levels_since(since_s)
        return len(levels) >= pictures and all(abs(seen - level) < 12 for seen in levels[-pictures:])

    return enough
