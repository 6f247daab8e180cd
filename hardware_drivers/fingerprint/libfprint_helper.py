"""The process that holds a libfprint scanner: `/usr/bin/python3 -I libfprint_helper.py`, on the system's own Python.

libfprint is reached through GObject introspection (`gi`), which lives in the system's Python only; and its calls wait
for ever where a device does not answer. So this child holds the device and its parent holds the clock. Standard
library and gi alone; nothing of this repository is imported.

On stdin come lines of JSON, `{"do": "open" | "capture" | "cancel"}`; its end means: let go and leave. On stdout go
frames: u32 length of a JSON object, the object, and as many bytes as its `pixels` says. An object is an `event` or an
answer; an answer carries `error`, one word, or what was asked for.
"""

import ctypes
import importlib
import json
import os
import queue
import sys
import threading
from typing import Any

PR_SET_NAME = 15
RETRIES = {  # FpDeviceRetry
    0: "retry",
    1: "too_short",
    2: "center",
    3: "remove",
}
ERRORS = {  # FpDeviceError
    0: "gone",  # general
    1: "no_image",  # not supported
    2: "gone",  # not open
    3: "busy",  # already open
    4: "busy",
    5: "gone",  # protocol
    0x100: "gone",  # removed
    0x101: "gone",  # too hot
}
LEAVE_WITHIN_S = 0.8  # a device that hangs while it is closed does not keep this process alive


def tell(pixels: bytes = b"", **words: object) -> None:
    """One frame to the parent."""
    head = json.dumps({**words, "pixels": len(pixels)}).encode()
    sys.stdout.buffer.write(len(head).to_bytes(4, "big") + head + pixels)
    sys.stdout.buffer.flush()


class Libfprint:
    """The first scanner that gives pictures, and what it did."""

    def __init__(self) -> None:
        gi: Any = importlib.import_module("gi")
        gi.require_version("FPrint", "2.0")
        self._fprint: Any = importlib.import_module("gi.repository.FPrint")
        self._glib: Any = importlib.import_module("gi.repository.GLib")
        self._gio: Any = importlib.import_module("gi.repository.Gio")
        self._context: Any = None
        self._device: Any = None
        self.cancellable: Any = self._gio.Cancellable()

    def open(self) -> None:
        """Find one and take hold of it; tells who it is or what is wrong."""
        self._context = self._fprint.Context()  # a new one: an old one remembers what was plugged in then
        self._context.enumerate()
        devices = list(self._context.get_devices())
        takers = [each for each in devices if each.has_feature(self._fprint.DeviceFeature.CAPTURE)]
        if not takers:
            tell(error="no_image" if devices else "no_device")
            return
        device = takers[0]
        try:
            device.open_sync()
        except self._glib.Error as error:
            tell(error=self._word(error))
            return
        device.connect("notify::finger-status", self._finger_moved)
        self._device = device
        tell(driver=device.get_driver(), name=device.get_name(), device_id=device.get_device_id())

    def capture(self) -> None:
        """Wait for a finger; tells its picture or what is wrong."""
        if self._device is None:
            tell(error="gone")
            return
        try:
            image = self._device.capture_sync(True, self.cancellable)
        except self._glib.Error as error:
            tell(error=self._word(error))
            return
        tell(
            bytes(image.get_data()),
            width=image.get_width(),
            height=image.get_height(),
            dpi=round(image.get_ppmm() * 25.4),
        )

    def close(self) -> None:
        """Let the device go, as far as it still answers."""
        if self._device is not None:
            try:
                self._device.close_sync()
            except self._glib.Error:
                return

    def renew(self) -> None:
        """Make the next capture one that can be cancelled; before the parent may ask for that."""
        self.cancellable = self._gio.Cancellable()

    def _finger_moved(self, device: Any, _: object) -> None:
        present = bool(device.get_finger_status() & self._fprint.FingerStatusFlags.PRESENT)
        tell(event="finger", present=present)

    def _word(self, error: Any) -> str:
        """What the parent calls it."""
        if error.matches(self._gio.io_error_quark(), self._gio.IOErrorEnum.CANCELLED):
            return "cancelled"
        if error.domain == self._glib.quark_to_string(self._fprint.device_retry_quark()):
            return RETRIES.get(error.code, "retry")
        if error.domain == self._glib.quark_to_string(self._fprint.device_error_quark()):
            return ERRORS.get(error.code, "gone")
        return "gone"


def serve(scanner: Libfprint, asked: "queue.SimpleQueue[str | None]") -> None:
    """Do what is asked, one after another, until None."""
    while (word := asked.get()) is not None:
        if word == "open":
            scanner.open()
        elif word == "capture":
            scanner.capture()
    scanner.close()


def main() -> None:
    """Read the parent's lines; leave when they end, even if the device hangs."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, b"libfprint", 0, 0, 0)
    try:
        scanner = Libfprint()
    except (ImportError, ValueError):  # ValueError: gi is there, FPrint 2.0 is not
        tell(error="no_libfprint")
        return
    asked: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    server = threading.Thread(target=serve, args=(scanner, asked), daemon=True)
    server.start()
    for line in sys.stdin:
        word = json.loads(line)["do"]
        if word == "cancel":
            scanner.cancellable.cancel()
        else:
            if word == "capture":
                scanner.renew()
            asked.put(word)
    scanner.cancellable.cancel()
    asked.put(None)
    server.join(LEAVE_WITHIN_S)
    os._exit(0)  # a thread inside a mute device cannot be joined


if __name__ == "__main__":
    main()
