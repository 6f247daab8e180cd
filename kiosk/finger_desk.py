"""The one fingerprint scanner of this desk: one capture at a time, its progress and its live picture for the screen.

A picture is held until the counter has it and is written nowhere.
"""

import asyncio
import hmac
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from hardware_drivers.errors import (
    DeviceError,
    DeviceGoneError,
    DeviceTimeoutError,
    FingerLiftedError,
    FingerPoorError,
    NoScannerError,
    ScannerUntrustedError,
)
from hardware_drivers.fingerprint.png import grey_png, smaller
from hardware_drivers.fingerprint.scanner import CAPTURE_WITHIN_S, FingerprintScanner
from kiosk.errors import FingerStepError
from kiosk.steps.take_finger import code_of, take_finger, wish_for
from webrtc.wire.finger import AskFinger, FingerEvidenceMessage
from webrtc.wire.kiosk import FingerStep, ScannerState
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import VisitView

log = logging.getLogger(__name__)

ASK_PAGE_EVERY_S: Final = 0.25  # how soon a page that went away frees the scanner
LOOK_AGAIN_S: Final = 10.0  # for a scanner that was unplugged; a libfprint helper costs 0.3 s of a processor
PREVIEW_WIDTH_PX: Final = 256  # half of a single finger's picture: placement, not ridges
VISITS_REMEMBERED: Final = 64  # far more than stand at one desk at a time
MINIMUM_QUALITY: Final = 40  # 97 of 100 pictures of four FVC sets reach it at once (contact.py's scale)

LOST: Final = (NoScannerError, DeviceGoneError, DeviceTimeoutError, ScannerUntrustedError)  # open it anew
Deliver = Callable[[FingerEvidenceMessage], Awaitable[VisitView]]


@dataclass(frozen=True, slots=True)
class _Capture:
    """Who asked for the capture that goes on now."""

    visit_id: str
    authorization: str


class FingerDesk:
    """Orders captures and knows how far the current one is."""

    def __init__(
        self,
        scanner: FingerprintScanner | None,
        *,
        wait_s: float = CAPTURE_WITHIN_S,
        minimum_quality: int = MINIMUM_QUALITY,
    ) -> None:
        self._scanner = scanner
        self._wait_s = wait_s
        self._minimum_quality = minimum_quality
        self._hand = threading.Lock()  # whoever opens, captures or closes
        self._open = False
        self._looked_at_s = float("-inf")
        self._looking: asyncio.Task[None] | None = None
        self._now: _Capture | None = None
        self._checking = False
        self._cancelled = threading.Event()
        self._attempts: OrderedDict[tuple[str, int], int] = OrderedDict()
        self._asked_again: OrderedDict[tuple[str, int], int] = OrderedDict()

    @property
    def step(self) -> FingerStep | None:
        """Where the current capture is, None between captures."""
        if self._now is None or self._scanner is None:
            return None
        if self._checking:
            return FingerStep.CHECKING
        return FingerStep.HOLD_STILL if self._scanner.present() else FingerStep.WAITING_FOR_FINGER

    def state(self) -> ScannerState:
        """What the scanner is good for now; looks again, in the background, for one that is gone."""
        if self._scanner is None:
            return ScannerState.NONE
        if self._now is not None:
            return ScannerState.CAPTURING
        if not self._open:
            self.look()
        return ScannerState.READY if self._open else ScannerState.GONE

    def look(self) -> None:
        """Try to open it in the background, at most every `LOOK_AGAIN_S`."""
        over = self._looking is None or self._looking.done()
        if over and time.monotonic() - self._looked_at_s > LOOK_AGAIN_S:
            self._looked_at_s = time.monotonic()
            self._looking = asyncio.create_task(asyncio.to_thread(self._look))

    async def stop(self) -> None:
        """End a capture and let the scanner go."""
        self._cancelled.set()
        if self._looking is not None:
            await self._looking
        await asyncio.to_thread(self._let_go)

    async def take(
        self,
        visit_id: str,
        authorization: str,
        wanted: AskFinger,
        page_left: Callable[[], Awaitable[bool]],
        deliver: Deliver,
    ) -> VisitView:
        """Take the finger that is put down next and hand its picture over.

        Args:
            page_left: Asked while a finger is awaited; once true, the waiting is given up.
            deliver: Takes the picture and brings back the visit as it is then.

        Raises:
            FingerStepError: another capture is going on, or this one failed.
            KioskError: whatever the counter's side raises.
        """
        scanner = self._scanner
        if scanner is None:
            raise FingerStepError(ErrorCode.NO_SCANNER, "this desk has no fingerprint scanner")
        if self._now is not None:
            raise FingerStepError(ErrorCode.SCANNER_BUSY, "another capture is going on")
        self._now = _Capture(visit_id, authorization)
        self._cancelled = cancelled = threading.Event()
        try:
            attempt = _count(self._attempts, (visit_id, wanted.position))
            taking = asyncio.create_task(
                asyncio.to_thread(self._take, scanner, visit_id, wanted, attempt, cancelled.is_set)
            )
            while not taking.done():
                await asyncio.wait({taking}, timeout=ASK_PAGE_EVERY_S)
                if not taking.done() and await page_left():
                    cancelled.set()
            evidence = await taking
            self._checking = True
            return await deliver(evidence)
        finally:
            cancelled.set()  # ends the thread's waiting when this task itself was cancelled
            self._checking = False
            self._now = None

    def preview(self, visit_id: str, authorization: str) -> bytes | None:
        """The newest live picture as PNG, for the page whose capture it is; None while there is none."""
        now, scanner = self._now, self._scanner
        if now is None or scanner is None or now.visit_id != visit_id:
            return None
        if not hmac.compare_digest(now.authorization.encode(), authorization.encode()):
            return None
        frame = scanner.preview()
        return None if frame is None else grey_png(smaller(frame, PREVIEW_WIDTH_PX), scanner.info().dpi, effort=1)

    def _take(
        self,
        scanner: FingerprintScanner,
        visit_id: str,
        wanted: AskFinger,
        attempt: int,
        cancelled: Callable[[], bool],
    ) -> FingerEvidenceMessage:
        """In a thread: open it if need be, capture, and remember what the scanner is good for afterwards."""
        with self._hand:
            if not self._open:
                try:
                    scanner.open()
                except DeviceError as error:
                    log.warning("no finger scanner: %s", type(error).__name__)
                    raise FingerStepError(code_of(error), type(error).__name__) from error
                self._open = True
            finger = visit_id, wanted.position
            minimum = 0 if finger in self._asked_again else self._minimum_quality
            try:
                return take_finger(scanner, wish_for(wanted, self._wait_s, minimum), attempt, cancelled)
            except FingerStepError as error:
                if isinstance(error.__cause__, LOST):
                    self._open = False
                if isinstance(error.__cause__, FingerPoorError | FingerLiftedError):
                    _count(self._asked_again, finger)
                raise

    def _look(self) -> None:
        """In a thread: open it, and log only what changed."""
        with self._hand:
            if self._open or self._scanner is None:
                return
            try:
                self._scanner.open()
            except DeviceError as error:
                log.info("no finger scanner: %s", type(error).__name__)
            else:
                self._open = True
                log.info("finger scanner: %s", self._scanner.info().name)

    def _let_go(self) -> None:
        """In a thread: close it once nobody holds it."""
        with self._hand:
            if self._scanner is not None:
                self._scanner.close()
            self._open = False


def _count(counts: "OrderedDict[tuple[str, int], int]", finger: tuple[str, int]) -> int:
    """One more of this visit's finger; the oldest visits are forgotten."""
    counts[finger] = counts.pop(finger, 0) + 1
    while len(counts) > VISITS_REMEMBERED:
        counts.popitem(last=False)
    return counts[finger]
