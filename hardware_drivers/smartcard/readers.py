"""The face every kind of reader shows: what state it is in, and how to get hold of a card."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hardware_drivers.smartcard.channel import CardLink

# PACE on a slow chip stays below 5 s, waiting-time extensions included, which readers answer by themselves (research
# id_card.md §6). More is a mute card; 5.8 so that, with the killing, its reader is given up within 6 s (§10).
COMMAND_TIMEOUT_S = 5.8
CARD_TIMEOUT_S = 45.0  # short-APDU worst case of research id_card.md §5 times ten
READER_GRACE_S = 2.0  # a killed pcscd has all readers back within this (research id_card.md §10)
ASK_AGAIN_S = 0.1  # how often a waiting reader asks whether it is still wanted


class ReaderPresence(StrEnum):
    """What the card reader is good for right now."""

    NO_SERVICE = "no_service"
    NO_READER = "no_reader"
    EMPTY = "empty"
    CARD_PRESENT = "card_present"


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    """State of the one reader we would use.

    Attributes:
        state: No service, no reader, empty, or a card on it.
        reader: The reader's name, None while there is none.
    """

    state: ReaderPresence
    reader: str | None = None


class CardReaders(Protocol):
    """Where cards come from: PC/SC, or the simulated cable."""

    def start(self) -> None:
        """Begin watching; returns at once."""

    def stop(self) -> None:
        """Stop watching and forget every reader. Open links stay their holder's to close."""

    def state(self) -> ReaderStatus:
        """The newest state; never blocks."""

    def wait_for_card(self, timeout_s: float, cancelled: Callable[[], bool]) -> CardLink:
        """The next card put down, opened exclusively; blocks the calling thread.

        Raises:
            NoReaderError: No reader, or no service, for longer than `READER_GRACE_S`.
            NoCardError: Nothing came in `timeout_s`, or `cancelled()` became true.
            ReaderBusyError: Another program holds the card.
            CardMuteError: A card is there but cannot be powered.
        """
