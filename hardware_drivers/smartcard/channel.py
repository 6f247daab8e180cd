"""The seam between a chip's protocol and whatever carries it."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hardware_drivers.errors import TamperedAnswerError
from hardware_drivers.smartcard.apdu import EXTENDED_MAX, SHORT_DATA_MAX, SHORT_NE_MAX, Command, Response

CHAINED = 0x10  # ISO/IEC 7816-4:2020 §5.4.1, bit 5 of CLA: more of this command follows
SECURE_CLASS = 0x0C  # ISO/IEC 7816-4:2020 §5.4.1, both bits of secure messaging
GET_RESPONSE_ROUNDS_MAX = 300  # 65 536 bytes in 256-byte portions, and a little; an endless 61xx stops here


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """What the way to this card carries: the smaller of cable, reader and card, as far as anybody knows.

    Attributes:
        extended: Whether extended length passes; None while nobody has tried, then the chip's word (ATR) may be tried.
        command_max: Most bytes of a command's data field, secure messaging included.
        answer_max: Most bytes of an answer's data field, secure messaging included.
    """

    extended: bool | None
    command_max: int
    answer_max: int


SHORT_LIMITS = LinkLimits(extended=False, command_max=SHORT_DATA_MAX, answer_max=SHORT_NE_MAX)
# Readers with small buffers take 2 KB blocks; larger ones save 0.1 s per document (research id_card.md §5).
UNTRIED_LIMITS = LinkLimits(extended=None, command_max=2048, answer_max=2304)
LARGEST_LIMITS = LinkLimits(extended=True, command_max=65_000, answer_max=65_000)  # pcscd's and vpcd's end, §1


class CardLink(Protocol):
    """An open card at the end of some cable. A batch is the primitive: a relay pays its delay once per batch."""

    @property
    def atr(self) -> bytes:
        """Answer to reset, 2 to 33 bytes."""

    @property
    def limits(self) -> LinkLimits:
        """What this way carries, as known now."""

    def learn(self, limits: LinkLimits) -> None:
        """Remember, for this reader model and this kind of card, what was just found out about the way."""

    def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
        """One answer per command, in order, ending early behind the first answer that `ends_batch`.

        Any `DeviceError` ends the session for good.
        """

    def close(self) -> None:
        """Let the card go. May be called twice."""


def ends_batch(answer: bytes) -> bool:
    """Whether nothing more of a batch is sent after this answer: neither 9000 nor a warning 62xx.

    A chip that answered an error under secure messaging may have dropped its keys; the rest would be noise to it.
    """
    return answer[-2:] != b"\x90\x00" and answer[-2:-1] != b"\x62"


class Channel(Protocol):
    """Something that carries one command to a card and brings back its answer."""

    def transmit(self, command: Command) -> Response:
        """Send and wait; raise `DeviceError` when the wire itself fails."""

    def transmit_many(self, commands: Sequence[Command]) -> list[Response]:
        """As one journey: answers in order, ending early behind the first that is neither 9000 nor a warning 62xx."""


@dataclass(slots=True)
class PlainChannel:
    """Commands over a link as they are, with the two courtesies of ISO/IEC 7816-4 §5.6 (61xx and 6Cxx), bounded."""

    link: CardLink

    def transmit(self, command: Command) -> Response:
        """Send and wait, fetching what 61xx announces and repeating once with the Le that 6Cxx asks for."""
        return self.transmit_many([command])[0]

    def _courtesies(self, command: Command, answer: Response) -> Response:
        """The whole answer, where this one only announces or asks."""
        if answer.sw >> 8 == 0x6C and not command.cla & SECURE_CLASS:
            # never under secure messaging: the counter has moved on at the chip, the same bytes would end the session
            answer = self._once(replace(command, ne=(answer.sw & 0xFF) or 256))
        if answer.sw >> 8 != 0x61:
            return answer
        collected = bytearray(answer.data)
        for _ in range(GET_RESPONSE_ROUNDS_MAX):
            answer = self._once(Command(command.cla & 0x03, 0xC0, 0, 0, ne=(answer.sw & 0xFF) or 256))
            collected += answer.data
            if answer.sw >> 8 != 0x61:
                return Response(bytes(collected), answer.sw)
            if not answer.data or len(collected) > EXTENDED_MAX:
                break
        raise TamperedAnswerError(f"61xx without end after {len(collected)} bytes")

    def transmit_many(self, commands: Sequence[Command]) -> list[Response]:
        """All of them in one batch; what a 61xx or 6Cxx interrupts goes on in the next batch."""
        answers: list[Response] = []
        while len(answers) < len(commands):
            rest = commands[len(answers) :]
            if self._must_be_chained(rest[0]):
                answers.append(self._courtesies(rest[0], self._chained(rest[0])))
                if ends_batch(answers[-1].encode()):
                    break
                continue
            rest = list(itertools.takewhile(lambda command: not self._must_be_chained(command), rest))
            raw_answers = self.link.transmit_many([command.encode() for command in rest])
            if not 1 <= len(raw_answers) <= len(rest):
                raise TamperedAnswerError(f"{len(raw_answers)} answers to {len(rest)} commands")
            for command, raw in zip(rest, raw_answers, strict=False):
                answers.append(Response.parse(raw))
                if ends_batch(raw):
                    answers[-1] = self._courtesies(command, answers[-1])
                    break
            if ends_batch(answers[-1].encode()):
                break
        return answers

    def _must_be_chained(self, command: Command) -> bool:
        """Whether its data do not fit one command on this way. PACE uses the chaining bit for its own steps."""
        short_only = self.link.limits.extended is False
        return short_only and len(command.data) > SHORT_DATA_MAX and not command.cla & CHAINED

    def _chained(self, command: Command) -> Response:
        """Command chaining, ISO/IEC 7816-4:2020 §5.4.1: the answer to the last part, or to the first that failed."""
        starts = range(0, len(command.data), SHORT_DATA_MAX)
        parts = [command.data[at : at + SHORT_DATA_MAX] for at in starts]
        ahead = [replace(command, cla=command.cla | CHAINED, data=part, ne=0) for part in parts[:-1]]
        last = replace(command, data=parts[-1], ne=min(command.ne, SHORT_NE_MAX))
        raw_answers = self.link.transmit_many([part.encode() for part in (*ahead, last)])
        if not 1 <= len(raw_answers) <= len(parts):
            raise TamperedAnswerError(f"{len(raw_answers)} answers to {len(parts)} parts")
        return Response.parse(next((raw for raw in raw_answers if ends_batch(raw)), raw_answers[-1]))

    def _once(self, command: Command) -> Response:
        """One command, one answer."""
        (raw,) = self.link.transmit_many([command.encode()])
        return Response.parse(raw)
