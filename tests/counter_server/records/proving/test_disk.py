"""The model of a disk, against what fsync(2) and rename(2) promise: checked by hand on traces of a few calls."""

import random

from counter_server.records.proving.disk import Disk, DiskState, Mode
from counter_server.records.proving.trace import Created, FolderMade, Operation, Renamed, Synced, Written

HOME = "/safe"


def states(*operations: Operation, count: int = 200) -> list[DiskState]:
    disk, rng = Disk(HOME), random.Random(7)  # noqa: S311
    for operation in operations:
        disk.do(operation)
    modes = [Mode.SYNCED, Mode.ALL, *[Mode.PREFIX] * count, *[Mode.SUBSET] * count]
    return [disk.state(mode, rng) for mode in modes]


def contents(found: list[DiskState], path: str) -> set[bytes | None]:
    return {state.files[path].content if path in state.files else None for state in found}


def test_nothing_unsynced_is_promised() -> None:
    found = states(Created("/safe/a", emptied=False), Written("/safe/a", 0, b"x" * 1024))
    assert None in contents(found, "a")
    assert b"" in contents(found, "a")
    assert b"x" * 1024 in contents(found, "a")
    assert b"\0" * 512 + b"x" * 512 in contents(found, "a"), "a write of two sectors can be torn"


def test_a_file_is_safe_only_with_its_name() -> None:
    written = (Created("/safe/a", emptied=False), Written("/safe/a", 0, b"x"), Synced("/safe/a"))
    assert contents(states(*written), "a") == {None, b"x"}
    assert contents(states(*written, Synced("/safe")), "a") == {b"x"}


def test_a_rename_never_loses_both_names() -> None:
    made = (
        FolderMade("/safe/draft"),
        FolderMade("/safe/year"),
        FolderMade("/safe/draft/r"),
        Synced("/safe"),
        Synced("/safe/draft"),
        Renamed("/safe/draft/r", "/safe/year/r"),
    )
    both = {("draft/r" in s.folders, "year/r" in s.folders) for s in states(*made)}
    assert both == {(True, False), (True, True), (False, True)}
    for folder in ("/safe/draft", "/safe/year"):
        after = states(*made, Synced(folder))
        assert all("year/r" in state.folders for state in after), folder


def test_what_is_below_an_unsynced_folder_goes_with_it() -> None:
    made = (
        FolderMade("/safe/f"),
        Created("/safe/f/a", emptied=False),
        Written("/safe/f/a", 0, b"x"),
        Synced("/safe/f/a"),
        Synced("/safe/f"),
    )
    assert contents(states(*made), "f/a") == {None, b"x"}


def test_a_prefix_keeps_the_order() -> None:
    disk, rng = Disk(HOME), random.Random(7)  # noqa: S311
    disk.do(Created("/safe/a", emptied=False))
    disk.do(Synced("/safe"))
    for index in range(6):
        disk.do(Written("/safe/a", index, bytes([index + 1])))
    for _ in range(60):
        content = disk.state(Mode.PREFIX, rng).files["a"].content
        assert content == bytes(range(1, len(content) + 1))
