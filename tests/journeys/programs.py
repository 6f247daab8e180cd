"""Programs that the demo starts, watches and ends: none is left behind, whatever ends the demo."""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1  # prctl(2): the kernel's promise to end us with our parent, even if that is killed outright
STOP_WITHIN_S = 10.0
LIBC = ctypes.CDLL(None)


class ProgramError(Exception):
    """A program ended, or did not become ready; the message carries its last words."""


def free_port(preferred: int = 0) -> int:
    """A port of 127.0.0.1 that nobody listens on: the preferred one where it is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", preferred))
            return int(probe.getsockname()[1])
    return free_port()


def die_with_parent() -> None:
    """Runs in the child before it becomes the program."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def last_lines(log: Path, count: int) -> list[str]:
    """The end of a log."""
    return log.read_text("utf-8", "replace").strip().splitlines()[-count:]


class Program:
    """One program in a process group of its own, its words in a log file."""

    def __init__(self, name: str, words: Sequence[str], log: Path, extra: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                list(words),
                cwd=REPOSITORY,
                env={**os.environ, **(extra or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,  # Ctrl-C is for the demo, which then ends its programs in order
                preexec_fn=die_with_parent,
            )

    @property
    def pid(self) -> int:
        """Of the program itself."""
        return self._process.pid

    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait_ready(self, within_s: float) -> dict[str, object]:
        """Its line of JSON with `"ready": true`.

        Raises:
            ProgramError: it ended, or said nothing in time.
        """
        out = self._process.stdout
        give_up_at = time.monotonic() + within_s
        pending = b""
        while out is not None and time.monotonic() < give_up_at:
            if not select.select([out], [], [], 0.1)[0]:
                continue
            part = os.read(out.fileno(), 65536)
            if not part:
                break
            with self.log.open("ab") as file:
                file.write(part)
            *lines, pending = (pending + part).split(b"\n")
            for line in lines:
                with contextlib.suppress(json.JSONDecodeError):
                    said = json.loads(line)
                    if isinstance(said, dict) and said.get("ready") is True:
                        return said
        raise ProgramError(f"{self.name} did not become ready: {self.last_words()}")

    def stop(self) -> None:
        """Ask it to end, then make sure that its whole group has."""
        if self.running():
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_WITHIN_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def kill(self) -> None:
        """SIGKILL to the program alone, as the kernel does when memory runs out."""
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        return " | ".join(last_lines(self.log, 6))


def run_once(words: Sequence[str], *, given: str = "") -> str:
    """Run a command to its end; what it printed.

    Raises:
        ProgramError: with its last words, when it fails.
    """
    done = subprocess.run(list(words), cwd=REPOSITORY, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProgramError(f"{' '.join(words[1:6])}: {(done.stdout + done.stderr).strip()[-400:]}")
    return done.stdout
