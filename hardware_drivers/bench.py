"""The one place that chooses between real and simulated devices."""

from enum import StrEnum

from hardware_drivers.smartcard.cable import CableReaders
from hardware_drivers.smartcard.pcsc import PcscReaders
from hardware_drivers.smartcard.readers import CARD_TIMEOUT_S, COMMAND_TIMEOUT_S, CardReaders


class ReaderKind(StrEnum):
    """How cards reach this desk."""

    PCSC = "pcsc"  # pcscd, with real readers or the vpcd driver behind it
    CABLE = "cable"  # a simulated cable, where nobody may start pcscd


def open_readers(
    kind: ReaderKind | str,
    *,
    name_contains: str = "",
    cable_port: int = 0,
    command_timeout_s: float = COMMAND_TIMEOUT_S,
    card_timeout_s: float = CARD_TIMEOUT_S,
) -> CardReaders:
    """The readers of this desk, not yet started.

    Args:
        kind: `pcsc` or `cable`; `ValueError` for anything else.
        name_contains: With `pcsc`, only readers whose name contains this.
        cable_port: With `cable`, where a simulated card connects on 127.0.0.1.
        command_timeout_s: A card silent for longer is mute.
        card_timeout_s: A session longer than this is ended.
    """
    match ReaderKind(kind):
        case ReaderKind.PCSC:
            return PcscReaders(
                name_contains=name_contains, command_timeout_s=command_timeout_s, card_timeout_s=card_timeout_s
            )
        case ReaderKind.CABLE:
            return CableReaders(cable_port, command_timeout_s=command_timeout_s, card_timeout_s=card_timeout_s)
