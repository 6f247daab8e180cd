"""Failing disks: the n-th system call kills the process or answers EIO or ENOSPC; and a small disk, really full.

After each fault everybody tries again under the same key, as customers and kiosks do: what was acknowledged before must
still be there, everything must be there in the end, and nothing twice.
"""

import os
import random
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from counter_server.records.proving.crash_model import CrashFigures, recover
from counter_server.records.proving.judge import Flaw, Judge, state_of
from counter_server.records.proving.nursery import Nursery
from counter_server.records.proving.sabotage import Sabotage

CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "mkdir", "link", "unlink", "ftruncate")
KINDS = ("KILL", "EIO", "ENOSPC")
BEFORE = 2  # visits already safe when the disk fails
DURING = 2  # visits under way
FULL_DISK_MIB = 24
FULL_DISK_VISITS = 24
FULL_SEGMENT_BYTES = 600_000  # two per visit: about 18 visits fill the disk
FREED_MIB = 14  # a file that is deleted when the disk is full, as an operator would


@dataclass(slots=True)
class FaultFigures(CrashFigures):
    """What the faults did and what they showed."""

    faults: int = 0
    ended: Counter[str] = field(default_factory=Counter)  # how the process took each kind of fault


@dataclass(frozen=True, slots=True)
class FullDisk:
    """What a really full file system showed; `why_not` when none could be mounted."""

    file_system: str | None
    acknowledged: int = 0
    refused: int = 0
    lost: int = 0
    retried: int = 0
    why_not: str | None = None


def count_calls(nursery: Nursery, scratch: Path, base: Path) -> dict[str, int]:
    """How often the busiest thread makes each call while it seals the visits under way."""
    home, trace = scratch / "counting", scratch / "counting.strace"
    shutil.copytree(base, home)
    options = ("-o", str(trace), "-e", f"trace={','.join(CALLS)}")
    nursery.run(home, tuple(range(BEFORE, BEFORE + DURING)), strace=options)
    per_thread = Counter(re.findall(r"^(\d+) +(\w+)\(", trace.read_text(errors="replace"), re.MULTILINE))
    trace.unlink()
    shutil.rmtree(home)
    return {call: max((n for (_, name), n in per_thread.items() if name == call), default=0) for call in CALLS}


def try_faults(
    nursery: Nursery, scratch: Path, wanted: int, rng: random.Random, *, sabotage: Sabotage | None = None
) -> FaultFigures:
    """Break `wanted` runs at moments spread over every call, and judge each before and after the retry."""
    figures, judge = FaultFigures(), Judge(scratch)
    base = scratch / "base"
    base.mkdir()
    nursery.run(base, tuple(range(BEFORE)))
    counted = count_calls(nursery, scratch, base)
    moments = [(call, kind, n) for call, count in counted.items() for kind in KINDS for n in range(1, count + 1)]
    rng.shuffle(moments)
    for call, kind, n in (moments * (1 + wanted // max(1, len(moments))))[:wanted]:
        home = scratch / "faulty"
        shutil.copytree(base, home)
        fault = "signal=KILL" if kind == "KILL" else f"error={kind}"
        injected = ("-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={n}")
        numbers = tuple(range(BEFORE, BEFORE + DURING))
        run = nursery.run(home, numbers, strace=injected, sabotage=sabotage)
        acknowledged = {*range(BEFORE), *run.acknowledged}
        figures.faults += 1
        figures.ended[f"{kind} {'survived' if run.exit_code == 0 else 'told' if run.exit_code > 0 else 'killed'}"] += 1
        where = f"{kind} at {call} {n}"
        if run.hung:
            figures.add([Flaw("broken", "the counter neither went on nor ended")], where)
        figures.add(judge.flaws(state_of(home), acknowledged), where)
        figures.add(_retry(nursery, judge, home, acknowledged, sabotage), f"{where}, tried again")
        shutil.rmtree(home)
        if sabotage is not None and figures.flaws:
            break
    shutil.rmtree(base)
    return figures


def _retry(nursery: Nursery, judge: Judge, home: Path, acknowledged: set[int], sabotage: Sabotage | None) -> list[Flaw]:
    numbers = tuple(range(BEFORE + DURING))
    if sabotage is None:
        return recover(nursery, judge, home, numbers)
    run = nursery.run(home, numbers, sabotage=sabotage)
    return judge.flaws(state_of(home), {*acknowledged, *run.acknowledged})


def fill_a_disk(nursery: Nursery, scratch: Path) -> FullDisk:
    """Seal until a small real file system is full, free some of it, and try everybody again.

    ext4 in a file where loop devices may be mounted, else a tmpfs of limited size; needs the right to mount.
    """
    mount = scratch / "small"
    mount.mkdir()
    kind, why_not = _mount_small(scratch, mount)
    if kind is None:
        return FullDisk(None, why_not=why_not)
    try:
        home, ballast = mount / "home", mount / "ballast"
        home.mkdir()
        ballast.write_bytes(bytes(FREED_MIB << 20) if kind == "tmpfs" else os.urandom(FREED_MIB << 20))
        numbers, judge = tuple(range(FULL_DISK_VISITS)), Judge(scratch)
        first = nursery.run(home, numbers, segment_bytes=FULL_SEGMENT_BYTES)
        flaws = judge.flaws(state_of(home), first.acknowledged)
        ballast.unlink()
        again = nursery.run(home, numbers)
        flaws += judge.flaws(state_of(home), numbers)
        refused = len(numbers) - len(first.acknowledged)
        retried = len(set(again.acknowledged) - set(first.acknowledged))
        return FullDisk(kind, len(first.acknowledged), refused, len(flaws), retried)
    finally:
        subprocess.run(["umount", str(mount)], check=False, capture_output=True)


def _mount_small(scratch: Path, mount: Path) -> tuple[str | None, str | None]:
    image, tool = scratch / "small.img", shutil.which("mkfs.ext4", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if tool is not None:
        with image.open("wb") as file:
            file.truncate(FULL_DISK_MIB << 20)
        made = subprocess.run([tool, "-q", "-F", str(image)], check=False, capture_output=True)
        if made.returncode == 0 and _mounted(["-o", "loop", str(image), str(mount)]):
            return "ext4", None
    if _mounted(["-t", "tmpfs", "-o", f"size={FULL_DISK_MIB}m", "tmpfs", str(mount)]):
        return "tmpfs", None
    return None, "no right to mount a small file system here"


def _mounted(words: list[str]) -> bool:
    try:
        return subprocess.run(["mount", *words], check=False, capture_output=True).returncode == 0
    except OSError:
        return False
