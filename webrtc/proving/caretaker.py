"""Network namespaces of ours by name, and who takes them away when we cannot.

A namespace outlives every process, so nothing in a process that may be killed is enough: a child in a session of its
own waits for our end, whatever it was, and what even that child left is taken away at the next start.
"""

import contextlib
import os
import re
import subprocess
from pathlib import Path

_NAMED = Path("/run/netns")
_OURS = re.compile(r"cv(\d+)-.+")
_PATIENCE_S = 10.0
# `read` returns at the end of its input: when we close the pipe, or the kernel does because we are gone.
_SCRIPT = 'read -r nothing; for name in "$@"; do ip netns del "$name"; done'


def namespace(name: str) -> str:
    """What this process calls its namespace of that name."""
    return f"cv{os.getpid()}-{name}"


def clear_stale() -> tuple[str, ...]:
    """Take away namespaces whose process is gone; their names."""
    stale: list[str] = []
    for path in sorted(_NAMED.glob("cv*")):
        owner = _OURS.fullmatch(path.name)
        if owner is not None and not Path("/proc", owner[1]).exists():
            done = subprocess.run(["ip", "netns", "del", path.name], capture_output=True, check=False)
            if done.returncode == 0:  # else another start was quicker
                stale.append(path.name)
    return tuple(stale)


class Caretaker:
    """Takes these namespaces away at `close`, or when this process ends in whatever way."""

    def __init__(self, names: tuple[str, ...]):
        self._child = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "caretaker", *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a signal to our whole group is not for it
        )

    def close(self) -> None:
        """Return when they are gone."""
        if self._child.stdin is not None:
            with contextlib.suppress(OSError):
                self._child.stdin.close()
        try:
            self._child.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
