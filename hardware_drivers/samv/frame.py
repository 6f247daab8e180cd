"""Frames on a SAM_V cable: `AA AA AA 96 69 | Len, two bytes | body | checksum`.

Len counts body and checksum; the checksum is the XOR of both length bytes and the body. A command's body is
`CMD PARA data`, an answer's is `SW1 SW2 SW3 data`. The same frames travel over serial line and USB (research
id_card.md §7).
"""

from enum import StrEnum
from functools import reduce
from operator import xor

PREAMBLE = bytes.fromhex("AAAAAA9669")
LEN_BYTES = 2
HEAD_BYTES = len(PREAMBLE) + LEN_BYTES
LONGEST_LEN = 0x090A  # text, photograph and two fingerprints, the longest answer there is: 2321 bytes in all
SHORTEST_COMMAND_LEN = 3  # CMD PARA checksum
SHORTEST_ANSWER_LEN = 4  # SW1 SW2 SW3 checksum
# A photograph may contain bytes that look like a frame. It begins 14 + 256 bytes into its own, so a reader that gives
# up after fewer stray bytes than that never takes a piece of a photograph or fingerprint for an answer of the module.
LONGEST_NOISE = 64


class FrameFault(StrEnum):
    """What is wrong with the bytes that came."""

    NOISE = "noise"  # too many bytes, and no frame begins among them
    WRONG_LENGTH = "wrong_length"
    WRONG_CHECKSUM = "wrong_checksum"


def checksum(covered: bytes) -> int:
    """XOR of all bytes, 0 for none."""
    return reduce(xor, covered, 0)


def encode(body: bytes) -> bytes:
    """The frame around a command's or an answer's body; `ValueError` when it is empty or too long for any frame."""
    length = len(body) + 1
    if not 1 < length <= LONGEST_LEN:
        raise ValueError(f"a body of {len(body)} bytes fits no frame")
    covered = length.to_bytes(LEN_BYTES, "big") + body
    return PREAMBLE + covered + bytes([checksum(covered)])


class FrameReader:
    """Finds frames in whatever arrives, piece by piece; never holds more than one longest frame and its noise.

    After a fault everything that has arrived is dropped: what follows a damaged frame is its own rest as likely as a
    new one, and only asking again tells.
    """

    def __init__(self, shortest_len: int) -> None:
        self._shortest_len = shortest_len
        self._arrived = bytearray()
        self._noise = 0

    def feed(self, chunk: bytes) -> bytes | FrameFault | None:
        """The body of the frame this chunk completes, what is wrong with it, or None while more is needed.

        Bytes behind a complete frame are dropped: a module speaks only when asked, and once.
        """
        self._arrived += chunk
        begins = self._find_preamble()
        if begins is None or self._noise > LONGEST_NOISE:
            return self._end(FrameFault.NOISE) if self._noise > LONGEST_NOISE else None
        if len(self._arrived) < HEAD_BYTES:
            return None
        length = int.from_bytes(self._arrived[len(PREAMBLE) : HEAD_BYTES], "big")
        if not self._shortest_len <= length <= LONGEST_LEN:
            return self._end(FrameFault.WRONG_LENGTH)
        if len(self._arrived) < HEAD_BYTES + length:
            return None
        covered = bytes(self._arrived[len(PREAMBLE) : HEAD_BYTES + length - 1])
        told = self._arrived[HEAD_BYTES + length - 1]
        return self._end(covered[LEN_BYTES:] if checksum(covered) == told else FrameFault.WRONG_CHECKSUM)

    @property
    def waiting(self) -> bool:
        """Whether part of something has arrived."""
        return bool(self._arrived) or self._noise > 0

    def _find_preamble(self) -> int | None:
        """Drop noise; 0 when a whole preamble stands first, None while it may still be coming."""
        at = self._arrived.find(PREAMBLE)
        if at < 0:
            # keep what may be the beginning of a preamble
            kept = next(n for n in range(len(PREAMBLE) - 1, -1, -1) if self._arrived.endswith(PREAMBLE[:n]))
            self._noise += len(self._arrived) - kept
            del self._arrived[: len(self._arrived) - kept]
            return None
        self._noise += at
        del self._arrived[:at]
        return 0

    def _end(self, outcome: bytes | FrameFault) -> bytes | FrameFault:
        """That outcome, and a clean start."""
        self._arrived.clear()
        self._noise = 0
        return outcome
