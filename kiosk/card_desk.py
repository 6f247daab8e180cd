"""The one card reader of this desk, shared by whoever asks: one reading at a time, and its progress for the screen."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hardware_drivers.id_chip.terminal_auth import TerminalCredential
from hardware_drivers.smartcard.readers import CardReaders
from kiosk.errors import CardStepError, KioskError
from kiosk.steps.read_card import read_card
from webrtc.wire.card import CardAccess, ChipEvidenceMessage, ChipOffer
from webrtc.wire.kiosk import CardStep, ReaderState
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import VisitView

log = logging.getLogger(__name__)

OFFER_WITHIN_S = 5.0  # chips keep a session open far longer; the customer does not
ASK_PAGE_EVERY_S = 0.25  # how soon a page that went away frees the reader


@dataclass(frozen=True, slots=True)
class CounterSide:
    """What the counter does in a reading.

    Attributes:
        challenge: Draws what the chip must prove itself over.
        offer: Answers a chip's keys with the counter's own run of chip authentication.
        deliver: Takes the evidence and brings back the visit as it is then.
    """

    challenge: Callable[[], Awaitable[bytes]]
    offer: Callable[[bytes], Awaitable[ChipOffer]]
    deliver: Callable[[ChipEvidenceMessage], Awaitable[VisitView]]


class CardDesk:
    """Orders readings and knows how far the current one is."""

    def __init__(self, readers: CardReaders, credential: TerminalCredential | None = None) -> None:
        """Over these readers; `credential` opens the chip's fingers, where a state gave the operator one."""
        self._readers = readers
        self._credential = credential
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
        counter: CounterSide,
    ) -> VisitView:
        """Read the card that is put down next and hand its files over.

        Args:
            page_left: Asked while the card is awaited and read; once true, a reading still waiting is given up.
            counter: Where the question comes from and the evidence goes.

        Raises:
            CardStepError: another reading is going on, or this one failed.
            KioskError: whatever the counter's side raises.
        """
        if self._busy:
            raise CardStepError(ErrorCode.READER_BUSY, "another reading is going on")
        self._busy = True
        cancelled = threading.Event()
        try:
            challenge, loop = await counter.challenge(), asyncio.get_running_loop()

            def ask_counter(dg14: bytes) -> ChipOffer | None:
                """From the reading's thread; None when the counter does not answer in time."""
                asked = asyncio.run_coroutine_threadsafe(_ask(counter, dg14), loop)
                try:
                    return asked.result(OFFER_WITHIN_S)
                except (KioskError, TimeoutError) as error:
                    log.info("no offer from the counter: %s", type(error).__name__)
                    return None

            reading = asyncio.create_task(
                asyncio.to_thread(
                    read_card,
                    self._readers,
                    access,
                    challenge,
                    ask_counter,
                    self._note,
                    cancelled.is_set,
                    credential=self._credential,
                )
            )
            while not reading.done():
                await asyncio.wait({reading}, timeout=ASK_PAGE_EVERY_S)
                if not reading.done() and await page_left():
                    cancelled.set()
            evidence = await reading
            self._step = CardStep.CHECKING
            return await counter.deliver(evidence)
        finally:
            cancelled.set()  # ends the thread's waiting when this task itself was cancelled
            self._busy = False
            self._step = None

    def _note(self, step: CardStep) -> None:
        """Called from the reading thread; one reference is replaced, which is atomic."""
        self._step = step

    def _past_waiting(self) -> bool:
        return self._step not in (None, CardStep.WAITING_FOR_CARD)


async def _ask(counter: CounterSide, dg14: bytes) -> ChipOffer:
    """The counter's offer, as a coroutine."""
    return await counter.offer(dg14)
