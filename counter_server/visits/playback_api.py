"""HTTP for watching recordings: a list, a viewing with its reason, and the file by ranges (RFC 9110 §14)."""

import asyncio
import re

from fastapi import APIRouter, Request, Response

from counter_server.errors import CounterError
from counter_server.records.errors import RecordError
from counter_server.visits import playback
from counter_server.visits.doors import Clerk, office_of
from counter_server.visits.once import json_response
from webrtc.wire.message import ErrorCode
from webrtc.wire.recording import WatchRecording

router = APIRouter(prefix="/api/console")

# One range of bytes, as a player asks; several at once, or the last n bytes, no page of ours does.
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})?")
MOST_BYTES = 4 << 20  # two full segments: what one answer decrypts into memory
MEDIA_TYPE = "video/x-matroska"


@router.get("/recordings")
async def recordings(request: Request, clerk: Clerk) -> Response:
    """What could be watched."""
    listed = await playback.list_recordings(office_of(request), clerk)
    return json_response(listed.model_dump_json())


@router.post("/recordings/{record_id}/viewings")
async def begin(request: Request, clerk: Clerk, record_id: str, body: WatchRecording) -> Response:
    """Note it, then open."""
    viewing = await playback.begin_viewing(office_of(request), clerk, record_id, body)
    return json_response(viewing.model_dump_json())


@router.get("/viewings/{viewing_id}/{number}.mkv")
async def watch(request: Request, clerk: Clerk, viewing_id: str, number: int) -> Response:
    """A range of one track."""
    playback.require_watcher(clerk)
    viewing = office_of(request).viewings.of(viewing_id, clerk.clerk_id)
    if not 0 <= number < len(viewing.tracks):
        raise CounterError(ErrorCode.NOT_FOUND)
    track = viewing.tracks[number]
    asked = _RANGE.fullmatch(request.headers.get("range", "bytes=0-"))
    if asked is None:
        raise CounterError(ErrorCode.BAD_REQUEST, "one range of bytes, please")
    first = int(asked[1])
    last = min(int(asked[2]) if asked[2] else track.size - 1, first + MOST_BYTES - 1, track.size - 1)
    if first > last:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{track.size}"})
    try:
        content = await asyncio.to_thread(track.read_at, first, last - first + 1)
    except RecordError as error:
        raise CounterError(ErrorCode.RECORD_BROKEN) from error
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Range": f"bytes {first}-{last}/{track.size}",
    }
    return Response(content, status_code=206, media_type=MEDIA_TYPE, headers=headers)
