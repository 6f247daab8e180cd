"""What a process did to its disk, read from strace: a list of operations on paths inside one folder."""

import re
from dataclasses import dataclass
from pathlib import Path

from counter_server.errors import StoppedError

LINE = re.compile(
    r"(?P<pid>\d+) +(?P<call>\w+)\((?P<words>.*)\) += (?P<result>-?\d+)(?:<(?P<path>[^>]*)>)?.*", re.DOTALL
)
UNFINISHED = re.compile(r"(?P<pid>\d+) +(?P<begun>.*) <unfinished \.\.\.>")
RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. \w+ resumed>(?P<rest>.*)")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
HANDLE = re.compile(r"(\d+|AT_FDCWD)<([^>]*)>(\(deleted\))?")


@dataclass(frozen=True, slots=True)
class Created:
    """A file was opened for writing; made if it was not there, emptied if asked."""

    path: str
    emptied: bool


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes at an offset of a file."""

    path: str
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Truncated:
    """A file's length was set."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """fsync or fdatasync came back with success, on a file or a folder."""

    path: str


@dataclass(frozen=True, slots=True)
class FolderMade:
    """A new folder."""

    path: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A file or folder under another name."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Linked:
    """A second name for a file."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A name that is gone."""

    path: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Visit `number` was answered for: from here on it may not be lost."""

    number: int


Operation = Created | Written | Truncated | Synced | FolderMade | Renamed | Linked | Removed | Acknowledged


def read_trace(trace: Path, home: Path) -> tuple[Operation, ...]:
    """Operations below `home` in the order they came back, and acknowledgements.

    Raises:
        StoppedError: strace shows a call that this reader does not model; nothing may be concluded then.
    """
    reader = _Reader(str(home))
    begun: dict[str, str] = {}
    for line in trace.read_text(encoding="ascii", errors="replace").splitlines():
        if held := UNFINISHED.fullmatch(line):
            begun[held["pid"]] = held["begun"]
            continue
        if rest := RESUMED.fullmatch(line):
            line = f"{rest['pid']} {begun.pop(rest['pid'], '')}{rest['rest']}"
        if (call := LINE.fullmatch(line)) and int(call["result"]) >= 0:
            reader.take(call["call"], call["words"], int(call["result"]))
    return tuple(reader.operations)


class _Reader:
    def __init__(self, home: str) -> None:
        self.operations: list[Operation] = []
        self._home = home
        self._offsets: dict[int, int] = {}

    def take(self, call: str, words: str, result: int) -> None:
        """One call that succeeded."""
        if call == "write" and (told := re.match(rb"ACK (\d+)\n", _content(words))) and not self._is_ours(words):
            self.operations.append(Acknowledged(int(told[1])))
            return
        if call in ("openat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "link", "linkat"):
            self._names(call, words, result)
        elif call in ("unlink", "rmdir", "unlinkat"):
            (path,) = self._paths(words)
            self._note(path, Removed(path))
        elif self._is_ours(words):
            self._handles(call, words, result)

    def _names(self, call: str, words: str, result: int) -> None:
        paths = self._paths(words)
        if call == "openat":
            self._offsets[result] = 0
            if "O_CREAT" in words or "O_TRUNC" in words:
                self._note(paths[0], Created(paths[0], "O_TRUNC" in words))
        elif call.startswith("mkdir"):
            self._note(paths[0], FolderMade(paths[0]))
        elif call.startswith("rename"):
            self._note(paths[0], Renamed(paths[0], paths[1]))
        else:
            self._note(paths[0], Linked(paths[0], paths[1]))

    def _handles(self, call: str, words: str, result: int) -> None:
        held = HANDLE.match(words)
        if held is None or held[3]:
            return
        number, path = int(held[1]), _decoded(held[2])
        match call:
            case "write":
                at = self._offsets.get(number, 0)
                self._note(path, Written(path, at, _content(words)[:result]))
                self._offsets[number] = at + result
            case "pwrite64":
                self._note(path, Written(path, int(words.rsplit(",", 1)[1]), _content(words)[:result]))
            case "lseek":
                self._offsets[number] = result
            case "ftruncate":
                self._note(path, Truncated(path, int(words.rsplit(",", 1)[1])))
            case "fsync" | "fdatasync":
                self._note(path, Synced(path))
            case _:
                raise StoppedError(f"the crash model does not know {call} on a file of the safe")

    def _note(self, path: str, operation: Operation) -> None:
        if path == self._home or path.startswith(self._home + "/"):
            self.operations.append(operation)

    def _is_ours(self, words: str) -> bool:
        held = HANDLE.match(words)
        return held is not None and (_decoded(held[2]) + "/").startswith(self._home + "/")

    def _paths(self, words: str) -> list[str]:
        """Every path among a call's arguments, made absolute by the folder handle before it."""
        folders = [_decoded(held[2]) for held in HANDLE.finditer(words)]
        paths = [_decoded(quoted) for quoted in QUOTED.findall(words)]
        if len(folders) < len(paths):
            folders += [""] * (len(paths) - len(folders))
        return [
            path if path.startswith("/") else f"{folder}/{path}" for folder, path in zip(folders, paths, strict=False)
        ]


def _content(words: str) -> bytes:
    quoted = QUOTED.search(words)
    return b"" if quoted is None else _raw(quoted[1])


def _decoded(spelling: str) -> str:
    return _raw(spelling).decode(errors="surrogateescape")


def _raw(spelling: str) -> bytes:
    # with -xx every byte of a string is \xNN; a path behind a handle may be in plain letters
    return bytes.fromhex(spelling.replace("\\x", "")) if spelling.startswith("\\x") else spelling.encode()
