"""From a leg's encoded pictures to pixels: sampled in the media worker, decoded in the consumer's process."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from webrtc.engine import EncodedPicture
from webrtc.rtp import KEY_AGAIN_S, Assembler, PayloadFormat

# Up to this pace key pictures alone are cheaper: one costs the page as much as ten others.
KEY_ONLY_PACE = 1.0
_DECODERS = {"VP8": "vp8", "H264": "h264"}

Picture = NDArray[np.uint8]


class PictureSampler:
    """A tap that puts pictures together and delivers them, always decodable in the order delivered."""

    def __init__(
        self, *, pictures_per_s: float, deliver: Callable[[EncodedPicture], None], ask_key: Callable[[], None]
    ):
        self._deliver = deliver
        self._ask_key = ask_key
        self._key_every_s = 1 / pictures_per_s if 0 < pictures_per_s <= KEY_ONLY_PACE else None
        self._key_asked_s = float("-inf")
        self._source: object = None
        self._assembler: Assembler | None = None

    def take(
        self, kind: PayloadFormat, source: object, sequence: int, timestamp: int, marker: int, payload: bytes
    ) -> None:
        """One packet of the leg, in any order."""
        if not kind.is_video:
            return
        now_s = time.monotonic()
        if self._assembler is None or source is not self._source:
            self._source, self._assembler = source, Assembler(kind)
            self._key_asked_s = now_s if kind.begins_key(payload, 0) else float("-inf")
        holes = self._assembler.holes
        for frame in self._assembler.push(sequence, timestamp, marker, payload, now_s):
            if frame.key or self._key_every_s is None:
                camera_s = frame.timestamp / kind.clock_hz
                self._deliver(EncodedPicture(frame.payload, frame.key, kind.codec, now_s, camera_s))
        pause_s = KEY_AGAIN_S if self._assembler.waits_for_key else self._key_every_s
        due = pause_s is not None and now_s - self._key_asked_s >= pause_s
        if due or self._assembler.holes > holes:
            self._key_asked_s = now_s
            self._ask_key()

    def hear(self, kind: PayloadFormat, source: object, ntp: int, timestamp: int) -> None:
        """A sender report: pictures alone need none."""


@dataclass(slots=True)
class PictureDecoder:
    """Keeps a decoder fed with every picture, and turns into BGR only the ones asked for.

    Feeding costs about 1.6 ms per 640x480 picture. Not thread-safe: one owner.
    """

    codec: str
    _context: Any = None
    _frame: Any = None
    decoded: int = 0
    broken: int = 0
    latest_at_s: float | None = None

    def feed(self, picture: EncodedPicture) -> None:
        """Decode the next picture. Before a key picture, and after a broken one until the next key, nothing happens."""
        if self._context is None:
            if not picture.key:
                return
            self._context = av.CodecContext.create(_DECODERS[self.codec], "r")
            self._context.thread_count = 1
        try:
            frames = self._context.decode(av.Packet(picture.payload))
        except av.FFmpegError:
            self._context = None  # its references are in doubt: start over from a key picture
            self.broken += 1
            return
        if frames:
            self._frame = frames[-1]
            self.decoded += 1
            self.latest_at_s = picture.at_s

    def latest(self) -> Picture | None:
        """The last decoded picture as (height, width, 3) uint8, blue first; None before the first."""
        if self._frame is None:
            return None
        pixels: Picture = self._frame.to_ndarray(format="bgr24")
        return pixels
