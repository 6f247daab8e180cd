"""The fallback engine: aiortc as it is, every picture decoded and encoded again. Twenty times the cost.

Chosen by the worker's self-check when a private name that passing through leans on has moved. Recordings and samples
hold pictures that were encoded a second time, because stock aiortc gives out nothing else.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias, cast

import av
from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError

from webrtc.aio.addresses import set_host_addresses
from webrtc.aio.answers import Answering
from webrtc.aio.connection import codecs, new_peer_connection, preferred_codecs
from webrtc.engine import MediaEvent, VideoCodec
from webrtc.errors import NoOtherWayError
from webrtc.leg_engine import LegEngine, Tap
from webrtc.line import LineWatch
from webrtc.rtp import OPUS, VP8

# What Chromium sends of a 640x480 camera on a good line.
PICTURE_BPS = 1_500_000
# A tenth of a second of sound; pictures are never so many behind.
WAITING_FRAMES = 5
# A VP8 payload descriptor of one byte: first packet of a picture (RFC 7741 §4.2). No network sees it, so any size goes.
_WHOLE_PICTURE = b"\x10"
_VP8_OPTIONS = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}


Frame: TypeAlias = av.VideoFrame | av.AudioFrame


class TapEncoder:
    """Encodes decoded frames of one kind for taps, which take packets."""

    def __init__(self, kind: str):
        self._kind = kind
        self._source = object()
        self._sequence = 0
        self._size: tuple[int, int] | None = None
        self._encoder: Any = None
        self.key_wanted = False

    def packets(self, frame: Frame) -> list[tuple[object, int, int, bytes]]:
        """(source, sequence, timestamp, payload) of what this frame completes."""
        encoded = self._picture(frame) if isinstance(frame, av.VideoFrame) else self._sound(frame)
        told: list[tuple[object, int, int, bytes]] = []
        clock_hz = VP8.clock_hz if self._kind == "video" else OPUS.clock_hz
        for packet in encoded:
            payload = bytes(packet)
            if not payload or packet.pts is None or packet.time_base is None:
                continue
            timestamp = int(packet.pts * packet.time_base * clock_hz) & 0xFFFFFFFF
            told.append((self._source, self._sequence, timestamp, payload))
            self._sequence = (self._sequence + 1) & 0xFFFF
        return told

    def _picture(self, frame: av.VideoFrame) -> list[av.Packet]:
        """VP8; a picture of another size begins a new stream."""
        size = frame.width, frame.height
        if self._encoder is None or size != self._size:
            self._size, self._source = size, object()
            encoder = cast("Any", av.CodecContext.create("libvpx", "w"))
            encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
            encoder.time_base, encoder.bit_rate, encoder.options = Fraction(1, VP8.clock_hz), PICTURE_BPS, _VP8_OPTIONS
            encoder.gop_size = 3000
            encoder.thread_count = 1  # libvpx' other threads wait actively: 70 ms of processor time a picture, not 4
            self._encoder = encoder
        picture = frame.reformat(format="yuv420p")
        picture.pict_type = av.video.frame.PictureType.I if self.key_wanted else av.video.frame.PictureType.NONE
        self.key_wanted = False
        return list(self._encoder.encode(picture))

    def _sound(self, frame: av.AudioFrame) -> list[av.Packet]:
        """Opus in frames of 20 ms, as it came."""
        if self._encoder is None:
            encoder = cast("Any", av.CodecContext.create("libopus", "w"))
            encoder.sample_rate, encoder.layout, encoder.format = OPUS.clock_hz, "stereo", "s16"
            encoder.time_base = Fraction(1, OPUS.clock_hz)
            self._encoder = encoder
        return list(self._encoder.encode(frame))


class ShownTrack(MediaStreamTrack):
    """What one participant is shown. It outlives its sources: a sender of aiortc ends for good with its track."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind
        self._frames: deque[Frame] = deque(maxlen=WAITING_FRAMES)
        self._arrived = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._shift: int | None = None
        self._pts = 0

    def show(self, source: MediaStreamTrack | None) -> None:
        """From now on frames of this source, numbered on from the last."""
        if self._pump is not None:
            self._pump.cancel()
        self._pump = None if source is None else asyncio.create_task(self._take(source))

    async def _take(self, source: MediaStreamTrack) -> None:
        """Keep the newest frames; whoever is slow sees now, not then."""
        self._frames.clear()
        self._shift = None
        while True:
            try:
                self._frames.append(cast("Frame", await source.recv()))
            except MediaStreamError:
                return
            self._arrived.set()

    async def recv(self) -> Frame:
        """The next frame."""
        while not self._frames:
            self._arrived.clear()
            await self._arrived.wait()
        frame = self._frames.popleft()
        pts = frame.pts or 0
        if self._shift is None:
            step = frame.samples if isinstance(frame, av.AudioFrame) else VP8.clock_hz // 30
            self._shift = self._pts + step - pts
        self._pts = frame.pts = pts + self._shift
        return frame

    def stop(self) -> None:
        """End, and let go of the source."""
        self.show(None)
        super().stop()


class RelayLeg:
    """A leg whose tracks are subscribed to by others through a MediaRelay."""

    def __init__(
        self,
        leg_id: str,
        place: tuple[str, str],
        relay: MediaRelay,
        tell: Callable[[MediaEvent], None],
        codec: VideoCodec = VideoCodec.VP8,
    ):
        self.room, self.role = place
        self._relay = relay
        self._line = LineWatch(leg_id, tell)
        self._connection: RTCPeerConnection = new_peer_connection()
        self._answering = Answering(self._connection)
        self._tracks: dict[str, MediaStreamTrack] = {}
        self._encoders: dict[str, TapEncoder] = {}
        self._taps: list[Tap] = []
        self._listening: list[asyncio.Task[None]] = []
        self._frames = 0
        self._shown: RelayLeg | None = None
        self._viewers: set[RelayLeg] = set()
        self._shows: dict[str, ShownTrack] = {}
        for kind, name in codecs(codec).items():
            self._shows[kind] = ShownTrack(kind)
            transceiver = self._connection.addTransceiver(self._shows[kind], "sendrecv")
            transceiver.setCodecPreferences(preferred_codecs(kind, name))
        self._connection.on("track", self._on_track)
        self._connection.on("connectionstatechange", self._on_state)

    async def offer(self) -> str:
        """The session description with all our candidates in it."""
        await self._connection.setLocalDescription(await self._connection.createOffer())
        return self._connection.localDescription.sdp

    async def restart(self) -> str:
        """Never: stock aiortc stays on its first credentials."""
        raise NoOtherWayError("this engine looks for a way once: join again")

    async def accept(self, sdp: str) -> None:
        """Apply the answer; raise `BadDescriptionError`."""
        await self._answering.accept(sdp)
        self._line.answered()

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_mline_index: int | None) -> None:
        """Apply a trickled candidate; raise `BadDescriptionError`."""
        await self._answering.add_candidate(candidate, sdp_mid, sdp_mline_index)

    def _on_state(self) -> None:
        """aiortc's state changed: `connected` once, then `failed` or `closed` for good."""
        state = self._connection.connectionState
        if state == "connected":
            self._line.up()
        elif state in ("failed", "closed"):
            self._line.end()

    def _on_track(self, track: MediaStreamTrack) -> None:
        """The page sends this kind: listen to it, and show it to whoever waits."""
        self._tracks[track.kind] = track
        self._encoders[track.kind] = TapEncoder(track.kind)
        own = self._relay.subscribe(track)
        self._listening.append(asyncio.create_task(self._listen(own, self._encoders[track.kind])))
        for viewer in self._viewers:
            viewer._show()

    async def _listen(self, track: MediaStreamTrack, encoder: TapEncoder) -> None:
        """Count frames, and encode them while somebody listens."""
        kind = VP8 if track.kind == "video" else OPUS
        while True:
            try:
                frame = cast("Frame", await track.recv())
            except MediaStreamError:
                return
            self._frames += 1
            if not self._taps:
                continue
            for source, sequence, timestamp, payload in encoder.packets(frame):
                whole = _WHOLE_PICTURE + payload if kind.is_video else payload
                for tap in self._taps:
                    tap.take(kind, source, sequence, timestamp, 1, whole)

    @property
    def over(self) -> bool:
        """Whether the leg ended for good."""
        return self._line.over

    def tick(self, now_s: float) -> None:
        """Notice silence."""
        self._line.tick(self._frames if self._tracks else None, now_s)

    async def attach(self, publisher: "RelayLeg") -> None:
        """Show this leg's participant the publisher."""
        await self.detach()
        self._shown = publisher
        publisher._viewers.add(self)
        self._show()

    async def detach(self) -> None:
        """Show nothing."""
        if self._shown is not None:
            self._shown._viewers.discard(self)
            self._shown = None
            self._show()

    def _show(self) -> None:
        """Send what the publisher has so far."""
        for kind, shows in self._shows.items():
            track = None if self._shown is None else self._shown._tracks.get(kind)
            shows.show(None if track is None else self._relay.subscribe(track))

    def listen(self, tap: Tap) -> None:
        """Give the tap every packet from now on, beginning with a key picture."""
        if tap not in self._taps:
            self._taps.append(tap)
            self.ask_key()

    def ignore(self, tap: Tap) -> None:
        """Give the tap nothing more."""
        if tap in self._taps:
            self._taps.remove(tap)

    def ask_key(self) -> None:
        """Make the next picture a key picture: it is we who encode."""
        if "video" in self._encoders:
            self._encoders["video"].key_wanted = True

    async def close(self) -> None:
        """Hang up without an event; subscribers of this leg keep their last picture."""
        self._line.over = True
        await self.detach()
        for viewer in list(self._viewers):
            await viewer.detach()
        for task in self._listening:
            task.cancel()
        for shows in self._shows.values():
            shows.stop()
        await asyncio.shield(self._connection.close())  # half closed, its sockets would stay open for ever


class RelayEngine(LegEngine[RelayLeg]):
    """`webrtc.engine.MediaEngine` without a process border, on nothing but aiortc's documented names."""

    def __init__(self, *, host_addresses: list[str] | None = None, codec: VideoCodec = VideoCodec.VP8):
        super().__init__()  # taps get VP8 whatever pages speak: it is we who encode
        self._host_addresses = host_addresses
        self._codec = codec
        self._relay = MediaRelay()

    async def _prepare(self) -> None:
        """Offer the addresses we were told."""
        set_host_addresses(self._host_addresses)

    def _new_leg(self, leg_id: str, room: str, role: str) -> RelayLeg:
        """A leg that has not offered yet."""
        return RelayLeg(leg_id, (room, role), self._relay, self._events.put, self._codec)
