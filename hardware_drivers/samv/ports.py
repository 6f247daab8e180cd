"""A cable that carries bytes to a SAM_V reader and back: serial lines by the standard library.

pyserial is not needed: a reader wants 8N1 at a fixed speed and nothing else, which is what `termios` sets.
"""

import errno
import fcntl
import os
import select
import termios
import time
from typing import Protocol

from hardware_drivers.errors import DeviceGoneError, DeviceTimeoutError, NoReaderError, ReaderBusyError

DEFAULT_BAUD = 115200  # SAM_V: default; 9600 to 57600 can be set in the module
SPEEDS = {
    9600: termios.B9600,
    19200: termios.B19200,
    38400: termios.B38400,
    57600: termios.B57600,
    115200: termios.B115200,
}
CHUNK_BYTES = 4096
WRITE_TIMEOUT_S = 1.0  # ten bytes take 1 ms; a line that does not drain has flow control stuck


class Port(Protocol):
    """Bytes to a reader and back. Every method raises `DeviceGoneError` once the cable is out."""

    def write(self, frame: bytes) -> None:
        """Send a whole frame; `DeviceTimeoutError` when the line does not take it."""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting for something at most this long; empty when nothing came."""

    def close(self) -> None:
        """Let go of the reader; closing twice is nothing."""


class SerialPort:
    """A serial line, opened for us alone.

    Args:
        path: The device, best one that names the reader and not its number: `/dev/serial/by-id/...`.
        baud: One of `SPEEDS`; `ValueError` otherwise.

    Raises:
        NoReaderError: There is no such device, or it is no serial line, or we may not open it.
        ReaderBusyError: Another program holds it.
    """

    def __init__(self, path: str, baud: int = DEFAULT_BAUD) -> None:
        if baud not in SPEEDS:
            raise ValueError(f"{baud} baud is not a speed of SAM_V readers")
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise ReaderBusyError("another program holds the serial line") from error
            hint = "; join the group that owns it" if error.errno == errno.EACCES else ""
            raise NoReaderError(f"the serial line cannot be opened: {os.strerror(error.errno or 0)}{hint}") from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._make_raw(SPEEDS[baud])
        except BlockingIOError as error:
            self.close()
            raise ReaderBusyError("another program holds the serial line") from error
        except (OSError, termios.error) as error:
            self.close()
            raise NoReaderError("this device is not a serial line") from error

    def write(self, frame: bytes) -> None:
        """Send a whole frame."""
        give_up_at = time.monotonic() + WRITE_TIMEOUT_S
        while frame:
            self._wait(select.POLLOUT, give_up_at - time.monotonic())
            if time.monotonic() >= give_up_at:
                raise DeviceTimeoutError("the serial line does not take what we send")
            try:
                frame = frame[os.write(self._fd, frame) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise DeviceGoneError("the serial line went away") from error

    def read(self, timeout_s: float) -> bytes:
        """What has arrived."""
        if not self._wait(select.POLLIN, timeout_s):
            return b""
        try:
            arrived = os.read(self._fd, CHUNK_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise DeviceGoneError("the serial line went away") from error
        if not arrived:
            raise DeviceGoneError("the serial line went away")
        return arrived

    def close(self) -> None:
        """Close the line."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _make_raw(self, speed: int) -> None:
        """8N1 without flow control, echo or any translation."""
        fcntl.ioctl(self._fd, termios.TIOCEXCL)
        characters: list[bytes | int] = [b"\0"] * len(termios.tcgetattr(self._fd)[6])
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0  # so that an empty read means a hang-up
        flags = termios.CS8 | termios.CREAD | termios.CLOCAL
        attributes: list[int | list[bytes | int]] = [0, 0, flags, 0, speed, speed, characters]
        termios.tcsetattr(self._fd, termios.TCSANOW, attributes)
        termios.tcflush(self._fd, termios.TCIOFLUSH)

    def _wait(self, event: int, timeout_s: float) -> bool:
        """Whether the event came in time; `DeviceGoneError` when the line hung up."""
        if self._fd < 0:
            raise DeviceGoneError("the serial line is closed")
        poll = select.poll()
        poll.register(self._fd, event)
        seen = poll.poll(max(0.0, timeout_s) * 1000)
        happened = seen[0][1] if seen else 0
        if happened & (select.POLLERR | select.POLLHUP | select.POLLNVAL) and not happened & event:
            raise DeviceGoneError("the serial line hung up")
        return bool(happened & event)
