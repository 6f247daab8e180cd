"""Every engine, ready to carry legs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.webrtc.engine_contract.peer import janus_missing
from webrtc.aio.addresses import set_host_addresses
from webrtc.aio.leg import Leg
from webrtc.aio.pass_engine import PassEngine
from webrtc.aio.relay_engine import RelayEngine, RelayLeg
from webrtc.engine import VideoCodec
from webrtc.janus.janus_engine import JanusEngine
from webrtc.janus.leg import JanusLeg
from webrtc.leg_engine import LegEngine

Engine = LegEngine[Leg] | LegEngine[RelayLeg] | LegEngine[JanusLeg]


def _pass(codec: VideoCodec) -> Engine:
    return PassEngine(host_addresses=["127.0.0.1"], codec=codec)


def _relay(codec: VideoCodec) -> Engine:
    return RelayEngine(host_addresses=["127.0.0.1"], codec=codec)


def _janus(codec: VideoCodec) -> Engine:
    if missing := janus_missing():
        pytest.skip(missing)
    set_host_addresses(None)  # Janus cannot use loopback, so the peers must not offer it alone
    return JanusEngine(codec=codec)


ENGINES: dict[str, Callable[[VideoCodec], Engine]] = {"pass": _pass, "relay": _relay, "janus": _janus}


@asynccontextmanager
async def running(name: str, codec: VideoCodec) -> AsyncIterator[Engine]:
    """That engine, for as long as the block lasts."""
    engine = ENGINES[name](codec)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()
        set_host_addresses(None)
