"""Commands and answers of ISO/IEC 7816-4, as values and as bytes."""

from dataclasses import dataclass, replace
from typing import Self

from hardware_drivers.errors import TamperedAnswerError

SHORT_DATA_MAX = 255  # ISO/IEC 7816-4:2020 §5.2, one Lc byte
SHORT_NE_MAX = 256  # one Le byte, 00 meaning 256
EXTENDED_MAX = 65536  # two Le bytes, 0000 meaning 65536


class BadCommandError(ValueError):
    """The bytes are no command of ISO/IEC 7816-4; only the chip's side of this house ever sees it."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command APDU.

    Attributes:
        data: Command data field, at most 65 535 bytes.
        ne: Most bytes wanted in the answer, 0 (no Le field) to 65 536.
    """

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    ne: int = 0

    @property
    def header(self) -> bytes:
        """The four bytes CLA INS P1 P2."""
        return bytes((self.cla, self.ins, self.p1, self.p2))

    def encode(self) -> bytes:
        """Bytes for the card: short fields where they suffice, else extended ones (they never mix)."""
        if len(self.data) <= SHORT_DATA_MAX and self.ne <= SHORT_NE_MAX:
            lc = bytes((len(self.data),)) if self.data else b""
            le = bytes((self.ne & 0xFF,)) if self.ne else b""
            return self.header + lc + self.data + le
        if len(self.data) >= EXTENDED_MAX or self.ne > EXTENDED_MAX:
            raise BadCommandError(f"{len(self.data)} bytes out, {self.ne} wanted: beyond extended length")
        lc = b"\x00" + len(self.data).to_bytes(2, "big") if self.data else b""
        le = (self.ne & 0xFFFF).to_bytes(2, "big") if self.ne else b""
        return self.header + (lc or b"\x00") + self.data + le

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The command in these bytes, cases 1 to 4, short and extended; `BadCommandError` if none fits."""
        if len(raw) < 4:
            raise BadCommandError(f"{len(raw)} bytes are no command header")
        header, body = cls(*raw[:4]), raw[4:]
        if not body:
            return header
        if len(body) == 1:
            return replace(header, ne=body[0] or SHORT_NE_MAX)
        if body[0]:
            return header._with_data(body[0], body[1:], le_bytes=1)
        if len(body) == 3:
            return replace(header, ne=int.from_bytes(body[1:], "big") or EXTENDED_MAX)
        return header._with_data(int.from_bytes(body[1:3], "big"), body[3:], le_bytes=2)

    def _with_data(self, lc: int, rest: bytes, *, le_bytes: int) -> Self:
        """Cases 3 and 4: `lc` bytes of data, then nothing or an Le field of `le_bytes`."""
        data, le = rest[:lc], rest[lc:]
        if not lc or len(data) != lc or len(le) not in (0, le_bytes):
            raise BadCommandError(f"Lc {lc} does not fit {len(rest)} bytes")
        ne = (int.from_bytes(le, "big") or 1 << (8 * le_bytes)) if le else 0
        return replace(self, data=data, ne=ne)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: data field and status word."""

    data: bytes
    sw: int

    def encode(self) -> bytes:
        """Bytes as the card sends them."""
        return self.data + self.sw.to_bytes(2, "big")

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The answer in these bytes; `TamperedAnswerError` when there is not even a status word.

        vpcd and some readers hand a truncated frame up as if it were whole (research id_card.md §1), so short answers
        are real.
        """
        if len(raw) < 2:
            raise TamperedAnswerError(f"answer of {len(raw)} bytes holds no status word")
        return cls(raw[:-2], int.from_bytes(raw[-2:], "big"))
