"""The parent's end of a card process: the clock, the kill, and the words for what went wrong."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NoReturn, Self

from hardware_drivers.errors import (
    CardMuteError,
    CardRemovedError,
    DeviceError,
    DeviceGoneError,
    DeviceTimeoutError,
    ReaderBusyError,
    TamperedAnswerError,
)
from hardware_drivers.smartcard.channel import UNTRIED_LIMITS, LinkLimits, ends_batch
from hardware_drivers.smartcard.readers import CARD_TIMEOUT_S, COMMAND_TIMEOUT_S

FRAME_MAX = 70_000  # as in pcsc_worker, which a machine without PC/SC cannot import
PACKAGE_ROOT = Path(__file__).resolve().parents[2]
LEAVE_WITHIN_S = 1.5  # the worker leaves by itself within 1 s

# PC/SC codes by what somebody can do about them (pcsclite.h; measured in research id_card.md §1).
BUSY = {0x8010000B}  # sharing violation
REMOVED = {0x80100069, 0x8010000C, 0x80100068}  # removed, no smart card, reset by somebody (a swap shows so)
MUTE = {0x80100066, 0x80100067, 0x8010000F, 0x80100016, 0x80100065}  # unresponsive, unpowered, protocol, transact


def error_for(code: int) -> DeviceError:
    """The exception a person can act on, for a PC/SC code."""
    words = f"PC/SC code 0x{code:08X}"
    if code in BUSY:
        return ReaderBusyError(words)
    if code in REMOVED:
        return CardRemovedError(words)
    if code in MUTE:
        return CardMuteError(words)
    return DeviceGoneError(words)


class PcscLink:
    """A card held by a child process. After the first error every call fails: a handle that outlives a swap would
    silently speak to the next person's card (research id_card.md §1)."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        to_card: IO[bytes],
        from_card: IO[bytes],
        command_timeout_s: float,
        card_timeout_s: float,
    ) -> None:
        self._process = process
        self._to_card = to_card
        self._from_card = from_card
        self._received = bytearray()
        self._command_timeout_s = command_timeout_s
        self._over_at = time.monotonic() + card_timeout_s
        self._ended: DeviceError | None = None
        self._atr = b""
        self._limits = UNTRIED_LIMITS

    @classmethod
    def open(
        cls, reader: str, *, command_timeout_s: float = COMMAND_TIMEOUT_S, card_timeout_s: float = CARD_TIMEOUT_S
    ) -> Self:
        """The card now on that reader, exclusively.

        Raises:
            ReaderBusyError, CardRemovedError, CardMuteError, DeviceGoneError: as their names say.
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "hardware_drivers.smartcard.pcsc_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PACKAGE_ROOT,  # so that -m finds us, wherever the kiosk was started
            start_new_session=True,  # Ctrl-C at the kiosk must not end a reading half-way
        )
        if process.stdin is None or process.stdout is None:
            raise DeviceGoneError("the card process came without pipes")
        link = cls(process, process.stdin, process.stdout, command_timeout_s, card_timeout_s)
        link._send(reader.encode())
        link._atr = link._receive()
        return link

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._atr

    @property
    def limits(self) -> LinkLimits:
        """What this way carries, as known now."""
        return self._limits

    def learn(self, limits: LinkLimits) -> None:
        """Remember for the rest of this session."""
        self._limits = limits

    def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
        """One answer per command, up to the first that ends the batch."""
        answers: list[bytes] = []
        for command in commands:
            if self._ended is not None:
                raise type(self._ended)("this card session is over")
            self._send(command)
            answers.append(self._receive())
            if ends_batch(answers[-1]):
                break
        return answers

    def close(self) -> None:
        """End the child, gently if it can still hear."""
        if self._ended is None:
            self._ended = DeviceGoneError("closed")
        if self._process.returncode is not None:
            return
        try:
            self._to_card.close()
            self._process.wait(LEAVE_WITHIN_S)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self._process.kill()
            self._process.wait()
        finally:
            self._from_card.close()

    def _fail(self, error: DeviceError) -> NoReturn:
        """Kill the child, remember why, raise."""
        self._ended = error
        self._process.kill()
        self.close()
        raise error

    def _send(self, payload: bytes) -> None:
        """One frame to the child."""
        try:
            self._to_card.write(len(payload).to_bytes(4, "big") + payload)
            self._to_card.flush()
        except BrokenPipeError:
            self._fail(DeviceGoneError("the card process is gone"))

    def _receive(self) -> bytes:
        """One answer from the child, in time."""
        give_up_at = time.monotonic() + self._command_timeout_s
        head = self._take(4, give_up_at)
        length = int.from_bytes(head, "big")
        if not 1 <= length <= FRAME_MAX:
            self._fail(TamperedAnswerError(f"frame of {length} bytes from the card process"))
        payload = self._take(length, give_up_at)
        if payload[:1] == b"E":
            self._fail(error_for(int.from_bytes(payload[1:], "big")))
        return payload[1:]

    def _take(self, count: int, give_up_at: float) -> bytes:
        """Exactly `count` bytes of the child's output."""
        while len(self._received) < count:
            left_s = min(give_up_at, self._over_at) - time.monotonic()
            if left_s <= 0 or not select.select([self._from_card], [], [], left_s)[0]:
                if time.monotonic() >= self._over_at:
                    self._fail(DeviceTimeoutError("the card took longer than it may in all"))
                self._fail(CardMuteError(f"no answer within {self._command_timeout_s:.0f} s"))
            part = os.read(self._from_card.fileno(), FRAME_MAX)
            if not part:
                self._fail(DeviceGoneError("the card process ended"))
            self._received += part
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken
