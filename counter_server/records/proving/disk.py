"""A disk that may lose whatever was not synced: every state a power cut could leave behind, within the model.

After ALICE (Pillai et al., OSDI 2014): content of a file is durable after fsync of the file, a name after fsync of its
folder, in no other order; what was not synced may be there, be there in parts of 512 bytes, or not be there. A rename
is atomic: its old name never goes unless the new one is there.
"""

import hashlib
import os
import random
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from counter_server.errors import StoppedError
from counter_server.records.proving.trace import (
    Acknowledged,
    Created,
    FolderMade,
    Linked,
    Operation,
    Removed,
    Renamed,
    Synced,
    Truncated,
    Written,
)

SECTOR = 512  # bytes a disk writes whole or not at all
TORN = 0.3  # share of unsynced writes of a random state that are torn
NOT_ON_DISK = "-shm"  # SQLite's shared index lives in memory and is rebuilt at every start


class Mode(StrEnum):
    """Which of the unsynced changes a state holds."""

    SYNCED = "synced"  # none
    ALL = "all"
    PREFIX = "prefix"  # those up to some moment
    SUBSET = "subset"  # any, in pieces


@dataclass(slots=True, eq=False)
class _Change:
    """Something a folder or a file was told and may forget. `node` None: the name goes."""

    moment: int
    name: str = ""
    node: "_Node | None" = None
    first: "_Change | None" = None  # must be there before this one: the new name of a rename
    folder: "_Node | None" = None  # whose entry changes
    offset: int = 0
    content: bytes | None = None  # None with `size`: the length was set
    size: int = 0


@dataclass(slots=True, eq=False)
class _Node:
    is_folder: bool
    content: bytearray = field(default_factory=bytearray)
    entries: "dict[str, _Node]" = field(default_factory=dict)  # durable names
    seen: "dict[str, _Node]" = field(default_factory=dict)  # names the running process sees
    pending: "list[_Change]" = field(default_factory=list)
    digest: bytes = b""  # of the durable content, empty when not computed


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of one state: its content and that content's SHA-256."""

    content: bytes
    sha256: bytes


@dataclass(frozen=True, slots=True)
class DiskState:
    """What the disk holds when the power comes back: files and folders by path below the home."""

    files: dict[str, StoredFile]
    folders: frozenset[str]

    def key(self) -> bytes:
        """Equal for equal states."""
        digest = hashlib.sha256()
        for path in sorted(self.files):
            digest.update(path.encode() + b"\0" + self.files[path].sha256)
        digest.update("\0".join(sorted(self.folders)).encode())
        return digest.digest()

    def below(self, folder: str) -> dict[str, StoredFile]:
        """Files below a folder, by their path in it."""
        cut = len(folder) + 1
        return {path[cut:]: stored for path, stored in self.files.items() if path.startswith(folder + "/")}

    def write(self, target: Path) -> None:
        """Lay the state out in an empty folder."""
        for folder in sorted(self.folders):
            (target / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, stored in self.files.items():
            handle = os.open(target / path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(stored.content)


class Disk:
    """Starts as an empty durable home and follows a trace."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._root = _Node(is_folder=True)
        self._moment = 0
        self._nodes: list[_Node] = [self._root]

    def do(self, operation: Operation) -> None:
        """One operation of the trace."""
        self._moment += 1
        match operation:
            case Created(path, emptied):
                folder, name = self._place(path)
                if name not in folder.seen:
                    self._enter(folder, name, self._new(_Node(is_folder=False)))
                elif emptied:
                    folder.seen[name].pending.append(_Change(self._moment, size=0))
            case FolderMade(path):
                folder, name = self._place(path)
                self._enter(folder, name, self._new(_Node(is_folder=True)))
            case Written(path, offset, content):
                self._find(path).pending.append(_Change(self._moment, offset=offset, content=content))
            case Truncated(path, size):
                self._find(path).pending.append(_Change(self._moment, size=size))
            case Linked(source, target):
                self._enter(*self._place(target), self._find(source))
            case Renamed(source, target):
                new = self._enter(*self._place(target), self._find(source))
                self._leave(*self._place(source), first=new)
            case Removed(path):
                self._leave(*self._place(path), first=None)
            case Synced(path):
                self._sync(self._find(path))
            case Acknowledged():
                pass

    def unsynced(self) -> int:
        """How many changes a power cut might take now."""
        return sum(len(node.pending) for node in self._nodes)

    def state(self, mode: Mode, rng: random.Random) -> DiskState:
        """One state after a power cut at this moment."""
        pending = sorted((change for node in self._nodes for change in node.pending), key=lambda c: c.moment)
        cut = rng.choice(pending).moment if mode is Mode.PREFIX and pending else 0
        kept = {
            id(change)
            for change in pending
            if mode is Mode.ALL
            or (mode is Mode.PREFIX and change.moment < cut)
            or (mode is Mode.SUBSET and rng.random() < 0.5)
        }
        for change in pending:
            if id(change) in kept and change.first is not None:
                kept.add(id(change.first))
        files: dict[str, StoredFile] = {}
        folders: set[str] = set()
        torn = rng if mode is Mode.SUBSET else None
        self._lay_out(self._root, "", kept, torn, files, folders)
        return DiskState(files, frozenset(folders))

    def _lay_out(
        self,
        node: _Node,
        at: str,
        kept: set[int],
        torn: random.Random | None,
        files: dict[str, StoredFile],
        folders: set[str],
    ) -> None:
        entries = dict(node.entries)
        for change in node.pending:
            if id(change) in kept:
                _rename_in(entries, change)
        for name, child in entries.items():
            path = f"{at}{name}"
            if child.is_folder:
                folders.add(path)
                self._lay_out(child, path + "/", kept, torn, files, folders)
            elif not path.endswith(NOT_ON_DISK):
                files[path] = _stored(child, kept, torn)

    def _sync(self, node: _Node) -> None:
        for change in node.pending:
            if not node.is_folder:
                _write_in(node.content, change)
                continue
            if change.first is not None and change.first.folder is not None:
                target = change.first.folder
                if change.first in target.pending:
                    _rename_in(target.entries, change.first)
                    target.pending.remove(change.first)
            _rename_in(node.entries, change)
        node.pending.clear()
        node.digest = b""

    def _new(self, node: _Node) -> _Node:
        self._nodes.append(node)
        return node

    def _enter(self, folder: _Node, name: str, node: _Node) -> _Change:
        folder.seen[name] = node
        change = _Change(self._moment, name, node, folder=folder)
        folder.pending.append(change)
        return change

    def _leave(self, folder: _Node, name: str, *, first: _Change | None) -> None:
        del folder.seen[name]
        folder.pending.append(_Change(self._moment, name, None, first=first, folder=folder))

    def _place(self, path: str) -> tuple[_Node, str]:
        above, _, name = path.rpartition("/")
        return self._find(above), name

    def _find(self, path: str) -> _Node:
        node = self._root
        for name in filter(None, path.removeprefix(self._home).split("/")):
            found = node.seen.get(name)
            if found is None:
                raise StoppedError("the trace speaks of a file that the model does not have")
            node = found
        return node


def _rename_in(entries: dict[str, _Node], change: _Change) -> None:
    if change.node is None:
        entries.pop(change.name, None)
    else:
        entries[change.name] = change.node


def _write_in(content: bytearray, change: _Change) -> None:
    if change.content is None:
        length = change.size
        del content[length:]
    else:
        length = change.offset + len(change.content)
    if len(content) < length:
        content.extend(bytes(length - len(content)))
    if change.content is not None:
        content[change.offset : length] = change.content


def _stored(node: _Node, kept: set[int], torn: random.Random | None) -> StoredFile:
    chosen = [change for change in node.pending if id(change) in kept]
    if not chosen:
        if not node.digest:
            node.digest = hashlib.sha256(node.content).digest()
        return StoredFile(bytes(node.content), node.digest)
    content = bytearray(node.content)
    for change in chosen:
        if torn is None or change.content is None or torn.random() >= TORN:
            _write_in(content, change)
            continue
        for at in range(0, len(change.content), SECTOR):
            if torn.random() < 0.5:
                piece = change.content[at : at + SECTOR]
                _write_in(content, _Change(change.moment, offset=change.offset + at, content=piece))
    return StoredFile(bytes(content), hashlib.sha256(content).digest())
