"""Watching a sealed recording from anywhere in it: only the chunks that hold the wanted bytes are opened.

A track's segments are pieces of one Matroska stream; put one behind the other they are the file. Nobody's disk ever
holds it: bytes are opened as they are asked for.
"""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from counter_server.records.agefile import AgeIdentity
from counter_server.records.agereader import AgeReader
from counter_server.records.errors import RecordFormatError, StoreError
from counter_server.records.record import OBJECT_FOLDER, OBJECT_SUFFIX, Manifest, RecordedTrack
from counter_server.records.recordings import first_cluster_ms

# The first segment begins with EBML header and track descriptions, 0.5 KB; the others with their cluster's time.
HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment in the file they make together."""

    path: Path
    offset: int
    size: int
    start_ms: int  # on the track's clock


class TrackReader:
    """One track's file, read anywhere."""

    def __init__(self, track: RecordedTrack, pieces: tuple[Piece, ...], identity: AgeIdentity) -> None:
        self.track = track
        self.pieces = pieces
        self.size = pieces[-1].offset + pieces[-1].size
        self._identity = identity
        self._offsets = [piece.offset for piece in pieces]

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; `WrongKeyError` when something was changed since it was sealed."""
        content = bytearray()
        end = min(offset + length, self.size)
        while offset < end:
            piece = self.pieces[bisect_right(self._offsets, offset) - 1]
            with open_object(piece.path) as file:
                part = AgeReader(self._identity, file).read_at(offset - piece.offset, end - offset)
            if not part:
                raise RecordFormatError("a segment is shorter than it was")
            content += part
            offset += len(part)
        return bytes(content)


def open_object(path: Path) -> BinaryIO:
    """The encrypted file; `StoreError` when it cannot be had."""
    try:
        return path.open("rb")
    except OSError as error:
        raise StoreError(f"a segment cannot be read: {error.strerror}") from error


def open_tracks(folder: Path, manifest: Manifest, identity: AgeIdentity) -> tuple[TrackReader, ...]:
    """Every track of a record that its key opens. Reads the first and last 64 KiB of each segment."""
    paths = {item.name: folder / OBJECT_FOLDER / f"{item.sha256}{OBJECT_SUFFIX}" for item in manifest.objects}
    readers = []
    for track in manifest.recordings:
        heads: list[tuple[Path, int, int]] = []
        for segment in sorted(track.segments, key=lambda each: each.index):
            path = paths.get(segment.name)
            if path is None:
                raise RecordFormatError("a track names a segment the record does not hold")
            with open_object(path) as file:
                reader = AgeReader(identity, file)
                stamp = segment.start_ms
                if stamp is None:
                    stamp = first_cluster_ms(reader.read_at(0, HEAD_BYTES))
            heads.append((path, reader.size, heads[-1][2] if stamp is None and heads else stamp or 0))
        if not heads:
            continue
        offsets = [0, *accumulate(size for _, size, _ in heads)]
        pieces = tuple(Piece(path, offsets[at], size, start) for at, (path, size, start) in enumerate(heads))
        readers.append(TrackReader(track, pieces, identity))
    return tuple(readers)
