"""The tree as files that any web server can show: C2SP tlog-tiles, 256 hashes to a tile.

Tiles are a copy: they are made from the database and can be made again. A full tile never changes; a partial one is
made for each checkpoint that needs it and goes when its full one is there. Entries are not among them: a record's
entry is its manifest, which stays in the safe.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from counter_server.records.durable import PUBLIC_FILE, make_folder, replace_file
from counter_server.records.log.errors import LogForkError, LogUnprovenError
from counter_server.records.log.merkle import HASH_BYTES, Place, node_hash

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT


class Tile(NamedTuple):
    """Hashes `position * 256` and following of every 8th level; full when `width` is 256."""

    level: int
    position: int
    width: int

    def path(self) -> str:
        """tlog-tiles: groups of three digits, all but the last with an x before them."""
        number, groups = self.position, f"{self.position % 1000:03d}"
        while number := number // 1000:
            groups = f"x{number % 1000:03d}/{groups}"
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{groups}{partial}"

    def places(self) -> tuple[Place, ...]:
        """The complete subtrees whose hashes the tile holds."""
        first = self.position * TILE_WIDTH
        return tuple(Place(self.level * TILE_HEIGHT, first + number) for number in range(self.width))


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """Tiles that a tree of `new` leaves has and one of `old` leaves had not."""
    level = 0
    while (hashes := new >> TILE_HEIGHT * level) > 0:
        before = old >> TILE_HEIGHT * level
        if hashes > before:
            for position in range(before // TILE_WIDTH, -(-hashes // TILE_WIDTH)):
                yield Tile(level, position, min(TILE_WIDTH, hashes - position * TILE_WIDTH))
        level += 1


def write_tile(folder: Path, tile: Tile, content: bytes) -> None:
    """Put a durable tile in place.

    Raises:
        LogForkError: another tile is there already. Nothing is overwritten.
    """
    path = folder / tile.path()
    if path.exists():
        if path.read_bytes() == content:
            return
        raise LogForkError(f"{tile.path()} was published with other hashes")
    make_folder(path.parent)
    replace_file(path, content, PUBLIC_FILE)
    if tile.width == TILE_WIDTH:
        _drop_partial(path)


class TileReader:
    """Reads a tree of `size` leaves from its tiles. `read` fits `merkle.ReadHashes`; nothing read is believed.

    Whoever uses it compares the root it leads to with a signed one.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self._rows: dict[tuple[int, int], list[list[bytes]]] = {}

    def read(self, places: Sequence[Place]) -> tuple[bytes, ...]:
        """Hashes of complete subtrees; `LogUnprovenError` when a tile is missing or too short."""
        return tuple(self._hash(place) for place in places)

    def _hash(self, place: Place) -> bytes:
        level, height = divmod(place.level, TILE_HEIGHT)
        first = place.position << height
        position = first // TILE_WIDTH
        rows = self._rows.get((level, position))
        if rows is None:
            rows = self._rows[level, position] = _grow(self._load(level, position))
        return rows[height][(first % TILE_WIDTH) >> height]

    def _load(self, level: int, position: int) -> bytes:
        hashes = self._size >> TILE_HEIGHT * level
        tile = Tile(level, position, min(TILE_WIDTH, hashes - position * TILE_WIDTH))
        for path in (tile.path(), tile._replace(width=TILE_WIDTH).path()):  # tlog-tiles: the full one serves as well
            try:
                content = (self._folder / path).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise LogUnprovenError(f"{path} cannot be read: {error.strerror}") from error
            if len(content) >= tile.width * HASH_BYTES:
                return content[: tile.width * HASH_BYTES]
        raise LogUnprovenError(f"{tile.path()} is missing or too short")


def _grow(content: bytes) -> list[list[bytes]]:
    """The tile's hashes and everything complete above them."""
    rows = [[content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return rows


def _drop_partial(full: Path) -> None:
    folder = full.with_name(f"{full.name}.p")
    if folder.is_dir():
        for old in folder.iterdir():
            old.unlink()
        folder.rmdir()
