"""Live pictures of an SBI device: parts of a multipart answer, JPEG each, newest kept, decoded where they do no harm.

The stream is not signed; it is shown to the person at the desk and used for nothing else.
"""

import contextlib
import http.client
import json
import socket
import threading
import time
from typing import BinaryIO, Final

from hardware_drivers.errors import MalformedFileError
from hardware_drivers.fingerprint.contact import contact_of
from hardware_drivers.fingerprint.scanner import GreyImage
from hardware_drivers.id_chip.image_sandbox import ImageLimits, decode_image

FRAME_MAX: Final = 512 * 1024
LINE_MAX: Final = 1024
EVERY_S: Final = 0.4  # a decoding child takes 0.1 s of a processor; placement needs no more than this
SILENT_S: Final = 10.0
LIMITS: Final = ImageLimits(pixels=4_000_000)
BROKEN_MAX: Final = 5  # a cable may spoil one; a decoder is not started for ever
DPI: Final = 500  # streams do not say; only areas are judged by it


class LiveStream:
    """Opened with the capture, closed with it; a device that has none shows nothing."""

    def __init__(self, port: int, device_id: str) -> None:
        self._newest: GreyImage | None = None
        self._wire: socket.socket | None = None
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(port, device_id), daemon=True)
        self._reader.start()

    def newest(self) -> GreyImage | None:
        """The newest picture."""
        return self._newest

    def present(self) -> bool:
        """Whether it shows something."""
        shown = self._newest
        return shown is not None and not contact_of(shown, DPI).empty

    def close(self) -> None:
        """Hang up."""
        self._over.set()
        wire = self._wire
        if wire is not None:
            with contextlib.suppress(OSError):  # it ended by itself
                wire.shutdown(socket.SHUT_RDWR)
        self._reader.join(1.0)

    def _read(self, port: int, device_id: str) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=SILENT_S)
        try:
            line.connect()
            self._wire = line.sock
            body = json.dumps({"deviceId": device_id, "deviceSubId": "0"}).encode()
            line.request("STREAM", "/stream", body, {"Content-Type": "application/json", "EXT": "visual-counter"})
            with line.getresponse() as response:
                self._show(response)
        except (OSError, http.client.HTTPException, MalformedFileError, ValueError):
            self._newest = None  # no live picture; the capture itself says what is wrong, if anything is
        finally:
            line.close()

    def _show(self, response: http.client.HTTPResponse) -> None:
        """Decode a part every so often, until the end of the stream or too much that is no picture."""
        shown_at_s, broken = float("-inf"), 0
        while not self._over.is_set() and (frame := next_part(response)) is not None:
            if time.monotonic() - shown_at_s < EVERY_S:
                continue
            try:
                self._newest = decode_image(frame, limits=LIMITS)[:, :, 0]
            except MalformedFileError:
                broken += 1
                if broken == BROKEN_MAX:
                    raise
            shown_at_s = time.monotonic()


def next_part(stream: "BinaryIO | http.client.HTTPResponse") -> bytes | None:
    """The body of the next part, by its Content-Length; None at the end or when it is too long."""
    length = None
    for _ in range(20):  # headers of one part; the specification's example has four lines
        row = stream.readline(LINE_MAX)
        if not row:
            return None
        name, _, value = row.decode("latin-1").partition(":")
        if name.strip().lower() == "content-length" and value.strip().isdigit():
            length = int(value)
        if not row.strip() and length is not None:
            break
    if length is None or not 0 < length <= FRAME_MAX:
        return None
    return stream.read(length)
