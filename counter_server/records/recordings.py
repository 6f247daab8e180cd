"""Recorded segments in a record: which track they belong to, and where in it they begin.

Segments are pieces of one Matroska stream per track, cut before clusters and numbered in their name. A crash may
leave segments whose figures died with the media worker; they are sealed all the same, as a track that says so.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

from counter_server.records.errors import RecordFormatError
from counter_server.records.journal import instant
from counter_server.records.record import RecordedTrack, RecordingSegment

SEGMENT_NAME = re.compile(r"(?P<track>(?:.*/)?(?P<stem>[^/]+))-(?P<number>[0-9]{4,})\.[a-z0-9]+")
MATROSKA_TYPES = ("video/x-matroska", "video/webm")
CLUSTER = b"\x1f\x43\xb6\x75"  # RFC 9559 §5.1.3
TIMESTAMP = 0xE7  # RFC 9559 §5.1.3.1; stands first in a cluster, but for a checksum
CRC_32 = b"\xbf\x84"  # RFC 8794 §11.3.1: always four bytes; libav writes one into every cluster
LONGEST_TIMESTAMP = 8  # RFC 8794 §7.2: an unsigned integer has at most 8 bytes


def track_and_number(name: str) -> tuple[str, str, int]:
    """Track, side and number of a segment's name; `RecordFormatError` when it has none."""
    found = SEGMENT_NAME.fullmatch(name)
    if found is None:
        raise RecordFormatError("a recorded segment's name ends in its number, such as customer-0003.mkv")
    return found["track"], found["stem"], int(found["number"])


def leftover_tracks(names_and_times: Sequence[tuple[str, float]]) -> tuple[RecordedTrack, ...]:
    """Incomplete tracks of segments that nobody described, from (name, modification time in seconds) of each.

    Their figures are zero because they are unknown; `started_at` is when the first segment was finished.
    """
    ordered = sorted(names_and_times, key=lambda item: track_and_number(item[0])[0::2])
    tracks = []
    for _, group in groupby(ordered, key=lambda item: track_and_number(item[0])[0]):
        segments = list(group)
        tracks.append(
            RecordedTrack(
                side=track_and_number(segments[0][0])[1],
                kind="both",
                started_at=instant(datetime.fromtimestamp(segments[0][1], UTC)),
                frames=0,
                fps_milli=0,
                duration_ms=0,
                gaps=(),
                segments=tuple(RecordingSegment(name, index, None, None) for index, (name, _) in enumerate(segments)),
                complete=False,
            )
        )
    return tuple(tracks)


def first_cluster_at(content: bytes) -> int | None:
    """Byte at which the first Matroska cluster begins; None when there is none."""
    at = content.find(CLUSTER)
    return None if at < 0 else at


def first_cluster_ms(content: bytes) -> int | None:
    """Time of the segment's first cluster on the track's clock, milliseconds; None when it cannot be read."""
    at = first_cluster_at(content)
    if at is None or at + 5 > len(content):
        return None
    # RFC 8794 §4: leading zero bits of the first byte tell how many bytes the size takes
    size_length = 9 - content[at + 4].bit_length()
    stamp_at = at + 4 + size_length
    if content.startswith(CRC_32, stamp_at):
        stamp_at += len(CRC_32) + 4
    if stamp_at + 2 > len(content) or content[stamp_at] != TIMESTAMP:
        return None
    length = content[stamp_at + 1] & 0x7F
    stamp = content[stamp_at + 2 : stamp_at + 2 + length]
    return int.from_bytes(stamp, "big") if 0 < length <= LONGEST_TIMESTAMP and len(stamp) == length else None
