"""The simulated cable: a reader without PC/SC, for machines where nobody may start pcscd.

It is the reader's side of the vpcd protocol on 127.0.0.1, so the very card process that joins `pcscd` joins it instead.
What it leaves out is pcscd itself: no driver, no exclusive access, one slot.
"""

import contextlib
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from hardware_drivers.errors import (
    CardMuteError,
    CardRemovedError,
    DeviceError,
    DeviceTimeoutError,
    NoCardError,
    NoReaderError,
    ReaderBusyError,
)
from hardware_drivers.smartcard.channel import UNTRIED_LIMITS, CardLink, LinkLimits, ends_batch
from hardware_drivers.smartcard.readers import (
    ASK_AGAIN_S,
    CARD_TIMEOUT_S,
    COMMAND_TIMEOUT_S,
    ReaderPresence,
    ReaderStatus,
)

log = logging.getLogger(__name__)

POWER_OFF, POWER_ON, GET_ATR = b"\x00", b"\x01", b"\x04"
LOOK_AGAIN_S = 0.2
STOP_WITHIN_S = 3.0
FRAME_MAX = 65_535  # u16 length


class CableLink:
    """The card at the other end of the cable. After the first error every call fails."""

    def __init__(
        self, card: socket.socket, command_timeout_s: float, card_timeout_s: float, on_end: Callable[[], None]
    ) -> None:
        self._card = card
        self._command_timeout_s = command_timeout_s
        self._over_at = time.monotonic() + card_timeout_s
        self._on_end = on_end
        self._ended: DeviceError | None = None
        self._atr = b""
        self._limits = UNTRIED_LIMITS
        self._send(POWER_ON)
        self._send(GET_ATR)
        self._atr = self._receive()

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
        """Power the card down and leave it on the reader."""
        if self._ended is None:
            self._ended = CardRemovedError("closed")
            with contextlib.suppress(OSError):  # it may be off already
                self._card.sendall(len(POWER_OFF).to_bytes(2, "big") + POWER_OFF)
            self._on_end()

    def _fail(self, error: DeviceError) -> NoReturn:
        """Hang up: whatever still comes from this card belongs to no session."""
        self._ended = error
        with contextlib.suppress(OSError):  # it may have hung up first
            self._card.shutdown(socket.SHUT_RDWR)
        self._on_end()
        raise error

    def _send(self, payload: bytes) -> None:
        """One frame."""
        try:
            self._card.sendall(len(payload).to_bytes(2, "big") + payload)
        except OSError:
            self._fail(CardRemovedError("the card hung up"))

    def _receive(self) -> bytes:
        """One frame, in time."""
        give_up_at = time.monotonic() + self._command_timeout_s
        return self._take(int.from_bytes(self._take(2, give_up_at), "big"), give_up_at)

    def _take(self, count: int, give_up_at: float) -> bytes:
        """Exactly `count` bytes."""
        received = bytearray()
        while len(received) < count:
            left_s = min(give_up_at, self._over_at) - time.monotonic()
            try:
                if left_s <= 0 or not select.select([self._card], [], [], left_s)[0]:
                    if time.monotonic() >= self._over_at:
                        self._fail(DeviceTimeoutError("the card took longer than it may in all"))
                    self._fail(CardMuteError(f"no answer within {self._command_timeout_s:.0f} s"))
                part = self._card.recv(count - len(received))
            except (OSError, ValueError):  # ValueError: the watcher closed it when the card went away
                self._fail(CardRemovedError("the card hung up"))
            if not part:
                self._fail(CardRemovedError("the card hung up"))
            received += part
        return bytes(received)


class CableReaders:
    """One simulated reader listening on 127.0.0.1; `port` 0 takes a free one, then read `port`."""

    def __init__(
        self,
        port: int = 0,
        *,
        command_timeout_s: float = COMMAND_TIMEOUT_S,
        card_timeout_s: float = CARD_TIMEOUT_S,
    ) -> None:
        self.port = port
        self._command_timeout_s = command_timeout_s
        self._card_timeout_s = card_timeout_s
        self._listener: socket.socket | None = None
        self._watcher: threading.Thread | None = None
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._card: socket.socket | None = None
        self._in_use = False

    def start(self) -> None:
        """Listen; `OSError` when the port is taken."""
        self._stopping.clear()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._watcher = threading.Thread(target=self._watch, args=(self._listener,), name="card-cable", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Stop listening and hang up."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join(STOP_WITHIN_S)
            self._watcher = None

    def state(self) -> ReaderStatus:
        """The newest state."""
        if self._watcher is None:
            return ReaderStatus(ReaderPresence.NO_SERVICE)
        presence = ReaderPresence.CARD_PRESENT if self._card is not None else ReaderPresence.EMPTY
        return ReaderStatus(presence, f"Simulated cable {self.port}")

    def wait_for_card(self, timeout_s: float, cancelled: Callable[[], bool]) -> CardLink:
        """The next card that connects; errors as `CardReaders` lists them."""
        if self._watcher is None:
            raise NoReaderError("the cable is not started")
        give_up_at = time.monotonic() + timeout_s
        while not cancelled():
            with self._changed:
                if self._card is None:
                    self._changed.wait(ASK_AGAIN_S)
                card, busy = self._card, self._in_use
                if card is not None and not busy:
                    self._in_use = True
            if card is not None:
                if busy:
                    raise ReaderBusyError("another session holds the card")
                return CableLink(card, self._command_timeout_s, self._card_timeout_s, self._release)
            if time.monotonic() >= give_up_at:
                raise NoCardError(f"no card within {timeout_s:.0f} s")
        raise NoCardError("waiting was called off")

    def _release(self) -> None:
        """A session ended; the card may be opened again."""
        with self._changed:
            self._in_use = False

    def _watch(self, listener: socket.socket) -> None:
        """Take one card at a time, and notice when an idle one hangs up."""
        with listener:
            while not self._stopping.is_set():
                card = self._card
                if card is None:
                    if select.select([listener], [], [], LOOK_AGAIN_S)[0]:
                        accepted, _ = listener.accept()
                        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        self._put(accepted)
                elif _hung_up(card):
                    card.close()
                    self._put(None)
                else:
                    self._stopping.wait(LOOK_AGAIN_S)
        card = self._card
        if card is not None:
            card.close()
            self._put(None)

    def _put(self, card: socket.socket | None) -> None:
        """A card came, or went."""
        with self._changed:
            self._card = card
            self._changed.notify_all()
        log.info("simulated cable: %s", "card present" if card is not None else "empty")


def _hung_up(card: socket.socket) -> bool:
    """True once the other side is gone; takes nothing out of the stream."""
    try:
        return bool(select.select([card], [], [], 0)[0]) and not card.recv(1, socket.MSG_PEEK)
    except OSError:
        return True
