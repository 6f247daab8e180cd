"""`webrtc.engine.MediaEngine` over a Janus VideoRoom that this process starts, configures and ends."""

import random
import secrets
from typing import cast

from webrtc.aio.rate import CAP_BPS
from webrtc.engine import VideoCodec
from webrtc.errors import EngineUnfitError, MediaError
from webrtc.janus.client import JanusClient, Object
from webrtc.janus.leg import JanusLeg, VideoRoom
from webrtc.janus.process import JanusProcess
from webrtc.leg_engine import LegEngine
from webrtc.rtp import FORMATS


class JanusEngine(LegEngine[JanusLeg]):
    """Legs in one room, which nobody enters but by us."""

    def __init__(self, *, host_addresses: list[str] | None = None, codec: VideoCodec = VideoCodec.VP8):
        super().__init__(FORMATS[codec.lower()])
        self._host_addresses = host_addresses
        self._janus: JanusProcess | None = None
        self._client: JanusClient | None = None
        self._video_room: VideoRoom | None = None

    @property
    def janus_pid(self) -> int | None:
        """Janus' process number, for figures and tests."""
        return self._janus.pid if self._janus is not None else None

    @property
    def healthy(self) -> bool:
        """Whether the engine ticks and Janus is there."""
        return super().healthy and self._client is not None and not self._client.gone

    async def _prepare(self) -> None:
        """Start Janus and make the room."""
        self._janus = await JanusProcess.spawn(self._host_addresses)
        try:
            self._client = await JanusClient.open(self._janus.url, self._janus.api_secret, self._on_gone)
            self._video_room = await self._make_room(self._client, self._janus.admin_key)
        except MediaError as error:
            await self._end()
            raise EngineUnfitError(f"Janus is not fit: {error}") from error

    async def _make_room(self, client: JanusClient, admin_key: str) -> VideoRoom:
        """A room with a placeholder to subscribe to while there is nobody else."""
        handle = await client.attach(lambda _: None)
        number, secret, pin = random.getrandbits(50), secrets.token_hex(16), secrets.token_hex(16)
        body: Object = {
            "request": "create",
            "admin_key": admin_key,
            "room": number,
            "secret": secret,
            "pin": pin,
            "is_private": True,
            "publishers": 1_000_000,
            "notify_joining": False,
            "bitrate": CAP_BPS,
            "audiocodec": "opus",
            "videocodec": self._video.codec.lower(),
            "record": False,
            "lock_record": True,
            "dummy_publisher": True,
            "dummy_streams": [{"codec": "opus"}, {"codec": self._video.codec.lower()}],
        }
        if self._video.codec == "H264":
            body["h264_profile"] = "42e01f"
        await client.ask_room(handle, body)
        said, _ = await client.ask_room(handle, {"request": "join", "room": number, "pin": pin, "ptype": "publisher"})
        publishers = cast("list[Object]", said.get("publishers", []))
        placeholder = next((int(publisher["id"]) for publisher in publishers if publisher.get("dummy")), None)
        if placeholder is None:
            raise EngineUnfitError("this Janus makes no placeholder publisher: 1.1 or newer is needed")
        return VideoRoom(number, secret, pin, placeholder, self._video, admin_key)

    async def _end(self) -> None:
        """End Janus."""
        if self._client is not None:
            await self._client.close()
        if self._janus is not None:
            await self._janus.stop()

    def _on_gone(self) -> None:
        """Janus ended: so did every leg. The supervisor sees the engine unhealthy and starts another worker."""
        for leg in self._legs.values():
            leg.lost_janus()

    def _new_leg(self, leg_id: str, room: str, role: str) -> JanusLeg:
        """A leg that has not offered yet."""
        if self._client is None or self._video_room is None:
            raise EngineUnfitError("the engine was not started")
        return JanusLeg(leg_id, (room, role), self._client, self._video_room, self._events.put)
