"""The seam between a chip's protocol and whatever carries it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hardware_drivers.errors import TamperedAnswerError
from hardware_drivers.smartcard.apdu import EXTENDED_MAX, Command, Response

GET_RESPONSE_ROUNDS_MAX = 300  # 65 536 bytes in 256-byte portions, and a little; an endless 61xx stops here


class CardLink(Protocol):
    """An open card at the end of some cable. A batch is the primitive: a relay pays its delay once per batch."""

    @property
    def atr(self) -> bytes:
        """Answer to reset, 2 to 33 bytes."""

    def transmit_many(self, commands: Sequence[bytes]) -> list[bytes]:
        """One answer per command, in order; any `DeviceError` ends the session for good."""

    def close(self) -> None:
        """Let the card go. May be called twice."""


class Channel(Protocol):
    """Something that carries one command to a card and brings back its answer."""

    def transmit(self, command: Command) -> Response:
        """Send and wait; raise `DeviceError` when the wire itself fails."""


@dataclass(slots=True)
class PlainChannel:
    """Commands over a link as they are, with the two courtesies of ISO/IEC 7816-4 §5.6 (61xx and 6Cxx), bounded."""

    link: CardLink

    def transmit(self, command: Command) -> Response:
        """Send and wait, fetching what 61xx announces and repeating once with the Le that 6Cxx asks for."""
        answer = self._once(command)
        if answer.sw >> 8 == 0x6C:
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

    def _once(self, command: Command) -> Response:
        """One command, one answer."""
        (raw,) = self.link.transmit_many([command.encode()])
        return Response.parse(raw)
