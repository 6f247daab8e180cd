"""Which engine a worker runs: the one that was asked for, or the fallback when that one no longer holds here."""

import logging
import time
from typing import Any

from webrtc.aio.relay_engine import RelayEngine
from webrtc.engine import EngineKind, VideoCodec
from webrtc.errors import EngineUnfitError
from webrtc.janus.janus_engine import JanusEngine
from webrtc.leg_engine import LegEngine
from webrtc.offered import bound_only

_log = logging.getLogger("webrtc.engines")


async def open_engine(
    kind: EngineKind, host_addresses: list[str] | None, codec: VideoCodec = VideoCodec.VP8
) -> tuple[LegEngine[Any], float]:
    """A started engine and the seconds its self-check took; raise `EngineUnfitError`."""
    began_s = time.monotonic()
    match kind:
        case EngineKind.OWN:
            try:
                engine: LegEngine[Any] = await _pass_engine(host_addresses, codec)
            except EngineUnfitError as error:
                _log.error("packets cannot be passed through, pictures are decoded and encoded instead: %s", error)
                engine = RelayEngine(host_addresses=host_addresses, codec=codec)
                await engine.start()
        case EngineKind.RELAY:
            engine = RelayEngine(host_addresses=host_addresses, codec=codec)
            await engine.start()
        case EngineKind.JANUS:
            engine = JanusEngine(host_addresses=host_addresses, codec=codec)
            await engine.start()
    offer = await engine.create_leg("selfcheck", "offer")
    await engine.close_leg(offer.leg_id)
    if "a=candidate:" not in offer.sdp:
        await engine.stop()
        raise EngineUnfitError(f"none of the addresses to offer can be used here: {host_addresses}")
    return engine, time.monotonic() - began_s


async def _pass_engine(host_addresses: list[str] | None, codec: VideoCodec) -> LegEngine[Any]:
    """The default engine after a call with itself; raise `EngineUnfitError`."""
    try:
        # these import private names of aiortc and aioice: on an upgrade the import itself may be what fails
        from webrtc.aio.pass_engine import PassEngine  # noqa: PLC0415
        from webrtc.aio.selfcheck import echo_call  # noqa: PLC0415
    except (ImportError, AttributeError) as error:
        raise EngineUnfitError(f"a private name has moved: {error}") from error
    await echo_call(bound_only(host_addresses))  # in VP8 always: whether packets pass does not hang on what is in them
    engine = PassEngine(host_addresses=host_addresses, codec=codec)
    await engine.start()
    return engine
