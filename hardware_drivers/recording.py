"""What crossed a cable, as JSONL, and the same again without the device.

A recording is for finding out why a reader behaved as it did, so it keeps commands, lengths, status words and times;
what is personal is masked before it is written. Of a card that means every answer's data (encrypted or not) and every
command's data, except SELECT by name and the lengths: a recording proves how a card answered, never what it holds.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from hardware_drivers.errors import CardRemovedError, DeviceError, MalformedFileError, RecordingDiffersError
from hardware_drivers.smartcard.apdu import BadCommandError, Command
from hardware_drivers.smartcard.channel import UNTRIED_LIMITS, CardLink, LinkLimits, ends_batch

FORMAT = "visual-counter-card-recording/1"
MASK = 0xA5  # data bytes become this; the number of bytes stays
SELECT, BY_NAME = 0xA4, 0x04  # ISO/IEC 7816-4:2020 §11.2.2: an application's name is public
LINE_MAX = 300_000  # an extended command and its answer in hexadecimal


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command and its answer, masked, or the error that came instead.

    Attributes:
        error: Class name out of `errors.py`, empty when an answer came.
        took_ms: From sending to the answer.
    """

    command: bytes
    answer: bytes
    error: str
    took_ms: float


def masked_command(raw: bytes) -> bytes:
    """The command with its data made unreadable; header and lengths stay."""
    try:
        command = Command.parse(raw)
    except BadCommandError:
        return bytes((MASK,)) * len(raw)
    if not command.data or (command.ins == SELECT and command.p1 == BY_NAME):
        return raw
    begin = 5 if raw[4] else 7  # behind a short or an extended Lc
    return raw[:begin] + bytes((MASK,)) * len(command.data) + raw[begin + len(command.data) :]


def masked_answer(raw: bytes) -> bytes:
    """The answer with its data made unreadable; the status word stays."""
    return bytes((MASK,)) * max(0, len(raw) - 2) + raw[-2:]


@dataclass(slots=True)
class Recorder:
    """A link worn over another one, writing one line per command.

    Attributes:
        reader: The reader's name, for the first line.
        monotonic: Clock, seconds.
    """

    link: CardLink
    out: TextIO
    reader: str = ""
    monotonic: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._write({"format": FORMAT, "reader": self.reader, "atr": self.link.atr.hex()})

    @property
    def atr(self) -> bytes:
        """The card's."""
        return self.link.atr

    @property
    def limits(self) -> LinkLimits:
        """The link's."""
        return self.link.limits

    def learn(self, limits: LinkLimits) -> None:
        """The link learns."""
        self.link.learn(limits)

    def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
        """The link's answers; what took how long is known per batch, so it stands at its last line."""
        began = self.monotonic()
        try:
            answers = self.link.transmit_many(commands)
        except DeviceError as error:
            took_ms = (self.monotonic() - began) * 1000
            for command in commands:
                self._note(Exchange(command, b"", type(error).__name__, took_ms))
            raise
        took_ms = (self.monotonic() - began) * 1000
        for index, (command, answer) in enumerate(zip(commands, answers, strict=False)):
            self._note(Exchange(command, answer, "", took_ms if index == len(answers) - 1 else 0.0))
        return answers

    def close(self) -> None:
        """The link closes; the file stays its owner's."""
        self.link.close()

    def _note(self, exchange: Exchange) -> None:
        """One line, masked."""
        self._write(
            {
                "c": masked_command(exchange.command).hex(),
                "r": masked_answer(exchange.answer).hex() if exchange.answer else "",
                "e": exchange.error,
                "ms": round(exchange.took_ms, 2),
            }
        )

    def _write(self, line: dict[str, object]) -> None:
        """And out, so that a crash loses nothing."""
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()


@dataclass(slots=True)
class Replayer:
    """A link that answers what was recorded, to whoever sends the same commands as far as the mask lets see."""

    atr: bytes
    exchanges: Sequence[Exchange]
    limits: LinkLimits = UNTRIED_LIMITS
    at: int = 0
    _ended: bool = field(default=False, init=False)

    @classmethod
    def load(cls, path: Path) -> "Replayer":
        """The recording in a file; `MalformedFileError` when it is none."""
        exchanges: list[Exchange] = []
        try:
            with path.open(encoding="ascii") as lines:
                first = json.loads(lines.readline(LINE_MAX))
                if first["format"] != FORMAT:
                    raise MalformedFileError("recording", "of another format")
                while line := lines.readline(LINE_MAX):
                    entry = json.loads(line)
                    exchange = Exchange(
                        bytes.fromhex(entry["c"]), bytes.fromhex(entry["r"]), str(entry["e"]), float(entry["ms"])
                    )
                    exchanges.append(exchange)
                return cls(bytes.fromhex(first["atr"]), exchanges)
        except (ValueError, KeyError, TypeError) as error:
            raise MalformedFileError("recording", type(error).__name__) from error

    def learn(self, limits: LinkLimits) -> None:
        """For this replay."""
        self.limits = limits

    def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
        """The recorded answers.

        Raises:
            RecordingDiffersError: Another command than the one recorded here, or one more.
            DeviceError: The error recorded here, by its own class.
        """
        answers: list[bytes] = []
        for command in commands:
            if self._ended:
                raise CardRemovedError("this card session is over")
            if self.at >= len(self.exchanges):
                raise RecordingDiffersError(f"ends after {len(self.exchanges)} commands")
            exchange = self.exchanges[self.at]
            if masked_command(command) != exchange.command:
                raise RecordingDiffersError(f"command {self.at + 1} is another one")
            self.at += 1
            if exchange.error:
                self._ended = True
                raise error_named(exchange.error)("as recorded")
            answers.append(exchange.answer)
            if ends_batch(exchange.answer):
                break
        return answers

    def close(self) -> None:
        """Nothing to let go."""
        self._ended = True


def error_named(name: str) -> type[DeviceError]:
    """The class of that name in the family; `DeviceError` for one that needs more than a message or is unknown."""
    family = [DeviceError]
    for kind in family:
        family += kind.__subclasses__()
    found = {kind.__name__: kind for kind in family if kind.__init__ is DeviceError.__init__}
    return found.get(name, DeviceError)
