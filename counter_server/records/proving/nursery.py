"""Runs of the sealing process: plain, watched by strace, or with strace making the n-th call fail."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from counter_server.errors import StoppedError
from counter_server.records.proving.sabotage import Sabotage
from counter_server.records.proving.workload import SEGMENT_BYTES, Task

ATTACH_WITHIN_S = 20.0
HUNG_AFTER_S = 60.0  # a run takes a fifth of a second
TRACED = (
    "openat,write,pwrite64,writev,pwritev,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,link,linkat,"
    "unlink,unlinkat,rmdir,mkdir,mkdirat,ftruncate,lseek,sendfile,copy_file_range"
)
LONGEST_WRITE = 1 << 20  # bytes of a call's content that strace keeps; no write of the workload is longer


@dataclass(frozen=True, slots=True)
class Run:
    """How one run ended and whom it acknowledged."""

    exit_code: int  # negative: ended by that signal
    acknowledged: tuple[int, ...]
    second_writer: bool
    hung: bool  # it had to be killed: somebody would have waited for ever


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of disk states are written and thrown away."""
    memory = Path("/dev/shm")  # noqa: S108 - a private folder is made inside
    folder = Path(tempfile.mkdtemp(prefix="counter-proof-", dir=memory if os.access(memory, os.W_OK) else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Nursery:
    """One loaded interpreter that forks a sealing process per run."""

    def __init__(self, scratch: Path) -> None:
        if shutil.which("strace") is None:
            raise StoppedError("strace is not installed; the crash test watches and breaks system calls with it")
        self._scratch = scratch
        self._runs = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "counter_server.records.proving.workload"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def run(
        self,
        home: Path,
        numbers: tuple[int, ...],
        *,
        at_once: int = 1,
        sabotage: Sabotage | None = None,
        strace: tuple[str, ...] | None = None,
        segment_bytes: int = SEGMENT_BYTES,
        probe: bool = False,
    ) -> Run:
        """Seal these visits in a home; with `strace`, only once it is attached with these options.

        `probe` tries to open the home a second time at the end, as a second counter would.
        """
        self._runs += 1
        acknowledgements = self._scratch / f"acks-{self._runs}"
        gate = self._scratch / f"gate-{self._runs}"
        os.mkfifo(gate)
        latch = os.open(gate, os.O_RDWR)  # both ways: never waits for a child that died before its gate
        kind = None if sabotage is None else sabotage.value
        traced = None if strace is None else str(gate)
        task = Task(str(home), str(acknowledgements), numbers, at_once, kind, traced, segment_bytes, probe)
        assert self._process.stdin is not None  # noqa: S101 - both are pipes, see above
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(json.dumps(asdict(task)) + "\n")
        self._process.stdin.flush()
        child = self._process.stdout.readline().strip()
        watcher = None if strace is None else self._attach(child, strace, latch)
        hung = threading.Event()
        patience = threading.Timer(HUNG_AFTER_S, _end_hung, (int(child), hung))
        patience.start()
        code = int(self._process.stdout.readline())
        patience.cancel()
        if watcher is not None:
            watcher.wait()
        said = acknowledgements.read_text() if acknowledgements.exists() else ""
        numbers_said = tuple(int(number) for number in re.findall(r"^ACK (\d+)$", said, re.MULTILINE))
        os.close(latch)
        gate.unlink()
        acknowledgements.unlink(missing_ok=True)
        return Run(code, numbers_said, "SECOND WRITER" in said, hung.is_set())

    def _attach(self, child: str, options: tuple[str, ...], latch: int) -> "subprocess.Popen[bytes]":
        """Start strace on a child that waits at its gate, and open the gate when strace says it holds it."""
        told = self._scratch / f"strace-{self._runs}"
        with told.open("wb") as said:
            watcher = subprocess.Popen(["strace", "-f", "-p", child, *options], stderr=said)
        until = time.monotonic() + ATTACH_WITHIN_S
        while b"attached" not in told.read_bytes():
            if watcher.poll() is not None or time.monotonic() > until:
                os.write(latch, b"g")
                raise StoppedError(f"strace could not attach: {told.read_text(errors='replace').strip()[:200]}")
            time.sleep(0.002)
        os.write(latch, b"g")
        told.unlink()
        return watcher


def _end_hung(child: int, hung: threading.Event) -> None:
    hung.set()
    os.kill(child, signal.SIGKILL)
