"""A scanner whose glass is a script: pictures that come after another, and every trouble a real one makes, on demand.

Folder and synthetic finger play on it, so that what stands above a driver is tried without hardware.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from hardware_drivers.errors import DeviceGoneError, DeviceTimeoutError, NoFingerError, NoScannerError, ScannerBusyError
from hardware_drivers.fingerprint.contact import contact_of, quality_of
from hardware_drivers.fingerprint.scanner import (
    ASK_AGAIN_S,
    NO_PAD,
    CaptureWish,
    FingerPicture,
    FingerPosition,
    GreyImage,
    ScannerInfo,
    SensorPad,
)

FRAME_S: Final = 0.15  # scanners show 5 to 15 pictures a second


class Trouble(StrEnum):
    """What can be scripted to go wrong with the scanner; what goes wrong with the finger is in its pictures."""

    UNPLUGGED = "unplugged"
    BUSY = "busy"
    SILENT = "silent"  # it is there and does not answer
    NOBODY = "nobody"  # no finger comes


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens at the glass in one capture: live pictures, the last of which is taken, and the sensor's verdict."""

    frames: Sequence[GreyImage] = ()
    trouble: Trouble | None = None
    pad: SensorPad = NO_PAD


class Player(Protocol):
    """Who lays fingers on the glass."""

    def plugged(self) -> bool:
        """Whether the scanner is there at all."""

    def next_scene(self, position: FingerPosition) -> Scene:
        """What happens at the next capture."""


class PlayedScanner:
    """A `FingerprintScanner` of scenes."""

    def __init__(self, info: ScannerInfo, player: Player, *, frame_s: float = FRAME_S) -> None:
        self._info = info
        self._player = player
        self._frame_s = frame_s
        self._taking = threading.Lock()
        self._open = False
        self._shown: GreyImage | None = None

    def info(self) -> ScannerInfo:
        """As it was made."""
        return self._info

    def open(self) -> None:
        """`NoScannerError` while the script keeps it unplugged."""
        self._open = False
        if not self._player.plugged():
            raise NoScannerError(f"{self._info.model} is unplugged")
        self._open = True

    def capture(self, wish: CaptureWish, cancelled: Callable[[], bool]) -> FingerPicture:
        """Play the next scene; errors as the protocol has them."""
        if not self._taking.acquire(blocking=False):
            raise ScannerBusyError("a capture is going on")
        try:
            return self._play(wish, cancelled)
        finally:
            self._shown = None
            self._taking.release()

    def _play(self, wish: CaptureWish, cancelled: Callable[[], bool]) -> FingerPicture:
        if not self._open or not self._player.plugged():
            raise self._gone()
        scene = self._player.next_scene(wish.position)
        give_up_at = time.monotonic() + wish.timeout_s
        match scene.trouble:
            case Trouble.UNPLUGGED:
                raise self._gone()
            case Trouble.BUSY:
                raise ScannerBusyError("another program holds it")
            case Trouble.SILENT:
                self._wait(give_up_at, cancelled)
                self._open = False
                raise DeviceTimeoutError(f"silent for {wish.timeout_s:.0f} s")
            case Trouble.NOBODY | None:
                pass
        for frame in scene.frames:
            self._shown = frame
            self._wait(min(give_up_at, time.monotonic() + self._frame_s), cancelled)
            if not self._player.plugged():
                raise self._gone()
        if not scene.frames:
            self._wait(give_up_at, cancelled)
            raise NoFingerError(f"nobody came in {wish.timeout_s:.0f} s")
        taken = scene.frames[-1]
        quality = quality_of(taken, self._info.dpi, wish.minimum_quality)
        return FingerPicture(taken, self._info.dpi, wish.position, quality, scene.pad)

    def present(self) -> bool:
        """Whether the picture now on the glass shows anything."""
        shown = self._shown
        return shown is not None and not contact_of(shown, self._info.dpi).empty

    def preview(self) -> GreyImage | None:
        """The frame that plays now."""
        return self._shown

    def close(self) -> None:
        """Nothing is taken before the next `open`."""
        self._open = False

    def _gone(self) -> DeviceGoneError:
        self._open = False
        return DeviceGoneError(f"{self._info.model} went away")

    @staticmethod
    def _wait(until_s: float, cancelled: Callable[[], bool]) -> None:
        """Until that time of the monotonic clock; `NoFingerError` once nobody wants it any more."""
        while (left_s := until_s - time.monotonic()) > 0:
            if cancelled():
                raise NoFingerError("nobody wants it any more")
            time.sleep(min(ASK_AGAIN_S, left_s))
