"""How supervisor and worker talk: frames of JSON with an optional tail of bytes, over a Unix socket.

A frame is two 32-bit lengths (big-endian), the JSON object, the tail. Three kinds of objects:
`{"call": 7, "do": "accept", …}`, its answer `{"call": 7, "gives": …}` or `{"call": 7, "fails": "UnknownLegError",
"says": "…"}`, and events `{"event": "LegConnected", …}` whose picture, if any, is the tail.
"""

import asyncio
import json
import struct
from dataclasses import asdict
from datetime import datetime
from typing import Any

from webrtc import errors
from webrtc.engine import (
    EncodedPicture,
    LegClosed,
    LegConnected,
    LineBack,
    LineLost,
    LineMinute,
    MediaEvent,
    PictureSampled,
    PictureSize,
    RecordedTrack,
    TrackQuality,
    WorkerDied,
)
from webrtc.errors import MediaError

_LENGTHS = struct.Struct("!II")
# A session description is 5 KB, a long recording's list of segments 100 KB, a 1080p key picture 300 KB.
FRAME_MAX_BYTES = 16 << 20

Object = dict[str, Any]


def pack_frame(message: Object, tail: bytes = b"") -> bytes:
    """One frame's bytes."""
    text = json.dumps(message, separators=(",", ":")).encode()
    return _LENGTHS.pack(len(text), len(tail)) + text + tail


async def read_frame(reader: asyncio.StreamReader) -> tuple[Object, bytes]:
    """The next frame; raise `asyncio.IncompleteReadError` at the end and `ValueError` on nonsense."""
    text_length, tail_length = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
    if text_length + tail_length > FRAME_MAX_BYTES:
        raise ValueError(f"a frame of {text_length + tail_length} bytes")
    message = json.loads(await reader.readexactly(text_length))
    if not isinstance(message, dict):
        raise ValueError("a frame that is no object")
    return message, await reader.readexactly(tail_length)


def pack_event(event: MediaEvent) -> bytes:
    """An event's frame."""
    match event:
        case PictureSampled(leg_id, picture):
            message: Object = {"event": "PictureSampled", "leg_id": leg_id, "key": picture.key}
            message |= {"codec": picture.codec, "at_s": picture.at_s, "camera_s": picture.camera_s}
            return pack_frame(message, picture.payload)
        case WorkerDied(rooms):
            return pack_frame({"event": "WorkerDied", "rooms": list(rooms)})
        case LegConnected(leg_id) | LineLost(leg_id) | LineBack(leg_id) | LegClosed(leg_id):
            return pack_frame({"event": type(event).__name__, "leg_id": leg_id})


def read_event(message: Object, tail: bytes) -> MediaEvent:
    """The event a frame told."""
    match message["event"]:
        case "PictureSampled":
            picture = EncodedPicture(tail, message["key"], message["codec"], message["at_s"], message["camera_s"])
            return PictureSampled(message["leg_id"], picture)
        case "LegConnected":
            return LegConnected(message["leg_id"])
        case "LineLost":
            return LineLost(message["leg_id"])
        case "LineBack":
            return LineBack(message["leg_id"])
        case "LegClosed":
            return LegClosed(message["leg_id"])
        case unknown:
            raise ValueError(f"no event is called {unknown}")


def track_to_json(track: RecordedTrack) -> Object:
    """A recorded track as JSON carries it."""
    return {
        "role": track.role,
        "name": track.name,
        "segments": [list(segment) for segment in track.segments],
        "started_at": track.started_at.isoformat(),
        "duration_s": track.duration_s,
        "frames": track.frames,
        "gaps": [list(gap) for gap in track.gaps],
        "width": track.width,
        "height": track.height,
        "fps_measured": track.fps_measured,
        "complete": track.complete,
        "quality": None if track.quality is None else asdict(track.quality),
    }


def track_from_json(message: Object) -> RecordedTrack:
    """The recorded track again."""
    segments = tuple((str(name), int(size), str(sha256)) for name, size, sha256 in message.pop("segments"))
    gaps = tuple((float(at_s), float(length_s)) for at_s, length_s in message.pop("gaps"))
    started_at = datetime.fromisoformat(message.pop("started_at"))
    told = message.pop("quality")
    quality = None
    if told is not None:
        sizes = tuple(PictureSize(**size) for size in told.pop("sizes"))
        minutes = tuple(LineMinute(**minute) for minute in told.pop("minutes"))
        quality = TrackQuality(sizes=sizes, minutes=minutes, **told)
    return RecordedTrack(segments=segments, gaps=gaps, started_at=started_at, quality=quality, **message)


def failure_to_json(error: MediaError) -> Object:
    """What a failed call answers."""
    return {"fails": type(error).__name__, "says": str(error)}


def failure_from_json(message: Object) -> MediaError:
    """The same exception on the other side."""
    kind = getattr(errors, str(message["fails"]), MediaError)
    failure: MediaError = kind(str(message["says"]))
    return failure
