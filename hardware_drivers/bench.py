"""The one place that chooses between real and simulated devices."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from hardware_drivers.fingerprint.folder import folder_scanner
from hardware_drivers.fingerprint.libfprint import LibfprintScanner, LibfprintSettings
from hardware_drivers.fingerprint.sbi import SbiScanner, SbiSettings
from hardware_drivers.fingerprint.scanner import FingerprintScanner
from hardware_drivers.fingerprint.simulated import SyntheticHand, synthetic_scanner
from hardware_drivers.fingerprint.virtual_image import VARIABLE
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


class ScannerKind(StrEnum):
    """How fingers reach this desk."""

    NONE = "none"
    SIMULATED = "simulated"  # fingers of nobody
    LIBFPRINT = "libfprint"  # real scanners, or libfprint's virtual one
    SBI = "sbi"  # a device service that signs
    FOLDER = "folder"  # pictures of a folder


@dataclass(frozen=True, slots=True)
class ScannerSettings:
    """What the scanners of this desk must be told; each kind reads its own.

    Attributes:
        dpi: Of `libfprint` and `folder`, where pictures do not tell.
        folder: Of `folder`.
        hand, person: Of `simulated`: who comes, as `SyntheticHand` has it.
        virtual_image: Of `libfprint`: the socket of its virtual device.
        sbi_trust, sbi_port: Of `sbi`: who may vouch for devices (PEM), and where the service is, if it is known.
    """

    dpi: int = 500
    folder: Path | None = None
    hand: Path | None = None
    person: int = 1
    virtual_image: Path | None = None
    sbi_trust: Path | None = None
    sbi_port: int = 0


def open_scanner(kind: ScannerKind | str, settings: ScannerSettings) -> FingerprintScanner | None:
    """The fingerprint scanner of this desk, not yet opened; None where it has none.

    `ValueError` for a kind nobody knows or without the setting it needs.
    """
    match ScannerKind(kind):
        case ScannerKind.NONE:
            return None
        case ScannerKind.SIMULATED:
            # never the same touch twice: a real finger does not come twice alike either
            return synthetic_scanner(
                SyntheticHand(np.random.default_rng(), person=settings.person, told_by=settings.hand)
            )
        case ScannerKind.LIBFPRINT:
            virtual = {VARIABLE: str(settings.virtual_image)} if settings.virtual_image else None
            return LibfprintScanner(LibfprintSettings(dpi=settings.dpi, environment=virtual))
        case ScannerKind.SBI:
            if settings.sbi_trust is None:
                raise ValueError("the scanner of a device service needs who may vouch for it")
            return SbiScanner(SbiSettings(settings.sbi_trust, settings.sbi_port))
        case ScannerKind.FOLDER:
            if settings.folder is None:
                raise ValueError("the scanner of a folder needs the folder")
            return folder_scanner(settings.folder, settings.dpi)
