"""Lays fingers on libfprint's own virtual device, which Debian's package contains: pictures and troubles by a socket.

    python -m hardware_drivers.fingerprint.virtual_image --socket PATH --person 3 --position 7

The device exists for whoever runs libfprint with `FP_VIRTUAL_IMAGE=PATH`, and listens while it is open. What it
understands (libfprint 1.94, drivers/virtual-image.c): two native int32, width and height, then the pixels; or a
negative first number, an order, with its value as the second.
"""

import argparse
import contextlib
import socket
import struct
import sys
import time
from enum import IntEnum
from pathlib import Path
from typing import Final

import numpy as np

from hardware_drivers.fingerprint.scanner import FingerPosition, GreyImage
from hardware_drivers.fingerprint.simulated import HandFault, scene_of

VARIABLE: Final = "FP_VIRTUAL_IMAGE"
LISTENS_WITHIN_S: Final = 5.0
SEEN_WITHIN_S: Final = 0.4  # the device reads when its owner's main loop turns


class Order(IntEnum):
    """The device's orders, by its first number."""

    RETRY = -1  # value: FpDeviceRetry
    ERROR = -2  # value: FpDeviceError
    AUTOMATIC_FINGER = -3
    FINGER = -4  # value: 1 on the glass, 0 off
    REMOVE = -5  # the cable is pulled


class VirtualGlass:
    """The glass of one virtual device."""

    def __init__(self, path: Path, *, patience_s: float = LISTENS_WITHIN_S) -> None:
        """At that socket; `patience_s` is how long a finger waits for the device to want one."""
        self._path = path
        self._patience_s = patience_s

    def lay(self, picture: GreyImage) -> None:
        """A finger comes, is taken and leaves."""
        height, width = picture.shape
        self._send(struct.pack("=ii", width, height) + picture.tobytes())

    def order(self, order: Order, value: int = 0) -> None:
        """Something else happens."""
        self._send(struct.pack("=ii", order, value))

    def _send(self, message: bytes) -> None:
        with self._connected() as line:
            line.sendall(message)
            line.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                line.settimeout(SEEN_WITHIN_S)
                line.recv(1)  # the device closes after it has read

    def _connected(self) -> socket.socket:
        """A line to the device, which is not there before it is opened and may refuse between two captures."""
        give_up_at = time.monotonic() + self._patience_s
        while True:
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(LISTENS_WITHIN_S)
            try:
                line.connect(str(self._path))
            except OSError:
                line.close()
                if time.monotonic() >= give_up_at:
                    raise
                time.sleep(0.02)
            else:
                return line


def main() -> int:
    """Lay one finger down."""
    parser = argparse.ArgumentParser(prog="virtual_image", description="A synthetic finger on libfprint's device.")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--person", type=int, default=1)
    parser.add_argument("--position", type=int, default=int(FingerPosition.RIGHT_INDEX), choices=range(11))
    parser.add_argument("--fault", choices=[HandFault.EMPTY.value, HandFault.LIFTED.value, HandFault.WET.value])
    wishes = parser.parse_args()
    fault = HandFault(wishes.fault) if wishes.fault else None
    scene = scene_of(wishes.person, FingerPosition(wishes.position), fault, np.random.default_rng())
    VirtualGlass(wishes.socket).lay(scene.frames[-1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
