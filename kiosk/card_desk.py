"""The one card reader of this desk, shared by whoever asks: one reading at a time, and its progress for the screen."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

from hardware_drivers.smartcard.readers import CardReaders
from kiosk.errors import CardStepError
from kiosk.steps.read_card import read_card
from webrtc.wire import CardAccess, CardStep, ChipEvidenceMessage, ErrorCode, ReaderState, VisitView

ASK_PAGE_EVERY_S = 0.25  # how soon a page that went away frees the reader


class CardDesk:
    """Orders readings and knows how far the current one is."""

    def __init__(self, readers: CardReaders) -> None:
        self._readers = readers
        self._busy = False
        self._step: CardStep | None = None

    @property
    def step(self) -> CardStep | None:
        """Where the current reading is, None between readings."""
        return self._step

    def reader(self) -> tuple[ReaderState, str | None]:
        """What the reader is good for now, and its name."""
        status = self._readers.state()
        return (ReaderState.READING if self._past_waiting() else ReaderState(status.state.value)), status.reader

    async def read(
        self,
        access: CardAccess,
        page_left: Callable[[], Awaitable[bool]],
        deliver: Callable[[ChipEvidenceMessage], Awaitable[VisitView]],
    ) -> VisitView:
        """Read the card that is put down next and hand its files over.

        Args:
            page_left: Asked while the card is awaited and read; once true, a reading still waiting is given up.
            deliver: Takes the files to the counter and brings back its answer, which is returned.

        Raises:
            CardStepError: another reading is going on, or this one failed.
            KioskError: whatever `deliver` raises.
        """
        if self._busy:
            raise CardStepError(ErrorCode.READER_BUSY, "another reading is going on")
        self._busy = True
        cancelled = threading.Event()
        try:
            reading = asyncio.create_task(
                asyncio.to_thread(read_card, self._readers, access, self._note, cancelled.is_set)
            )
            while not reading.done():
                await asyncio.wait({reading}, timeout=ASK_PAGE_EVERY_S)
                if not reading.done() and await page_left():
                    cancelled.set()
            evidence = await reading
            self._step = CardStep.CHECKING
            return await deliver(evidence)
        finally:
            cancelled.set()  # ends the thread's waiting when this task itself was cancelled
            self._busy = False
            self._step = None

    def _note(self, step: CardStep) -> None:
        """Called from the reading thread; one reference is replaced, which is atomic."""
        self._step = step

    def _past_waiting(self) -> bool:
        return self._step not in (None, CardStep.WAITING_FOR_CARD)
