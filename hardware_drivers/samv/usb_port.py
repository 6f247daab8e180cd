"""The USB cable of a SAM_V reader, through pyusb (BSD-3-Clause) and libusb; both only needed here.

Makers differ: some readers have one pair of endpoints that carries whole frames, some two pairs, where the first
carries preamble and length and the second the rest (SAM_V: pipes 02 and 06 out, 81 and 85 in). The descriptor tells.
"""

import errno
import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hardware_drivers.errors import DeviceGoneError, DeviceTimeoutError, NoReaderError, ReaderBusyError
from hardware_drivers.samv.frame import HEAD_BYTES, LONGEST_LEN

KNOWN_READERS = ((0x0400, 0xC35A), (0x0483, 0x5652))  # vendor, product
WRITE_TIMEOUT_MS = 1000
SHORT_READ_MS = 1  # libusb takes 0 for "for ever"
PACKETS_BYTES = 4096  # a multiple of every packet size, so that libusb never overflows
DIRECTION_IN = 0x80
BULK, INTERRUPT = 2, 3  # bmAttributes, USB 2.0 table 9-13


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses, one for whole frames, or one for the head and one for the rest."""

    out: tuple[int, ...]
    into: tuple[int, ...]


def choose_endpoints(addresses: list[int]) -> Endpoints | None:
    """What carries our frames, from the addresses an interface has; None when it carries nothing both ways.

    Two pairs split a frame only when both directions have two; then the lower address carries the head.
    """
    out = sorted(address for address in addresses if not address & DIRECTION_IN)
    into = sorted(address for address in addresses if address & DIRECTION_IN)
    if not out or not into:
        return None
    count = 2 if len(out) >= 2 and len(into) >= 2 else 1
    return Endpoints(tuple(out[:count]), tuple(into[:count]))


class UsbPort:
    """The first known reader on USB, claimed for us alone.

    Args:
        backend: A pyusb backend in place of libusb; None finds libusb.

    Raises:
        NoReaderError: pyusb or libusb is missing, no known reader is plugged in, or we may not open it.
        ReaderBusyError: Another program holds it.
    """

    def __init__(self, *, backend: object | None = None) -> None:
        self._core = _pyusb()
        try:
            self._device = self._find(backend)
            self._interface, self._endpoints = self._claim()
        except self._core.NoBackendError as error:
            raise NoReaderError("USB readers need the library libusb-1.0") from error
        except self._core.USBError as error:
            if error.errno == errno.EBUSY:
                raise ReaderBusyError("another program holds the USB reader") from error
            hint = "; a udev rule must give us access" if error.errno == errno.EACCES else ""
            raise NoReaderError(f"the USB reader cannot be opened: code {error.errno}{hint}") from error

    def write(self, frame: bytes) -> None:
        """Send a whole frame."""
        parts = (frame,) if len(self._endpoints.out) == 1 else (frame[:HEAD_BYTES], frame[HEAD_BYTES:])
        for endpoint, part in zip(self._endpoints.out, parts, strict=True):
            try:
                written = self._device.write(endpoint, part, WRITE_TIMEOUT_MS)
            except self._core.USBTimeoutError as error:
                raise DeviceTimeoutError("the USB reader does not take what we send") from error
            except self._core.USBError as error:
                raise DeviceGoneError("the USB reader went away") from error
            if written != len(part):
                raise DeviceTimeoutError("the USB reader took a part of what we sent")

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; with two pairs a head and its rest come in one piece."""
        head = self._read(self._endpoints.into[0], timeout_s)
        if len(self._endpoints.into) == 1 or len(head) < HEAD_BYTES:
            return head
        missing = int.from_bytes(head[HEAD_BYTES - 2 : HEAD_BYTES], "big") + HEAD_BYTES - len(head)
        arrived = head
        while 0 < missing <= LONGEST_LEN and (rest := self._read(self._endpoints.into[1], timeout_s)):
            arrived += rest
            missing -= len(rest)
        return arrived

    def close(self) -> None:
        """Give the reader back."""
        dispose = importlib.import_module("usb.util").dispose_resources
        dispose(self._device)

    def _read(self, endpoint: int, timeout_s: float) -> bytes:
        """What one endpoint gives in time."""
        try:
            return bytes(self._device.read(endpoint, PACKETS_BYTES, max(SHORT_READ_MS, int(timeout_s * 1000))))
        except self._core.USBTimeoutError:
            return b""
        except self._core.USBError as error:
            raise DeviceGoneError("the USB reader went away") from error

    def _find(self, backend: object | None) -> Any:  # pyusb publishes no types
        """The first known reader."""
        for vendor, product in KNOWN_READERS:
            device = self._core.find(idVendor=vendor, idProduct=product, backend=backend)
            if device is not None:
                return device
        raise NoReaderError("no known ID card reader is plugged in on USB")

    def _claim(self) -> tuple[int, Endpoints]:
        """The first interface with bulk or interrupt endpoints both ways, claimed."""
        util = importlib.import_module("usb.util")
        for interface in self._device[0]:
            usable = [e.bEndpointAddress for e in interface if e.bmAttributes & 3 in (BULK, INTERRUPT)]
            endpoints = choose_endpoints(usable)
            if endpoints is None:
                continue
            number = interface.bInterfaceNumber
            if self._device.is_kernel_driver_active(number):
                self._device.detach_kernel_driver(number)  # 0483:5652 is taken for a HID device by some kernels
            util.claim_interface(self._device, number)
            return number, endpoints
        raise NoReaderError("the USB reader has no endpoints both ways")


def _pyusb() -> ModuleType:
    """pyusb, or `NoReaderError` that says how to get it."""
    try:
        return importlib.import_module("usb.core")
    except ImportError as error:
        raise NoReaderError("USB readers need the Python package pyusb: pip install pyusb") from error
