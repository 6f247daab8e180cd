"""A call with ourselves at start: a plain aiortc peer must hear and see through a leg what it sent into it.

Half a second that says at once, and in words, whether this aiortc still lets packets through as `compat` expects.
"""

import asyncio
import time
from fractions import Fraction
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from webrtc.aio.connection import CODECS, new_peer_connection, preferred_codecs
from webrtc.aio.pass_engine import PassEngine
from webrtc.errors import EngineUnfitError, MediaError

# On an idle machine the first echo is there after 0.2 s; a loaded two-core machine took 2 s.
PATIENCE_S = 10.0
_OPUS_SILENCE = b"\xf8\xff\xfe"  # one 20 ms frame, CELT-only, as Chromium sends for a muted microphone
_FRAMES_WANTED = 5


class _EncodedTrack(MediaStreamTrack):
    """Sends the same encoded frame again and again, at its pace."""

    def __init__(self, kind: str, payload: bytes, clock_hz: int, every_s: float):
        super().__init__()
        self.kind = kind
        self._payload = payload
        self._clock_hz = clock_hz
        self._every_s = every_s
        self._sent = 0

    async def recv(self) -> Any:
        """The next packet when its time has come."""
        await asyncio.sleep(self._every_s)
        packet = av.Packet(self._payload)
        packet.pts = packet.dts = round(self._sent * self._every_s * self._clock_hz)
        packet.time_base = Fraction(1, self._clock_hz)
        self._sent += 1
        return packet


def _key_picture() -> bytes:
    """A grey 64x64 VP8 key picture."""
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 64, "yuv420p", Fraction(1, 30)
    picture = av.VideoFrame(64, 64, "yuv420p")
    picture.pts = 0
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    return bytes(packets[0])


async def _take_echo(track: MediaStreamTrack) -> None:
    """Return when enough frames came back decoded."""
    for _ in range(_FRAMES_WANTED):
        await track.recv()


async def echo_call(host_addresses: list[str] | None) -> float:
    """Seconds until sound and picture came back; raise `EngineUnfitError` when they do not."""
    began_s = time.monotonic()
    engine = PassEngine(host_addresses=host_addresses)
    await engine.start()
    peer = new_peer_connection()
    tracks: list[MediaStreamTrack] = []
    peer.on("track", tracks.append)
    offer = await engine.create_leg("selfcheck", "echo")
    try:
        if "a=candidate:" not in offer.sdp:
            raise EngineUnfitError(f"none of the addresses to offer can be used here: {host_addresses}")
        async with asyncio.timeout(PATIENCE_S):
            await peer.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
            for transceiver in peer.getTransceivers():
                kind = transceiver.kind
                transceiver.setCodecPreferences(preferred_codecs(kind, CODECS[kind]))
                payload, clock_hz, every_s = (
                    (_OPUS_SILENCE, 48_000, 0.02) if kind == "audio" else (_key_picture(), 90_000, 0.033)
                )
                transceiver.sender.replaceTrack(_EncodedTrack(kind, payload, clock_hz, every_s))
                transceiver.direction = "sendrecv"
            await engine.attach(offer.leg_id, offer.leg_id)
            await peer.setLocalDescription(await peer.createAnswer())
            await engine.accept(offer.leg_id, peer.localDescription.sdp)
            await asyncio.gather(*map(_take_echo, tracks))
    except TimeoutError as error:
        raise EngineUnfitError(f"no echo through a leg within {PATIENCE_S:.0f} s") from error
    except EngineUnfitError:
        raise
    except (MediaStreamError, MediaError) as error:
        raise EngineUnfitError(f"the echo call broke off: {type(error).__name__}: {error}") from error
    finally:
        await peer.close()
        await engine.stop()
    return time.monotonic() - began_s
