"""Once a day a time stamp (RFC 3161) on the log's newest checkpoint: an outsider's word on when the log was that long.

<home>/log/stamped/<size>.checkpoint    the signed note that was stamped
<home>/log/stamped/<size>.tst           the token over its bytes: openssl ts -verify -token_in -data <size>.checkpoint
"""

import asyncio
import hashlib
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from counter_server.records.durable import PUBLIC_FILE, make_folder, write_once
from counter_server.records.errors import RecordError
from counter_server.records.log.files import LogFiles
from counter_server.signing.errors import SigningError
from counter_server.signing.time_authority import TimeStamper
from counter_server.signing.worker import open_desk
from counter_server.visits.office import Office

log = logging.getLogger(__name__)

EVERY = timedelta(days=1)
LOOK_S = 600.0  # an authority that was away is asked again within ten minutes


async def stamp_log(office: Office) -> None:
    """Stamp until cancelled. Trouble is told and tried again."""
    while True:
        try:
            await asyncio.to_thread(_stamp_if_due, office)
        except (RecordError, SigningError, OSError) as error:
            log.error("the log's checkpoint was not stamped: %s", type(error).__name__)
        await asyncio.sleep(LOOK_S)


def _stamp_if_due(office: Office) -> None:
    files = LogFiles(office.settings.home)
    if is_due(files, datetime.now(UTC)):
        stamp_checkpoint(files, open_desk(office.settings.keys, office.settings.signing).clock)


def is_due(files: LogFiles, now: datetime) -> bool:
    """Whether the newest stamp is a day old and something new is published."""
    if not files.checkpoint.exists() or stamp_of(files, read_size(files.checkpoint.read_bytes())).exists():
        return False
    stamps = list((files.folder / "stamped").glob("*.tst"))
    return all(now.timestamp() - stamp.stat().st_mtime >= EVERY.total_seconds() for stamp in stamps)


def stamp_checkpoint(files: LogFiles, clock: TimeStamper) -> Path:
    """Have the published checkpoint stamped; the token's file.

    Raises:
        TimeStampError: nobody said what time it is.
        StoreError: the disk refused.
    """
    note = files.checkpoint.read_bytes()
    token = clock.stamp(hashlib.sha256(note).digest())
    stamp = stamp_of(files, read_size(note))
    make_folder(stamp.parent)
    write_once(stamp.with_suffix(".checkpoint"), note, PUBLIC_FILE)
    write_once(stamp, token, PUBLIC_FILE)
    return stamp


def stamp_of(files: LogFiles, size: int) -> Path:
    """Where the token of a checkpoint lies."""
    return files.folder / "stamped" / f"{size}.tst"


def read_size(note: bytes) -> int:
    """Leaves of a checkpoint of our own."""
    return int(note.split(b"\n")[1])
