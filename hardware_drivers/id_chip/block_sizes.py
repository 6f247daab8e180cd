"""How much a chip says it carries at once: its answer to reset, and EF.ATR/INFO."""

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.id_chip import tlv
from hardware_drivers.smartcard.apdu import SHORT_NE_MAX
from hardware_drivers.smartcard.channel import CardLink

EXTENDED_LENGTH_INFORMATION = 0x7F66  # ISO/IEC 7816-4:2020 §12.7.1: two INTEGERs, command and answer buffer
STATUS_BYTES = 2  # the buffers of 7F66 count the whole APDU
# Answers of 256 bytes, then what chips take that refuse those: 192, 128 and 96 plain bytes (research id_card.md §5).
SHORTER_ANSWERS = (SHORT_NE_MAX, 216, 152, 120)


def first_answer_max(link: CardLink) -> int:
    """The largest answer to begin with: what the link carries, where link or chip say that extended length passes."""
    limits = link.limits
    extended = takes_extended_length(link.atr) if limits.extended is None else limits.extended
    return limits.answer_max if extended else min(SHORT_NE_MAX, limits.answer_max)


def next_smaller(answer_max: int) -> int | None:
    """What to try after a chip refused answers of that size, None when nothing smaller makes sense."""
    return next((size for size in SHORTER_ANSWERS if size < answer_max), None)


def buffer_in(ef_atr: bytes) -> int | None:
    """The largest answer by EF.ATR/INFO (Doc 9303-10 §3.11.1), None where it does not say; nobody signed it."""
    at = 0
    try:
        while at < len(ef_atr):
            found, at = tlv.parse_first(ef_atr, at)
            if found.tag == EXTENDED_LENGTH_INFORMATION:
                buffers = [part.value for part in tlv.parse_all(found.value) if part.tag == 0x02]
                return int.from_bytes(buffers[1], "big") - STATUS_BYTES if len(buffers) == 2 else None
    except MalformedFileError:
        return None
    return None


def takes_extended_length(atr: bytes) -> bool:
    """Whether the historical bytes claim extended length (ISO/IEC 7816-4:2020 §12.2.2.9, third table)."""
    historical = historical_bytes(atr)
    if historical[:1] not in (b"\x80", b"\x00"):
        return False
    objects = historical[1:] if historical[0] == 0x80 else historical[1:-3]
    at = 0
    while at < len(objects):
        tag, length = objects[at] >> 4, objects[at] & 0x0F
        if tag == 7 and length == 3 and at + 3 < len(objects):
            return bool(objects[at + 3] & 0x40)
        at += 1 + length
    return False


def historical_bytes(atr: bytes) -> bytes:
    """The historical bytes of an answer to reset (ISO/IEC 7816-3:2006 §8.2), empty when it is cut off."""
    if len(atr) < 2:
        return b""
    count, interface, at = atr[1] & 0x0F, atr[1] >> 4, 2
    while interface:
        at += bin(interface).count("1")
        if not interface & 0x8 or at > len(atr):
            break
        interface = atr[at - 1] >> 4
    return atr[at : at + count]
