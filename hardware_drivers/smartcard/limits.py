"""What each reader model carries to each kind of card, learnt once and remembered.

Nobody's word is enough: OMNIKEY readers on libccid announce sizes they refuse, others announce nothing and carry 64 KB
(research id_card.md §5). So one harmless command is sent the first time a model and a kind of card meet, and whatever
fails later is remembered too.
"""

import re
import threading
from dataclasses import dataclass, field

from hardware_drivers.smartcard.channel import LARGEST_LIMITS, SHORT_LIMITS, UNTRIED_LIMITS, LinkLimits

# READ BINARY of EF.CardAccess by short identifier with extended Le: any chip answers it, if only with an error, and no
# session exists yet that an error could end.
PROBE = bytes.fromhex("00B09C00000900")
WRONG_LENGTH_SW1 = (0x67, 0x6C)  # ISO/IEC 7816-4:2020 table 6: the chip saw a length it does not take
SLOT_AND_SERIAL = re.compile(r"(\s*\([^)]*\))?(\s+[0-9A-F]{2}){1,2}$")  # "… (0123456789) 00 01", libccid's way
KINDS_MAX = 1000  # a desk meets dozens; cards may be built to have an ATR of their own each


def reader_model(name: str) -> str:
    """The reader's name without serial number and slot, so that what one taught helps its twin."""
    return SLOT_AND_SERIAL.sub("", name)


def limits_after_probe(answer: bytes, announced_max: int | None) -> LinkLimits:
    """What the answer to `PROBE` teaches.

    Args:
        announced_max: dwMaxAPDUDataSize of PC/SC part 10 §2.6.14, None where the reader does not tell.
    """
    if len(answer) < 2 or answer[-2] in WRONG_LENGTH_SW1:
        return SHORT_LIMITS
    if announced_max is None or announced_max < UNTRIED_LIMITS.answer_max:
        # 0 means "short only"; the probe has just gone through extended, so the announcement is not believed either way
        return LinkLimits(True, UNTRIED_LIMITS.command_max, UNTRIED_LIMITS.answer_max)
    most = min(announced_max, LARGEST_LIMITS.answer_max)
    return LinkLimits(True, most, most)


def limits_after_failure(limits: LinkLimits) -> LinkLimits:
    """One step down, after an extended command was lost on the way."""
    if limits.answer_max > UNTRIED_LIMITS.answer_max:
        return LinkLimits(limits.extended, UNTRIED_LIMITS.command_max, UNTRIED_LIMITS.answer_max)
    return SHORT_LIMITS


def is_extended(command: bytes) -> bool:
    """Whether this command's length fields are extended ones (ISO/IEC 7816-4:2020 §5.2)."""
    return len(command) >= 7 and command[4] == 0


@dataclass(slots=True)
class LimitsMemory:
    """Limits by reader model and answer to reset, for as long as the process lives; used by several threads."""

    _known: dict[tuple[str, bytes], LinkLimits] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def recall(self, model: str, atr: bytes) -> LinkLimits | None:
        """What was learnt, None at a first meeting."""
        with self._lock:
            return self._known.get((model, atr))

    def forget(self, model: str, atr: bytes) -> None:
        """Their next meeting is the first again."""
        with self._lock:
            self._known.pop((model, atr), None)

    def note(self, model: str, atr: bytes, limits: LinkLimits) -> None:
        """Remember; the oldest kinds of card are forgotten first."""
        with self._lock:
            self._known.pop((model, atr), None)
            while len(self._known) >= KINDS_MAX:
                del self._known[next(iter(self._known))]
            self._known[model, atr] = limits
