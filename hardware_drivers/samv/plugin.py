"""The maker's library, supplied by the operator, in a child process that is allowed little and killed in time.

Photographs (WLT) and fingerprints (GA/T 1012 features) on the card are in formats whose programs belong to their
makers; this project has none and guesses none. An operator who has a licence names a program that answers one request:

    to its standard input:    kind (1 byte), length (4 bytes, big-endian), that many bytes
        `P`  the 1024 bytes of a WLT photograph
        `F`  a stored feature of 512 bytes and a presented one of 512 bytes
    from its standard output: `R`, length (4 bytes, big-endian), that many bytes; or `E` when it cannot
        `P`  width and height (2 bytes each, big-endian: 102 and 126), then rows from the top, red green blue
        `F`  similarity (2 bytes, big-endian), 0 different to 65535 the same

One child per request: what it does to itself ends with it. It gets no environment, no files to write, bounded memory
and processor time, and it dies with us. It still runs as our user: it is fenced in, not locked in.
`wlt2bmp_library.py` is such a program for libraries with a common function.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hardware_drivers.samv.commands import FINGERPRINT_BYTES, PHOTO_BYTES
from hardware_drivers.samv.errors import PluginError, PluginFault
from hardware_drivers.samv.plugin_limits import NOT_STARTED

PORTRAIT_WIDTH_PX, PORTRAIT_HEIGHT_PX = 102, 126
PORTRAIT_BYTES = PORTRAIT_WIDTH_PX * PORTRAIT_HEIGHT_PX * 3
SIMILARITY_STEPS = 65535
HEAD_BYTES = 5
TIMEOUT_S = 5.0  # a photograph takes milliseconds; loading a maker's library may take seconds
MEMORY_BYTES = 512 << 20
CPU_S = 4
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded portrait: `rgb` holds rows from the top, three bytes per pixel."""

    width_px: int
    height_px: int
    rgb: bytes


@dataclass(frozen=True, slots=True)
class MakerLibrary:
    """The operator's program and what it may use.

    Attributes:
        command: Program (absolute path) and arguments.
        timeout_s: After this the child is killed, with everything it started in its session.
        memory_bytes: Address space it may map.
        cpu_s: Processor time it may use, in whole seconds.
    """

    command: tuple[str, ...]
    timeout_s: float = TIMEOUT_S
    memory_bytes: int = MEMORY_BYTES
    cpu_s: int = CPU_S

    def decode_portrait(self, photo_wlt: bytes) -> Picture:
        """The portrait in 1024 bytes of WLT; `PluginError` when the library does not give one."""
        if len(photo_wlt) != PHOTO_BYTES:
            raise ValueError(f"a WLT photograph has {PHOTO_BYTES} bytes")
        answer = self._request(b"P", photo_wlt, 4 + PORTRAIT_BYTES)
        width_px, height_px = int.from_bytes(answer[:2], "big"), int.from_bytes(answer[2:4], "big")
        if (width_px, height_px) != (PORTRAIT_WIDTH_PX, PORTRAIT_HEIGHT_PX):
            raise PluginError(PluginFault.BAD_ANSWER)
        return Picture(width_px, height_px, answer[4:])

    def compare_fingerprints(self, stored: bytes, presented: bytes) -> float:
        """How similar the library finds two features of 512 bytes, 0 to 1; its scale, not an error rate of ours."""
        if len(stored) != FINGERPRINT_BYTES or len(presented) != FINGERPRINT_BYTES:
            raise ValueError(f"a fingerprint feature has {FINGERPRINT_BYTES} bytes")
        return int.from_bytes(self._request(b"F", stored + presented, 2), "big") / SIMILARITY_STEPS

    def _request(self, kind: bytes, payload: bytes, answer_bytes: int) -> bytes:
        """One child's answer, of exactly that many bytes."""
        limits = [sys.executable, "-I", str(HERE / "plugin_limits.py"), str(self.memory_bytes), str(self.cpu_s)]
        try:
            child = subprocess.Popen(
                [*limits, *self.command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # it may print what is on the card
                cwd="/",
                env={"LC_ALL": "C"},
                start_new_session=True,
            )
        except OSError as error:
            raise PluginError(PluginFault.NOT_STARTED) from error
        with child:
            try:
                answer = self._exchange(child, kind + len(payload).to_bytes(4, "big") + payload, answer_bytes)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
        return answer

    def _exchange(self, child: "subprocess.Popen[bytes]", request: bytes, answer_bytes: int) -> bytes:
        """Send the request, then read until the answer is whole, something is wrong or time is up."""
        assert child.stdin is not None  # noqa: S101  # both are pipes, made in `_request`
        assert child.stdout is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # it left early; its exit says why
            child.stdin.write(request)  # at most 1029 bytes, which an empty pipe always takes
            child.stdin.close()
        give_up_at = time.monotonic() + self.timeout_s
        poll = select.poll()
        poll.register(child.stdout, select.POLLIN)
        answer = b""
        while len(answer) < HEAD_BYTES + answer_bytes and answer[:1] != b"E":
            if not poll.poll(max(0.0, give_up_at - time.monotonic()) * 1000):
                raise PluginError(PluginFault.TIMED_OUT)
            arrived = os.read(child.stdout.fileno(), HEAD_BYTES + answer_bytes + 1 - len(answer))
            if not arrived:
                raise PluginError(self._why_it_ended(child, give_up_at))
            answer += arrived
        if answer[:1] == b"E":
            raise PluginError(PluginFault.REFUSED)
        if answer[:HEAD_BYTES] != b"R" + answer_bytes.to_bytes(4, "big") or len(answer) != HEAD_BYTES + answer_bytes:
            raise PluginError(PluginFault.BAD_ANSWER)
        return answer[HEAD_BYTES:]

    @staticmethod
    def _why_it_ended(child: "subprocess.Popen[bytes]", give_up_at: float) -> PluginFault:
        """What its exit says about an answer that broke off."""
        try:
            code = child.wait(max(0.0, give_up_at - time.monotonic()))
        except subprocess.TimeoutExpired:
            return PluginFault.TIMED_OUT
        if code == NOT_STARTED:
            return PluginFault.NOT_STARTED
        return PluginFault.BAD_ANSWER if code == 0 else PluginFault.CRASHED


def wlt2bmp_library(library: Path, *, function: str = "wlt2bmpBuffer") -> MakerLibrary:
    """A maker's shared library with a function of the form `int f(wlt, bmp, bmp_bytes)`, run by our own adapter."""
    return MakerLibrary((sys.executable, "-I", str(HERE / "wlt2bmp_library.py"), str(library.resolve()), function))


def program(words: Sequence[str]) -> MakerLibrary:
    """A program of the operator's that speaks the protocol above; its path becomes absolute."""
    return MakerLibrary((str(Path(words[0]).resolve()), *words[1:]))
