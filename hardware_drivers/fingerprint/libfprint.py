"""The parent's end of a libfprint scanner: the clock, the kill, and the words for what went wrong."""

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hardware_drivers.errors import (
    DeviceError,
    DeviceGoneError,
    DeviceTimeoutError,
    FingerLiftedError,
    FingerPoorError,
    NoFingerError,
    NoScannerError,
    PoorPicture,
    ScannerBusyError,
)
from hardware_drivers.fingerprint.contact import quality_of
from hardware_drivers.fingerprint.scanner import (
    ASK_AGAIN_S,
    SIDES_PX,
    CaptureWish,
    FingerPicture,
    GreyImage,
    ScannerInfo,
)

SYSTEM_PYTHON: Final = Path("/usr/bin/python3")  # where Debian and Ubuntu put gi
HELPER: Final = Path(__file__).with_name("libfprint_helper.py")
HEAD_MAX: Final = 4096
OPEN_WITHIN_S: Final = 8.0  # USB enumeration and a sensor's start; the virtual one takes 0.4 s
ANSWER_CANCEL_WITHIN_S: Final = 1.5
LEAVE_WITHIN_S: Final = 1.5  # the helper leaves by itself within 1 s
DPI_KNOWN: Final = (100, 1200)  # what a driver may report and be believed; the virtual one says 0


class _Frame(BaseModel):
    """The head of one frame of the helper, which is believed no more than the device behind it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    error: str | None = None
    event: str | None = None
    present: bool = False
    driver: str = Field("", max_length=80)
    name: str = Field("", max_length=200)
    device_id: str = Field("", max_length=200)
    width: int = Field(0, ge=0, le=SIDES_PX[1])
    height: int = Field(0, ge=0, le=SIDES_PX[1])
    dpi: int = 0
    pixels: int = Field(0, ge=0, le=SIDES_PX[1] ** 2)


def error_for(word: str) -> DeviceError:
    """The exception a person can act on, for a word of the helper."""
    match word:
        case "no_libfprint":
            return NoScannerError("libfprint or python3-gi is not installed")
        case "no_device":
            return NoScannerError("libfprint sees no scanner")
        case "no_image":
            return NoScannerError("the scanner compares on its own chip and gives no picture")
        case "busy":
            return ScannerBusyError("another program holds the scanner")
        case "cancelled":
            return NoFingerError("nobody wants it any more")
        case "too_short":
            return FingerLiftedError("the scanner wants it longer")
        case "center":
            return FingerPoorError(PoorPicture.TOO_LITTLE, "the scanner wants it in the middle")
        case "retry" | "remove":
            return FingerPoorError(PoorPicture.UNCLEAR, "the scanner wants it again")
        case _:
            return DeviceGoneError("the scanner went away")


@dataclass(frozen=True, slots=True)
class LibfprintSettings:
    """How to reach it.

    Attributes:
        dpi: Of its pictures, where its driver does not report it.
        python: An interpreter that has gi.
        environment: For the helper alone; `FP_VIRTUAL_IMAGE` makes libfprint's virtual device.
    """

    dpi: int = 500
    python: Path = SYSTEM_PYTHON
    environment: Mapping[str, str] | None = None


class LibfprintScanner:
    """A `FingerprintScanner` of whatever libfprint drives."""

    def __init__(self, settings: LibfprintSettings) -> None:
        self._settings = settings
        self._info = ScannerInfo("libfprint", "", "", settings.dpi, previews=False)
        self._helper: subprocess.Popen[bytes] | None = None
        self._received = bytearray()
        self._taking = threading.Lock()
        self._present = False

    @property
    def helper_pid(self) -> int | None:
        """The process that holds the device, while there is one."""
        return self._helper.pid if self._helper else None

    def info(self) -> ScannerInfo:
        """What libfprint calls it."""
        return self._info

    def open(self) -> None:
        """A new helper, which opens the first scanner that gives pictures."""
        self.close()
        if not self._settings.python.exists():
            raise NoScannerError("the system's Python is not where it should be")
        self._helper = subprocess.Popen(
            [str(self._settings.python), "-I", str(HELPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libfprint warns about every sensor's habits there
            env={"PATH": "/usr/bin:/bin", **(self._settings.environment or {})},
            start_new_session=True,  # Ctrl-C at the kiosk must not end a capture half-way
        )
        try:
            self._ask("open")
            frame, _ = self._answer(time.monotonic() + OPEN_WITHIN_S, lambda: False)
        except DeviceError:
            self.close()
            raise
        self._info = ScannerInfo("libfprint", frame.name or frame.driver, "", self._settings.dpi, previews=False)

    def capture(self, wish: CaptureWish, cancelled: Callable[[], bool]) -> FingerPicture:
        """Errors as the protocol has them; a helper that does not answer is killed."""
        if not self._taking.acquire(blocking=False):
            raise ScannerBusyError("a capture is going on")
        try:
            self._ask("capture")
            frame, pixels = self._answer(time.monotonic() + wish.timeout_s, cancelled)
        except DeviceTimeoutError:
            if self._helper:
                self._helper.kill()  # it does not hear any more
            self.close()
            raise
        except DeviceGoneError:
            self.close()
            raise
        finally:
            self._present = False
            self._taking.release()
        if frame.width * frame.height != len(pixels) or min(frame.width, frame.height) < SIDES_PX[0]:
            raise DeviceGoneError(f"{frame.width} x {frame.height} pixels in {len(pixels)} bytes")
        grey = np.frombuffer(pixels, np.uint8).reshape(frame.height, frame.width)
        dpi = frame.dpi if DPI_KNOWN[0] <= frame.dpi <= DPI_KNOWN[1] else self._settings.dpi
        return FingerPicture(grey, dpi, wish.position, quality_of(grey, dpi, wish.minimum_quality))

    def present(self) -> bool:
        """As the sensor last reported."""
        return self._present

    def preview(self) -> GreyImage | None:
        """None: libfprint gives whole pictures only."""
        return None

    def close(self) -> None:
        """End the helper, gently if it can still hear."""
        helper, self._helper = self._helper, None
        self._received.clear()
        if helper is None:
            return
        try:
            if helper.stdin:
                with contextlib.suppress(BrokenPipeError):
                    helper.stdin.close()
            helper.wait(LEAVE_WITHIN_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.kill(helper.pid, signal.SIGKILL)
            helper.wait()
        finally:
            if helper.stdout:
                helper.stdout.close()

    def _ask(self, word: str) -> None:
        """One line to the helper."""
        helper = self._helper
        if helper is None or helper.stdin is None:
            raise DeviceGoneError("the scanner is not open")
        try:
            helper.stdin.write(json.dumps({"do": word}).encode() + b"\n")
            helper.stdin.flush()
        except OSError as error:
            raise DeviceGoneError("the scanner's process ended") from error

    def _answer(self, give_up_at: float, cancelled: Callable[[], bool]) -> tuple[_Frame, bytes]:
        """The next frame that is no event.

        Raises:
            DeviceTimeoutError: not even the order to stop was answered.
            DeviceError: as the helper's word says.
        """
        stopping = ""
        while True:
            frame, pixels = self._frame(give_up_at, cancelled if not stopping else lambda: False)
            if frame is None:
                if stopping:
                    raise DeviceTimeoutError("the scanner does not answer")
                stopping = "nobody came in time" if time.monotonic() >= give_up_at else "nobody wants it any more"
                self._ask("cancel")
                give_up_at = time.monotonic() + ANSWER_CANCEL_WITHIN_S
            elif frame.event:
                self._present = frame.present
            elif frame.error == "cancelled" and stopping:
                raise NoFingerError(stopping)
            elif frame.error:
                raise error_for(frame.error)
            else:
                return frame, pixels

    def _frame(self, give_up_at: float, cancelled: Callable[[], bool]) -> tuple[_Frame | None, bytes]:
        """The next frame, or None when the time is over or nobody wants it; nothing half read is lost."""
        while (whole := self._whole_frame()) is None:
            if time.monotonic() >= give_up_at or cancelled():
                return None, b""
            stdout = self._helper.stdout if self._helper else None
            if stdout is None:
                raise DeviceGoneError("the scanner is not open")
            wait_s = max(0.0, min(ASK_AGAIN_S, give_up_at - time.monotonic()))
            if not select.select([stdout], [], [], wait_s)[0]:
                continue
            part = os.read(stdout.fileno(), 1 << 16)
            if not part:
                raise DeviceGoneError("the scanner's process ended")
            self._received += part
        return whole

    def _whole_frame(self) -> tuple[_Frame, bytes] | None:
        """Take a frame off what was received, once it is all there."""
        received = self._received
        if len(received) < 4:
            return None
        length = int.from_bytes(received[:4], "big")
        if length > HEAD_MAX:
            raise DeviceGoneError(f"head of {length} bytes from the scanner's process")
        if len(received) < 4 + length:
            return None
        try:
            frame = _Frame.model_validate_json(bytes(received[4 : 4 + length]))
        except ValidationError as error:
            raise DeviceGoneError("the scanner's process speaks something else") from error
        end = 4 + length + frame.pixels
        if len(received) < end:
            return None
        pixels = bytes(received[4 + length : end])
        del received[:end]
        return frame, pixels
