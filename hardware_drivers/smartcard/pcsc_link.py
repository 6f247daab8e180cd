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
from hardware_drivers.smartcard.channel import SHORT_LIMITS, UNTRIED_LIMITS, LinkLimits, ends_batch
from hardware_drivers.smartcard.limits import (
    PROBE,
    LimitsMemory,
    is_extended,
    limits_after_failure,
    limits_after_probe,
    reader_model,
)
from hardware_drivers.smartcard.readers import ASK_AGAIN_S, CARD_TIMEOUT_S, COMMAND_TIMEOUT_S

FRAME_MAX = 70_000  # as in pcsc_worker, which a machine without PC/SC cannot import
NOT_ANNOUNCED = 0xFFFFFFFF  # as there
PACKAGE_ROOT = Path(__file__).resolve().parents[2]
LEAVE_WITHIN_S = 1.5  # the worker leaves by itself within 1 s
PROBE_TIMEOUT_S = 2.0  # a file's first block takes milliseconds; a card mute from the start is told before 6 s are over
FREED_WITHIN_S = 1.0  # pcscd notices a killed client at once, unless its driver still waits for the card

# PC/SC codes by what somebody can do about them (pcsclite.h; measured in research id_card.md §1).
BUSY = {0x8010000B}  # sharing violation
REMOVED = {0x80100069, 0x8010000C, 0x80100068}  # removed, no smart card, reset by somebody (a swap shows so)
LOST = {0x80100016, 0x80100008, 0x8010000F}  # not transacted, insufficient buffer, protocol: sizes may be why
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
        model: str,
        memory: LimitsMemory,
    ) -> None:
        self._process = process
        self._to_card = to_card
        self._from_card = from_card
        self._received = bytearray()
        self._command_timeout_s = command_timeout_s
        self._over_at = time.monotonic() + card_timeout_s
        self._ended: DeviceError | None = None
        self._atr = b""
        self._extended = False
        self._model = model
        self._memory = memory

    @classmethod
    def open(
        cls,
        reader: str,
        *,
        command_timeout_s: float = COMMAND_TIMEOUT_S,
        card_timeout_s: float = CARD_TIMEOUT_S,
        memory: LimitsMemory | None = None,
    ) -> Self:
        """The card now on that reader, exclusively.

        Args:
            memory: What was learnt about reader models and cards; a first meeting costs one more command.

        Raises:
            ReaderBusyError, CardRemovedError, CardMuteError, DeviceGoneError: as their names say.
        """
        known = memory if memory is not None else LimitsMemory()
        link = cls._spawn(reader, command_timeout_s, card_timeout_s, known)
        announced = link._greet(reader)
        if known.recall(link._model, link._atr) is None:
            known.note(link._model, link._atr, UNTRIED_LIMITS)
            link._command_timeout_s = min(command_timeout_s, PROBE_TIMEOUT_S)
            try:
                (answer,) = link.transmit_many([PROBE])
                link._command_timeout_s = command_timeout_s
            except CardMuteError:
                if known.recall(link._model, link._atr) != SHORT_LIMITS:
                    raise  # it took the watchdog's whole time: let the caller decide whether to begin again
                # The reader lost the command: it carries short ones only, and that handle has ended.
                silent = link
                try:
                    link = cls._open_again(reader, command_timeout_s, card_timeout_s, known)
                except CardMuteError:
                    known.forget(silent._model, silent._atr)  # it was mute altogether, which says nothing of lengths
                    raise
            else:
                link.learn(limits_after_probe(answer, announced))
        return link

    @classmethod
    def _spawn(cls, reader: str, command_timeout_s: float, card_timeout_s: float, memory: LimitsMemory) -> Self:
        """The child, running and not yet spoken to."""
        process = subprocess.Popen(
            [sys.executable, "-m", "hardware_drivers.smartcard.pcsc_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PACKAGE_ROOT,  # so that -m finds us, wherever the kiosk was started
            start_new_session=True,  # Ctrl-C at the kiosk must not end a reading half-way
        )
        if process.stdin is None or process.stdout is None:
            raise DeviceGoneError("the card process came without pipes")
        model = reader_model(reader)
        return cls(process, process.stdin, process.stdout, command_timeout_s, card_timeout_s, model, memory)

    @classmethod
    def _open_again(cls, reader: str, command_timeout_s: float, card_timeout_s: float, memory: LimitsMemory) -> Self:
        """A new child after we killed one; `CardMuteError` while pcscd cannot free the card from the old one."""
        give_up_at = time.monotonic() + FREED_WITHIN_S
        while time.monotonic() < give_up_at:
            link = cls._spawn(reader, command_timeout_s, card_timeout_s, memory)
            try:
                link._greet(reader)
            except ReaderBusyError:
                time.sleep(ASK_AGAIN_S)
            else:
                return link
        raise CardMuteError("lost a command and holds its reader")

    def _greet(self, reader: str) -> int | None:
        """Name the reader, take the ATR; returns what the reader announces as its largest APDU, if it does."""
        self._send(reader.encode())
        greeting = self._receive()
        self._atr = greeting[4:]
        announced = int.from_bytes(greeting[:4], "big")
        return None if announced == NOT_ANNOUNCED else announced

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._atr

    @property
    def limits(self) -> LinkLimits:
        """What reader and card carry, as known now."""
        return self._memory.recall(self._model, self._atr) or UNTRIED_LIMITS

    def learn(self, limits: LinkLimits) -> None:
        """Remember, for every reader of this model and every card with this ATR."""
        self._memory.note(self._model, self._atr, limits)

    def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
        """One answer per command, up to the first that ends the batch."""
        answers: list[bytes] = []
        for command in commands:
            if self._ended is not None:
                raise type(self._ended)("this card session is over")
            self._extended = is_extended(command)
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
            code = int.from_bytes(payload[1:], "big")
            if self._extended and code in LOST:
                self.learn(limits_after_failure(self.limits))
            self._fail(error_for(code))
        return payload[1:]

    def _take(self, count: int, give_up_at: float) -> bytes:
        """Exactly `count` bytes of the child's output."""
        while len(self._received) < count:
            left_s = min(give_up_at, self._over_at) - time.monotonic()
            if left_s <= 0 or not select.select([self._from_card], [], [], left_s)[0]:
                if time.monotonic() >= self._over_at:
                    self._fail(DeviceTimeoutError("the card took longer than it may in all"))
                if self._extended and self.limits.extended is None:
                    self.learn(SHORT_LIMITS)  # some chips fall silent over extended length instead of refusing it
                self._fail(CardMuteError(f"no answer within {self._command_timeout_s:.0f} s"))
            part = os.read(self._from_card.fileno(), FRAME_MAX)
            if not part:
                self._fail(DeviceGoneError("the card process ended"))
            self._received += part
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken
