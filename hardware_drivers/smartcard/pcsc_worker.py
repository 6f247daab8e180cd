"""One card, opened and spoken to in a process of its own that can be killed.

`SCardTransmit` to a mute card never returns, `SCardCancel` has no effect on it, and disconnecting from another thread
hangs as well (research id_card.md §1). So this child holds the card, and its parent holds the clock.

Over stdin come frames (u32 length, payload): first the reader's name, then commands. Over stdout go frames whose first
byte says what follows: `R` and bytes (the ATR first, then one answer per command), or `E` and a u32 PC/SC code.
End of stdin means: let the card go and leave.
"""

import ctypes
import os
import queue
import sys
import threading
import time
from typing import BinaryIO

from smartcard import scard

FRAME_MAX = 70_000  # an extended answer, 65 538 bytes, and room for our own byte
LEAVE_WITHIN_S = 1.0  # a card that hangs while we disconnect does not keep this process alive
REMOVAL_SEEN_WITHIN_S = 0.42  # pcscd polls the slot every 0.4 s, then tells us why; and 0.5 s is all a person waits
OK = 0
PR_SET_NAME = 15
GET_FEATURES = scard.SCARD_CTL_CODE(3400)  # PC/SC part 10 §2.2: CM_IOCTL_GET_FEATURE_REQUEST
TLV_PROPERTIES = 0x12  # §2.3: FEATURE_GET_TLV_PROPERTIES
MAX_APDU_DATA = 0x0A  # §2.6.14: dwMaxAPDUDataSize, little endian
NOT_ANNOUNCED = 0xFFFFFFFF


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame, or None at the end of the stream or on a length that we never send."""
    head = stream.read(4)
    if len(head) < 4 or (length := int.from_bytes(head, "big")) > FRAME_MAX:
        return None
    payload = stream.read(length)
    return payload if len(payload) == length else None


def write_frame(stream: BinaryIO, payload: bytes) -> None:
    """Send one frame and push it out."""
    stream.write(len(payload).to_bytes(4, "big") + payload)
    stream.flush()


class PcscCard:
    """A card connected exclusively, inside a transaction; every failure is the PC/SC code that made it."""

    def __init__(self, reader: str) -> None:
        code, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        self._expect(code)
        code, self._card, self._protocol = scard.SCardConnect(
            self._context, reader, scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        )
        self._expect(code)
        self._expect(scard.SCardBeginTransaction(self._card))
        code, _, _, _, atr = scard.SCardStatus(self._card)
        self._expect(code)
        self.atr = bytes(atr)

    def announced_max(self) -> int:
        """The most APDU bytes the reader says it takes, 0 for short ones only, `NOT_ANNOUNCED` where it is silent."""
        features = self._control(GET_FEATURES)
        code = next((value for tag, value in _tag_values(features) if tag == TLV_PROPERTIES), b"")
        if len(code) != 4:
            return NOT_ANNOUNCED
        for tag, value in _tag_values(self._control(int.from_bytes(code, "big"))):
            if tag == MAX_APDU_DATA and len(value) == 4:
                return int.from_bytes(value, "little")
        return NOT_ANNOUNCED

    def _control(self, code: int) -> bytes:
        """A control call's answer, empty where the driver knows nothing of it."""
        outcome, answer = scard.SCardControl(self._card, code, [])
        return bytes(answer) if outcome == OK else b""

    def transmit(self, command: bytes) -> bytes:
        """The card's answer; raises `PcscError` on any failure, after finding out whether the card was removed."""
        code, answer = scard.SCardTransmit(self._card, self._protocol, list(command))
        if code == OK and answer:
            return bytes(answer)
        # An eject in the middle shows first as success with nothing in it, or as a transport error.
        give_up_at = time.monotonic() + REMOVAL_SEEN_WITHIN_S
        while time.monotonic() < give_up_at:
            now_code = scard.SCardStatus(self._card)[0]
            if now_code != OK:
                raise PcscError(now_code)
            time.sleep(0.02)
        raise PcscError(scard.SCARD_E_NOT_TRANSACTED)  # still there, and spoke nonsense

    def close(self) -> None:
        """Reset the card, so that the next program starts from nothing of ours."""
        scard.SCardEndTransaction(self._card, scard.SCARD_LEAVE_CARD)
        scard.SCardDisconnect(self._card, scard.SCARD_RESET_CARD)
        scard.SCardReleaseContext(self._context)

    @staticmethod
    def _expect(code: int) -> None:
        """Nothing, or `PcscError`."""
        if code != OK:
            raise PcscError(code)


def _tag_values(source: bytes) -> list[tuple[int, bytes]]:
    """Tag, length, value with one byte each for tag and length, as PC/SC part 10 has it; a cut end is left out."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at + 2 <= len(source) and at + 2 + source[at + 1] <= len(source):
        found.append((source[at], source[at + 2 : at + 2 + source[at + 1]]))
        at += 2 + source[at + 1]
    return found


class PcscError(Exception):
    """A PC/SC call failed; `code` is its number as an unsigned 32-bit value."""

    def __init__(self, code: int) -> None:
        super().__init__(f"PC/SC code 0x{code & 0xFFFFFFFF:08X}")
        self.code = code & 0xFFFFFFFF


def hold_card(commands: "queue.SimpleQueue[bytes | None]", out: BinaryIO) -> None:
    """Open the reader named in the first frame and answer commands until None or the first failure."""
    name = commands.get()
    if name is None:
        return
    try:
        card = PcscCard(name.decode())
        write_frame(out, b"R" + card.announced_max().to_bytes(4, "big") + card.atr)
        while (command := commands.get()) is not None:
            write_frame(out, b"R" + card.transmit(command))
        card.close()
    except PcscError as error:
        write_frame(out, b"E" + error.code.to_bytes(4, "big"))
    except BrokenPipeError:
        return  # the parent is gone; leaving the process releases the card


def main() -> None:
    """Pass frames between the parent and the card; leave when stdin ends, even if the card hangs."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"pcsc-card", 0, 0, 0)
    commands: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    card = threading.Thread(target=hold_card, args=(commands, sys.stdout.buffer), daemon=True)
    card.start()
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        commands.put(frame)
    commands.put(None)
    card.join(LEAVE_WITHIN_S)
    os._exit(0)  # a thread inside a mute card cannot be joined


if __name__ == "__main__":
    main()
