"""The default engine: legs on aiortc whose packets are passed through, neither decoded nor encoded."""

from webrtc.aio.addresses import set_host_addresses
from webrtc.aio.compat import (
    check_private_names,
    install_first_byte_demultiplexer,
    negotiate_transport_cc,
    stay_for_the_page,
)
from webrtc.aio.leg import Leg
from webrtc.engine import VideoCodec
from webrtc.leg_engine import LegEngine
from webrtc.rtp import FORMATS


class PassEngine(LegEngine[Leg]):
    """`webrtc.engine.MediaEngine` without a process border. The worker runs one; tests may too."""

    def __init__(self, *, host_addresses: list[str] | None = None, codec: VideoCodec = VideoCodec.VP8):
        super().__init__(FORMATS[codec.lower()])
        self._codec = codec
        self._host_addresses = host_addresses

    async def _prepare(self) -> None:
        """Patch what must be patched; raise `EngineUnfitError` on an unknown aiortc."""
        check_private_names()
        set_host_addresses(self._host_addresses)
        install_first_byte_demultiplexer()
        negotiate_transport_cc()
        stay_for_the_page()

    def _new_leg(self, leg_id: str, room: str, role: str) -> Leg:
        """A leg that has not offered yet."""
        return Leg(leg_id, (room, role), self._events.put, self._codec)
