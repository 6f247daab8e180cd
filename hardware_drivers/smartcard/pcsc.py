"""Every PC/SC reader of this desk, watched by one thread.

pyscard's own monitors die silently and for ever when pcscd restarts (pyscard issues 82, 128, 74, 153), so this is one
loop over raw `SCardGetStatusChange` whose context is made anew, with back-off, whenever the service goes away.
"""

import importlib
import logging
import threading
import time
from collections.abc import Callable
from types import ModuleType

from hardware_drivers.errors import (
    CardMuteError,
    CardRemovedError,
    DeviceGoneError,
    NoCardError,
    NoReaderError,
    ReaderBusyError,
)
from hardware_drivers.smartcard.channel import CardLink
from hardware_drivers.smartcard.limits import LimitsMemory
from hardware_drivers.smartcard.pcsc_link import PcscLink
from hardware_drivers.smartcard.readers import (
    ASK_AGAIN_S,
    CARD_TIMEOUT_S,
    COMMAND_TIMEOUT_S,
    READER_GRACE_S,
    ReaderPresence,
    ReaderStatus,
)

try:
    scard: ModuleType | None = importlib.import_module("smartcard.scard")
except ImportError:  # no PC/SC library here: the state is NO_SERVICE, and the module stays importable
    scard = None

log = logging.getLogger(__name__)

PLUG_AND_PLAY = "\\\\?PnP?\\Notification"  # PC/SC part 5: the pseudo reader that changes when readers come and go
LOOK_AGAIN_MS = 1000  # upper bound for noticing `stop` and anything pcscd forgot to tell
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0)  # between attempts to reach a service that is away
OK, TIMEOUT, NO_READERS, UNKNOWN_READER = 0, 0x8010000A, 0x8010002E, 0x80100009
STOP_WITHIN_S = 3.0


class PcscReaders:
    """The PC/SC readers whose name contains `name_contains`; the first with a card is the one used."""

    def __init__(
        self,
        *,
        name_contains: str = "",
        command_timeout_s: float = COMMAND_TIMEOUT_S,
        card_timeout_s: float = CARD_TIMEOUT_S,
    ) -> None:
        self._name_contains = name_contains
        self._command_timeout_s = command_timeout_s
        self._card_timeout_s = card_timeout_s
        self._memory = LimitsMemory()
        self._status = ReaderStatus(ReaderPresence.NO_SERVICE)
        self._all: tuple[ReaderStatus, ...] = ()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self._context: object | None = None

    def start(self) -> None:
        """Begin watching in a thread of our own."""
        self._stopping.clear()
        if scard is None:
            log.warning("pyscard or the PC/SC library is missing: no card reader can be used")
            return
        self._watcher = threading.Thread(target=self._watch, args=(scard,), name="pcsc-readers", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        """Stop watching; takes up to a second when the watcher was not blocked just then."""
        self._stopping.set()
        if scard is not None and self._context is not None:
            scard.SCardCancel(self._context)
        if self._watcher is not None:
            self._watcher.join(STOP_WITHIN_S)
            self._watcher = None

    def state(self) -> ReaderStatus:
        """The newest state."""
        return self._status

    def every_state(self) -> tuple[ReaderStatus, ...]:
        """Each slot of each reader by itself, in pcscd's order; empty without service or reader."""
        return self._all

    def wait_for_card(self, timeout_s: float, cancelled: Callable[[], bool]) -> CardLink:
        """The next card, opened exclusively in its own process; errors as `CardReaders` lists them."""
        now = time.monotonic()
        give_up_at, reader_seen_at = now + timeout_s, now
        while not cancelled():
            status, now = self._status, time.monotonic()
            if status.state is ReaderPresence.CARD_PRESENT and status.reader is not None:
                try:
                    return self._open_first(status.reader)
                except (CardRemovedError, DeviceGoneError):
                    # Gone between seeing and opening: wait for the next one, but never spin on a reader that lies.
                    if now >= give_up_at:
                        raise
            if status.state in (ReaderPresence.EMPTY, ReaderPresence.CARD_PRESENT):
                reader_seen_at = now
            elif now - reader_seen_at > READER_GRACE_S:
                raise NoReaderError(status.state.value)
            if now >= give_up_at:
                raise NoCardError(f"no card within {timeout_s:.0f} s")
            with self._changed:
                self._changed.wait(ASK_AGAIN_S)
        raise NoCardError("waiting was called off")

    def _open_first(self, reader: str) -> PcscLink:
        """The card on that reader, or where that is held or mute, on another; the last reader's error if on none."""
        others = (one.reader for one in self._all if one.state is ReaderPresence.CARD_PRESENT)
        names = list(dict.fromkeys((reader, *(name for name in others if name is not None))))
        for name in names:
            try:
                return PcscLink.open(
                    name,
                    command_timeout_s=self._command_timeout_s,
                    card_timeout_s=self._card_timeout_s,
                    memory=self._memory,
                )
            except (ReaderBusyError, CardMuteError):
                if name == names[-1]:
                    raise
        raise DeviceGoneError("no reader to open")

    def _tell(self, status: ReaderStatus, every: tuple[ReaderStatus, ...] = ()) -> None:
        """Publish a state and wake whoever waits."""
        self._all = every
        if status != self._status:
            log.info("card reader: %s", status.state.value)
            with self._changed:
                self._status = status
                self._changed.notify_all()

    def _watch(self, pcsc: ModuleType) -> None:
        """Until stopped: reach the service, watch it, and when it dies begin again."""
        failures = 0
        while not self._stopping.is_set():
            code, context = pcsc.SCardEstablishContext(pcsc.SCARD_SCOPE_USER)
            if code == OK:
                self._context = context
                if self._watch_service(pcsc, context):
                    failures = 0
                self._context = None
                pcsc.SCardReleaseContext(context)
            elif self._status.state is not ReaderPresence.NO_SERVICE or not failures:
                # 0x8010001D: not running; 0x8010006A: running, but polkit lets nobody like us in (pcscd 2 and later)
                log.warning("the PC/SC service cannot be reached: 0x%08X", code & 0xFFFFFFFF)
            self._tell(ReaderStatus(ReaderPresence.NO_SERVICE))
            self._stopping.wait(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
            failures += 1

    def _watch_service(self, pcsc: ModuleType, context: object) -> bool:
        """Follow all readers until the service fails or we stop; True if it ever answered."""
        seen: dict[str, int] = {}
        answered = False
        while not self._stopping.is_set():
            code, names = pcsc.SCardListReaders(context, [])
            if code & 0xFFFFFFFF == NO_READERS:
                names = []
            elif code != OK:
                return answered
            answered = True
            wanted = [name for name in names if self._name_contains in name]
            seen = {name: seen.get(name, pcsc.SCARD_STATE_UNAWARE) for name in wanted}
            if not wanted:
                self._tell(ReaderStatus(ReaderPresence.NO_READER))
            # the plug-and-play entry carries the number of readers in its upper half (pcsc-lite winscard_clnt.c)
            watched = [*seen.items(), (PLUG_AND_PLAY, len(names) << 16)]
            code, states = pcsc.SCardGetStatusChange(context, LOOK_AGAIN_MS, watched)
            code &= 0xFFFFFFFF
            if code in (TIMEOUT, UNKNOWN_READER):
                continue
            if code != OK:
                return answered
            for name, state, _ in states:
                if name in seen:
                    seen[name] = state & ~pcsc.SCARD_STATE_CHANGED
            if seen:
                every = tuple(_status(pcsc, name, state) for name, state in seen.items())
                with_card = (one for one in every if one.state is ReaderPresence.CARD_PRESENT)
                self._tell(next(with_card, every[0]), every)
        return answered


def _status(pcsc: ModuleType, name: str, state: int) -> ReaderStatus:
    """One slot's state from PC/SC's bits."""
    present = state & pcsc.SCARD_STATE_PRESENT
    return ReaderStatus(ReaderPresence.CARD_PRESENT if present else ReaderPresence.EMPTY, name)
