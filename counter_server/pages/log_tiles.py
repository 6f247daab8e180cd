"""The log for everybody: checkpoint and tiles as C2SP tlog-tiles names them, below `/log`, and whom to believe."""

import re
from pathlib import Path

from fastapi import APIRouter, Request, Response

from counter_server.errors import CounterError
from counter_server.records.log.files import LogFiles
from counter_server.visits.doors import office_of
from webrtc.wire.message import ErrorCode

router = APIRouter()

# tlog-tiles, "Merkle Tree": level, number in groups of three digits, width of a tile that is not full yet
TILE = re.compile(r"tile/[0-9]{1,2}/(x[0-9]{3}/){0,5}[0-9]{3}(\.p/[0-9]{1,3})?")
TEXTS = ("checkpoint", "policy")
STAMP = re.compile(r"stamped/[1-9][0-9]{0,18}\.(tst|checkpoint)")  # see `visits/stamping.py`
FOR_EVER = "public, max-age=31536000, immutable"  # a tile never changes (tlog-tiles)


@router.get("/log/{name:path}")
async def log_file(request: Request, name: str) -> Response:
    """One file of the published log; nothing else of its folder."""
    folder: Path = LogFiles(office_of(request).settings.home).folder
    if name not in TEXTS and not TILE.fullmatch(name) and not STAMP.fullmatch(name):
        raise CounterError(ErrorCode.NOT_FOUND)
    try:
        content = (folder / name).read_bytes()  # 8 KiB at most: quicker than handing it to a thread
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise CounterError(ErrorCode.NOT_FOUND) from error
    if name in TEXTS:
        return Response(content, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})
    return Response(content, media_type="application/octet-stream", headers={"Cache-Control": FOR_EVER})
