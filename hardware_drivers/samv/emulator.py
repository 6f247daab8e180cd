"""A SAM_V reader that is not there: a pseudo-terminal with a module and a card behind it.

The production driver opens it like any serial line. `path` is a link that stays the same while the reader is unplugged
and plugged in again, as udev's links by name do.
"""

import contextlib
import os
import select
import shutil
import struct
import tempfile
import threading
import time
import tty
from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from hardware_drivers.samv.commands import (
    COMMANDS,
    FIND,
    MODULE_ID,
    READ,
    READ_ADDED_ADDRESS,
    READ_WITH_FINGERPRINTS,
    RESET,
    SELECT,
    STATUS,
    Command,
)
from hardware_drivers.samv.frame import HEAD_BYTES, SHORTEST_COMMAND_LEN, FrameFault, FrameReader, encode
from hardware_drivers.samv.people import EmulatedCard
from hardware_drivers.samv.status import Status

EMULATED_MODULE_ID = struct.pack("<HHIII", 5, 3, 20180101, 12345, 123456789)
NOISE_BEFORE = bytes.fromhex("00FFAAAA96AA")
FLOOD = b"\x55" * 200
DRIP_S = 0.002


class Fault(StrEnum):
    """What can go wrong with one answer."""

    WRONG_CHECKSUM = "wrong_checksum"
    WRONG_LENGTH = "wrong_length"  # Len announces 64 KB
    LONGER = "longer"  # a good frame with one byte more than this answer has
    SILENCE = "silence"
    STATUS = "status"
    UNKNOWN_STATUS = "unknown_status"
    TRUNCATED = "truncated"
    NOISE = "noise"  # a few stray bytes before the frame, as when a line is plugged in
    FLOOD = "flood"  # many stray bytes and no frame
    LYING_LENGTHS = "lying_lengths"  # the lengths in front of a card's content are not those of the content
    SLOW = "slow"  # a few bytes at a time
    UNPLUGGED = "unplugged"


@dataclass(slots=True)
class PlannedFault:
    """A fault, for the next answers to that command or to any."""

    fault: Fault
    times: int
    status: Status
    command: Command | None


class SamvEmulator:
    """An emulated reader on a pseudo-terminal; a context manager.

    Attributes:
        path: What to open in place of a serial line.
        asked: Every command that arrived whole, oldest first.
    """

    def __init__(self, card: EmulatedCard | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="samv-"))
        self.path = self._folder / "reader"
        self.asked: list[Command] = []
        self._card = card
        self._found = self._selected = False
        self._planned: deque[PlannedFault] = deque()
        self._lock = threading.Lock()
        self._master = self._slave = -1
        self._unplugging = False
        self._wake_read, self._wake_write = os.pipe()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Plugged in."""
        self.plug_in()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Unplugged, nothing left behind."""
        self.unplug()
        os.close(self._wake_read)
        os.close(self._wake_write)
        shutil.rmtree(self._folder)

    def put(self, card: EmulatedCard) -> None:
        """Lay a card on the reader, in place of any other."""
        with self._lock:
            self._card, self._found, self._selected = card, False, False

    def lift(self) -> None:
        """Take the card away."""
        with self._lock:
            self._card, self._found, self._selected = None, False, False

    def fail_next(
        self, fault: Fault, *, times: int = 1, status: Status = Status.UNKNOWN_FAULT, command: Command | None = None
    ) -> None:
        """Break the next answers.

        Args:
            status: With `Fault.STATUS`, which one.
            command: Only answers to this command.
        """
        with self._lock:
            self._planned.append(PlannedFault(fault, times, status, command))

    def plug_in(self) -> None:
        """Plug the reader in, freshly powered."""
        self._found = self._selected = self._unplugging = False
        self._master, self._slave = os.openpty()  # holding the far end too lets the driver come and go
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path.symlink_to(os.ttyname(self._slave))
        self._thread = threading.Thread(target=self._serve, name="samv-emulator", daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Pull the cable; nothing when it is out."""
        if self._thread is not None:
            self._unplugging = True
            os.write(self._wake_write, b".")
            self._thread.join()
            self._thread = None
            if select.select([self._wake_read], [], [], 0)[0]:  # a planned fault had unplugged it before
                os.read(self._wake_read, 1)

    def _serve(self) -> None:
        """Answer until unplugged."""
        frames = FrameReader(SHORTEST_COMMAND_LEN)
        while not self._unplugging:
            ready, _, _ = select.select([self._master, self._wake_read], [], [])
            if self._wake_read in ready:
                break
            outcome = frames.feed(os.read(self._master, 4096))
            if outcome is FrameFault.WRONG_CHECKSUM:
                self._write(encode(bytes([0, 0, Status.CHECKSUM_WRONG])))
            elif outcome is FrameFault.WRONG_LENGTH:
                self._write(encode(bytes([0, 0, Status.LENGTH_WRONG])))
            elif isinstance(outcome, bytes):
                self._answer(outcome)
        self.path.unlink()
        os.close(self._master)
        os.close(self._slave)

    def _answer(self, body: bytes) -> None:
        """Do what was asked, then answer well or as planned."""
        command = next((known for known in COMMANDS if known.code == body), None)
        if command is None:
            self._write(encode(bytes([0, 0, Status.COMMAND_WRONG])))
            return
        with self._lock:
            self.asked.append(command)
            planned = self._take_planned(command)
            status, payload = self._perform(command)
        frame = encode(bytes([0, 0, status]) + payload)
        match planned.fault if planned else None:
            case None:
                self._write(frame)
            case Fault.WRONG_CHECKSUM:
                self._write(frame[:-1] + bytes([frame[-1] ^ 0x01]))
            case Fault.WRONG_LENGTH:
                self._write(frame[: HEAD_BYTES - 2] + b"\xff\xff" + frame[HEAD_BYTES:])
            case Fault.LONGER:
                self._write(encode(bytes([0, 0, status]) + payload + b"\0"))
            case Fault.SILENCE:
                pass
            case Fault.STATUS:
                self._write(encode(bytes([0, 0, planned.status if planned else Status.UNKNOWN_FAULT])))
            case Fault.UNKNOWN_STATUS:
                self._write(encode(b"\0\0\x5a"))
            case Fault.TRUNCATED:
                self._write(frame[: len(frame) // 2])
            case Fault.NOISE:
                self._write(NOISE_BEFORE + frame)
            case Fault.FLOOD:
                self._write(FLOOD)
            case Fault.LYING_LENGTHS:
                self._write(encode(bytes([0, 0, status]) + b"\xff\xff" + payload[2:]))
            case Fault.SLOW:
                for at in range(0, len(frame), 64):
                    self._write(frame[at : at + 64])
                    time.sleep(DRIP_S)
            case Fault.UNPLUGGED:
                self._write(frame[: len(frame) // 2])
                self._unplugging = True

    def _take_planned(self, command: Command) -> PlannedFault | None:
        """The first planned fault that meets this command, used up once."""
        for planned in self._planned:
            if planned.command in (None, command):
                planned.times -= 1
                if planned.times == 0:
                    self._planned.remove(planned)
                return planned
        return None

    def _perform(self, command: Command) -> tuple[Status, bytes]:
        """What the module does, in the order find, select, read."""
        card = self._card
        if command is RESET:
            self._found = self._selected = False
        if command in (RESET, STATUS):
            return Status.DONE, b""
        if command is MODULE_ID:
            return Status.DONE, EMULATED_MODULE_ID
        if command is FIND:
            self._found, self._selected = card is not None, False
            return (Status.FOUND, card.find_answer) if card else (Status.NOT_FOUND, b"")
        if command is SELECT:
            self._selected = card is not None and self._found
            return (Status.DONE, card.serial) if card and self._selected else (Status.NOT_SELECTED, b"")
        if card is None or not self._selected:
            return Status.READ_FAILED, b""
        if command is READ_ADDED_ADDRESS:
            joined = b"".join(card.added_addresses)
            return (Status.DONE, joined) if joined else (Status.NOT_STORED, b"")
        content = card.text + card.photo_wlt
        lengths = len(card.text).to_bytes(2, "big") + len(card.photo_wlt).to_bytes(2, "big")
        if command is READ:
            return Status.DONE, lengths + content
        assert command is READ_WITH_FINGERPRINTS  # noqa: S101  # COMMANDS holds no other
        return Status.DONE, lengths + len(card.fingerprints).to_bytes(2, "big") + content + card.fingerprints

    def _write(self, frame: bytes) -> None:
        """Send, as far as somebody takes it; a real module does not wait for its host either."""
        with contextlib.suppress(OSError):
            while frame:
                frame = frame[os.write(self._master, frame) :]
