"""One picture of a finger: wait for it, take it, and put what failed into the page's words."""

import logging
import time
from collections.abc import Callable

from hardware_drivers.errors import (
    DeviceError,
    FingerLiftedError,
    FingerPoorError,
    NoFingerError,
    ScannerBusyError,
)
from hardware_drivers.fingerprint.png import grey_png
from hardware_drivers.fingerprint.scanner import CaptureWish, FingerPicture, FingerPosition, FingerprintScanner
from kiosk.errors import FingerStepError
from webrtc.wire.finger import AskFinger, FingerEvidenceMessage, PadVerdict, SensorPad
from webrtc.wire.message import ErrorCode

log = logging.getLogger(__name__)

# Who acts on it decides the code; every other device error reads as a scanner that is not there.
CODES: tuple[tuple[type[DeviceError], ErrorCode], ...] = (
    (ScannerBusyError, ErrorCode.SCANNER_BUSY),
    (NoFingerError, ErrorCode.NO_FINGER),
    (FingerLiftedError, ErrorCode.FINGER_LIFTED),
    (FingerPoorError, ErrorCode.FINGER_POOR),
)


def take_finger(
    scanner: FingerprintScanner, wish: CaptureWish, attempt: int, cancelled: Callable[[], bool]
) -> FingerEvidenceMessage:
    """The finger's picture, ready for the counter; blocks the calling thread.

    Args:
        attempt: Which of this visit and finger it is.
        cancelled: Asked while waiting for a finger; true ends the waiting.

    Raises:
        FingerStepError: with the code whose sentence the page shows; its cause is the device's own error.
    """
    began_s = time.monotonic()
    try:
        picture = scanner.capture(wish, cancelled)
    except DeviceError as error:
        log.info("finger not taken: %s", type(error).__name__)
        raise FingerStepError(code_of(error), type(error).__name__) from error
    return message_of(picture, scanner.info().name, attempt, round((time.monotonic() - began_s) * 1000))


def code_of(error: DeviceError) -> ErrorCode:
    """Which sentence the page shows."""
    return next((code for kind, code in CODES if isinstance(error, kind)), ErrorCode.NO_SCANNER)


def wish_for(wanted: AskFinger, timeout_s: float, minimum_quality: int) -> CaptureWish:
    """What the scanner is asked for, from the words of the wire."""
    return CaptureWish(FingerPosition(wanted.position), timeout_s, minimum_quality, wanted.transaction)


def message_of(picture: FingerPicture, scanner: str, attempt: int, capture_ms: int) -> FingerEvidenceMessage:
    """The picture in the words of the wire."""
    pad = picture.pad
    return FingerEvidenceMessage.model_construct(
        position=int(picture.position),
        image_png=grey_png(picture.pixels, picture.dpi),
        dpi=picture.dpi,
        scanner=scanner,
        sensor_pad=SensorPad(verdict=PadVerdict(pad.verdict.value), source=pad.source, score=pad.score),
        quality=picture.quality,
        attempt=attempt,
        capture_ms=capture_ms,
        device_statement=picture.statement,
    )
