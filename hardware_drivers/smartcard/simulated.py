"""A card as a process of its own, put on a reader by connecting to it and taken off by hanging up.

It speaks the vpcd protocol: frames of u16 length and payload; a one-byte payload is a control (0 off, 1 on, 2 reset,
4 get ATR), anything longer is a command. So it joins real `pcscd` through the vpcd driver, and equally `cable.py`.

    python -m hardware_drivers.smartcard.simulated --port 35963 --card card.json
"""

import argparse
import logging
import random
import secrets
import signal
import socket
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Protocol

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip.card_file import PersonalisedCard
from hardware_drivers.id_chip.hostile_chip import Depth, HostileChip, Lies, spoil_files
from hardware_drivers.id_chip.simulated_chip import SimulatedChip

log = logging.getLogger("simulated-card")

POWER_OFF, POWER_ON, RESET, GET_ATR = 0, 1, 2, 4
FRAME_MAX = 65_535  # u16 length: what a chip says beyond it never leaves the card
JOIN_AGAIN_S = 0.2  # pcscd restarts in 10-30 ms (research id_card.md §1)


class Chip(Protocol):
    """What sits on the card."""

    @property
    def atr(self) -> bytes:
        """Answer to reset."""

    def answer(self, raw: bytes) -> bytes:
        """The answer to one command."""

    def reset(self) -> None:
        """Power or reset."""


class PulledError(Exception):
    """Somebody, or the script, took the card off the reader."""


@dataclass(slots=True)
class Faults:
    """What goes wrong, and after how many commands; None is never."""

    pull_after: int | None = None
    mute_after: int | None = None


class VpcdCard:
    """A chip at the end of a vpcd connection."""

    def __init__(self, chip: Chip, faults: Faults) -> None:
        self._chip = chip
        self._faults = faults
        self._commands = 0

    def serve(self, host: str, port: int) -> None:
        """Be on the reader until pulled; join again whenever the reader's side goes away."""
        while True:
            try:
                with socket.create_connection((host, port)) as reader:
                    log.info("on the reader")
                    self.serve_connection(reader)
            except OSError:
                self._chip.reset()
                time.sleep(JOIN_AGAIN_S)

    def serve_connection(self, reader: socket.socket) -> None:
        """Answer frames until the other side hangs up, which is an `OSError`."""
        while True:
            length = int.from_bytes(_receive(reader, 2), "big")
            payload = _receive(reader, length)
            if length == 1:
                if payload[0] == GET_ATR:
                    _send(reader, self._chip.atr)
                elif payload[0] in (POWER_OFF, POWER_ON, RESET):
                    self._chip.reset()
                continue
            self._commands += 1
            if self._faults.pull_after is not None and self._commands > self._faults.pull_after:
                raise PulledError
            if self._faults.mute_after is not None and self._commands > self._faults.mute_after:
                continue
            _send(reader, self._chip.answer(payload)[:FRAME_MAX])


def _receive(reader: socket.socket, count: int) -> bytes:
    """Exactly `count` bytes, or `ConnectionError`."""
    received = bytearray()
    while len(received) < count:
        # vpcd sends length and body in two sends: without an immediate acknowledgement Nagle's algorithm and the
        # delayed one make 49 ms per command, with it 0.1 ms (research id_card.md §1). The option does not last.
        reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = reader.recv(count - len(received))
        if not part:
            raise ConnectionError("the reader hung up")
        received += part
    return bytes(received)


def _send(reader: socket.socket, payload: bytes) -> None:
    """One frame."""
    reader.sendall(len(payload).to_bytes(2, "big") + payload)


def _pull(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM is the hand that takes the card away."""
    raise PulledError


def _chip(card: PersonalisedCard, arguments: argparse.Namespace) -> SimulatedChip:
    """The honest chip, or its evil twin."""
    extended = not arguments.short
    if arguments.lies is None:
        return SimulatedChip.of(card, secrets.token_bytes, extended=extended)
    lies = Lies(random.Random(arguments.seed), Depth(arguments.lies), rate=0.3)  # noqa: S311 - repeatable on purpose
    if lies.depth is Depth.FILES:
        card = replace(card, files=spoil_files(lies.rng, card.files, {}, lies.told))
    twin = HostileChip.of(card, secrets.token_bytes, extended=extended)
    twin.lies = lies
    return twin


def main() -> int:
    """Put the card on the reader; ends when it is pulled."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="where the reader listens")
    parser.add_argument("--port", type=int, required=True, help="where vpcd or the cable listens")
    parser.add_argument("--card", type=Path, required=True, help="card.json, or a folder of specimen files")
    parser.add_argument("--short", action="store_true", help="take no extended length")
    parser.add_argument("--pull-after", type=int, metavar="N", help="hang up when command N+1 arrives")
    parser.add_argument("--lies", choices=[depth.value for depth in Depth], help="a hostile chip, and where it lies")
    parser.add_argument("--seed", type=int, default=1, help="of its lies")
    parser.add_argument("--mute-after", type=int, metavar="N", help="never answer after N commands")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    try:
        card = PersonalisedCard.load(arguments.card)
    except (OSError, MalformedFileError) as error:
        print(f"{arguments.card}: {error}", file=sys.stderr)
        return 2
    chip = _chip(card, arguments)
    signal.signal(signal.SIGTERM, _pull)
    try:
        VpcdCard(chip, Faults(arguments.pull_after, arguments.mute_after)).serve(arguments.host, arguments.port)
    except (PulledError, KeyboardInterrupt):
        log.info("taken off the reader")
    return 0


if __name__ == "__main__":
    sys.exit(main())
