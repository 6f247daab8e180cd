"""The face every fingerprint scanner shows, whatever drives it: who it is, and one picture of one finger at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

GreyImage = NDArray[np.uint8]

CAPTURE_WITHIN_S = 30.0  # as long as a card is waited for
ASK_AGAIN_S = 0.1  # how often a waiting scanner asks whether it is still wanted
SIDES_PX = (64, 2000)  # the smallest sensor of a telephone; a 1000 dpi window of two inches


class FingerPosition(IntEnum):
    """ISO/IEC 19794-2:2005 table 2, fingers one at a time."""

    UNKNOWN = 0
    RIGHT_THUMB = 1
    RIGHT_INDEX = 2
    RIGHT_MIDDLE = 3
    RIGHT_RING = 4
    RIGHT_LITTLE = 5
    LEFT_THUMB = 6
    LEFT_INDEX = 7
    LEFT_MIDDLE = 8
    LEFT_RING = 9
    LEFT_LITTLE = 10


class SensorVerdict(StrEnum):
    """What the sensor says about an imitation; no software of ours ever says it in its place."""

    LIVE = "live"
    ATTACK = "attack"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class SensorPad:
    """The sensor's own presentation attack detection (ISO/IEC 30107), with whoever speaks.

    Attributes:
        source: The sensor's function by name; empty where it has none.
        score: On that function's own scale.
    """

    verdict: SensorVerdict = SensorVerdict.NOT_JUDGED
    source: str = ""
    score: float | None = None


NO_PAD = SensorPad()


@dataclass(frozen=True, slots=True)
class ScannerInfo:
    """Which scanner it is.

    Attributes:
        dpi: Of its pictures; told by whoever set up the desk where the driver does not know.
        previews: It shows what lies on the glass while it looks.
        signs: Its pictures come with a signature of the device.
    """

    maker: str
    model: str
    serial: str
    dpi: int
    previews: bool
    signs: bool = False

    @property
    def name(self) -> str:
        """For people and records."""
        return " ".join(word for word in (self.maker, self.model, self.serial) if word)


@dataclass(frozen=True, slots=True)
class CaptureWish:
    """What is wanted.

    Attributes:
        timeout_s: How long to wait for a finger.
        minimum_quality: 0 to 100 on `contact.py`'s scale or the scanner's own; at 0 any finger will do, however poor.
        transaction: What a device that signs puts under its signature; the driver draws one where it is empty.
    """

    position: FingerPosition
    timeout_s: float = CAPTURE_WITHIN_S
    minimum_quality: int = 0
    transaction: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class FingerPicture:
    """One finger, as the scanner saw it.

    Attributes:
        pixels: (height, width) uint8, ridges dark, fingertip above.
        position: The finger that was asked for; no scanner of single fingers sees which one lies there.
        quality: 0 to 100, a hint.
        statement: What the device signed, where it signs; the picture is in it once more.
    """

    pixels: GreyImage
    dpi: int
    position: FingerPosition
    quality: int
    pad: SensorPad = NO_PAD
    statement: bytes = b""


class FingerprintScanner(Protocol):
    """A scanner of single fingers. One thread captures; `preview` and `present` may be asked from another."""

    def info(self) -> ScannerInfo:
        """Who it is, as known since the last `open`."""

    def open(self) -> None:
        """Take hold of it; may be called again after any error.

        Raises:
            NoScannerError: none is here, or nothing that drives it.
            ScannerBusyError: another program holds it.
            DeviceGoneError, DeviceTimeoutError: it does not answer.
            ScannerUntrustedError: it is not the device it says it is.
        """

    def capture(self, wish: CaptureWish, cancelled: Callable[[], bool]) -> FingerPicture:
        """Wait for a finger and take its picture; blocks the calling thread.

        Args:
            cancelled: Asked while waiting; true ends it as `NoFingerError`.

        Raises:
            NoFingerError, FingerLiftedError, FingerPoorError: about the finger; ask the person again.
            DeviceGoneError: unplugged. `open` it again before the next capture, as after each of the following.
            DeviceTimeoutError: it is there but silent; it was let go.
            ScannerBusyError: a capture is going on already.
            ScannerUntrustedError: its signature does not hold.
        """

    def present(self) -> bool:
        """Whether a finger lies on the glass now, as far as the scanner tells."""

    def preview(self) -> GreyImage | None:
        """The newest live picture; None while there is none, and always without `previews`."""

    def close(self) -> None:
        """Let it go; harmless when it is not open."""
