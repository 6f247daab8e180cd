"""USB readers through pyusb, with a bus that is ours below it: both ways of cutting a frame over endpoints."""

import errno
import importlib
import importlib.util
from array import array
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from hardware_drivers.errors import DeviceGoneError, DeviceTimeoutError, NoReaderError, ReaderBusyError
from hardware_drivers.samv.reader import SamvReader
from hardware_drivers.samv.usb_port import Endpoints, UsbPort, choose_endpoints

wants_pyusb = pytest.mark.skipif(
    importlib.util.find_spec("usb") is None, reason="wants pyusb, the optional package for readers on USB"
)
# Hand-made answers to published questions; a module number of nobody.
ANSWERS = {
    "AAAAAA9669 0003 11FF ED": "AAAAAA9669 0004 000090 94",
    "AAAAAA9669 0003 12FF EE": "AAAAAA9669 0014 000090 0500030085EC33013930000015CD5B07 54",
    "AAAAAA9669 0003 2001 22": "AAAAAA9669 0008 00009F 00000000 97",
    "AAAAAA9669 0003 2002 21": "AAAAAA9669 000C 000090 0000000000000000 9C",
}
BY_QUESTION = {bytes.fromhex(question): bytes.fromhex(answer) for question, answer in ANSWERS.items()}


@pytest.mark.parametrize(
    ("addresses", "chosen"),
    [
        ([0x81, 0x02], Endpoints((0x02,), (0x81,))),
        ([0x81, 0x02, 0x85, 0x06], Endpoints((0x02, 0x06), (0x81, 0x85))),  # the table of SAM_V
        ([0x85, 0x06, 0x81, 0x02], Endpoints((0x02, 0x06), (0x81, 0x85))),
        ([0x81, 0x82, 0x02], Endpoints((0x02,), (0x81,))),
        ([0x81], None),
        ([0x02], None),
        ([], None),
    ],
)
def test_the_descriptor_says_how_frames_are_cut(addresses: list[int], chosen: Endpoints | None) -> None:
    assert choose_endpoints(addresses) == chosen


def test_without_pyusb_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", nothing)
    with pytest.raises(NoReaderError, match="pyusb"):
        UsbPort()


class Bus:
    """One reader on a bus, as pyusb sees it through a backend (its `IBackend`)."""

    def __init__(self, endpoints: list[int], *, vendor: int = 0x0400, product: int = 0xC35A) -> None:
        self.endpoints, self.vendor, self.product = endpoints, vendor, product
        self.coming: dict[int, deque[bytes]] = {e: deque() for e in endpoints if e & 0x80}
        self.written: list[tuple[int, bytes]] = []
        self.fail: int | None = None
        self.closed = False

    def enumerate_devices(self) -> list[str]:
        return ["reader"]

    def get_device_descriptor(self, device: str) -> Any:
        numbers = {"bDescriptorType": 1, "bcdUSB": 0x110, "bcdDevice": 1, "bNumConfigurations": 1, "bLength": 18}
        strings = {"iManufacturer": 0, "iProduct": 0, "iSerialNumber": 0}
        classes = {"bDeviceClass": 0, "bDeviceSubClass": 0, "bDeviceProtocol": 0, "bMaxPacketSize0": 8}
        place = {"address": 1, "bus": 1, "port_number": 1, "port_numbers": (1,), "speed": 2}
        return SimpleNamespace(**numbers, **strings, **classes, **place, idVendor=self.vendor, idProduct=self.product)

    def get_configuration_descriptor(self, device: str, number: int) -> Any:
        if number:
            raise IndexError(number)
        lengths = {"bLength": 9, "bDescriptorType": 2, "wTotalLength": 32, "bNumInterfaces": 1}
        rest = {"bConfigurationValue": 1, "iConfiguration": 0, "bmAttributes": 0xC0, "bMaxPower": 50}
        return SimpleNamespace(**lengths, **rest, extra_descriptors=[])

    def get_interface_descriptor(self, device: str, interface: int, alternate: int, configuration: int) -> Any:
        if interface or alternate:
            raise IndexError(interface)
        numbers = {"bLength": 9, "bDescriptorType": 4, "bInterfaceNumber": 0, "bAlternateSetting": 0}
        classes = {"bInterfaceClass": 255, "bInterfaceSubClass": 0, "bInterfaceProtocol": 0, "iInterface": 0}
        return SimpleNamespace(**numbers, **classes, bNumEndpoints=len(self.endpoints), extra_descriptors=[])

    def get_endpoint_descriptor(
        self, device: str, endpoint: int, interface: int, alternate: int, configuration: int
    ) -> Any:
        rest = {"bmAttributes": 2, "wMaxPacketSize": 64, "bInterval": 0, "bRefresh": 0, "bSynchAddress": 0}
        address = self.endpoints[endpoint]
        return SimpleNamespace(bLength=7, bDescriptorType=5, bEndpointAddress=address, **rest, extra_descriptors=[])

    def open_device(self, device: str) -> str:
        return "handle"

    def close_device(self, handle: str) -> None:
        self.closed = True

    def get_configuration(self, handle: str) -> int:
        return 1

    def set_configuration(self, handle: str, value: int) -> None: ...

    def is_kernel_driver_active(self, handle: str, interface: int) -> bool:
        return False

    def claim_interface(self, handle: str, interface: int) -> None:
        self._fail_if_asked()

    def release_interface(self, handle: str, interface: int) -> None: ...

    def bulk_write(self, handle: str, endpoint: int, interface: int, data: "array[int]", timeout_ms: int) -> int:
        self._fail_if_asked()
        self.written.append((endpoint, bytes(data)))
        out = sorted(e for e in self.endpoints if not e & 0x80)
        into = sorted(self.coming)
        cut = 2 if len(out) > 1 and len(into) > 1 else 1
        question = b"".join(part for _, part in self.written[-cut:])
        answer = BY_QUESTION.get(question)
        if answer is not None and endpoint == out[cut - 1]:
            pieces = [answer] if cut == 1 else [answer[:7], answer[7:]]
            for address, piece in zip(into, pieces, strict=False):
                self.coming[address].append(piece)
        return len(data)

    def bulk_read(self, handle: str, endpoint: int, interface: int, into: "array[int]", timeout_ms: int) -> int:
        self._fail_if_asked()
        if not self.coming[endpoint]:
            raise self._core().USBTimeoutError("timeout", errno=errno.ETIMEDOUT)
        piece = self.coming[endpoint].popleft()
        into[: len(piece)] = array("B", piece)
        return len(piece)

    intr_read = iso_read = bulk_read
    intr_write = iso_write = bulk_write

    def _fail_if_asked(self) -> None:
        if self.fail is not None:
            kind = self._core().USBTimeoutError if self.fail == errno.ETIMEDOUT else self._core().USBError
            raise kind("asked for", errno=self.fail)

    @staticmethod
    def _core() -> Any:
        return importlib.import_module("usb.core")


@wants_pyusb
@pytest.mark.parametrize(
    ("endpoints", "parts"), [([0x81, 0x02], [10]), ([0x81, 0x02, 0x85, 0x06], [7, 3])], ids=["one pair", "two pairs"]
)
@pytest.mark.parametrize(("vendor", "product"), [(0x0400, 0xC35A), (0x0483, 0x5652)])
def test_a_reader_on_usb_answers(endpoints: list[int], parts: list[int], vendor: int, product: int) -> None:
    bus = Bus(endpoints, vendor=vendor, product=product)
    reader = SamvReader(lambda: UsbPort(backend=bus), patience=0.1)
    assert reader.info().module_number == "05.03-20180101-0000012345-0123456789"
    assert reader.wait_for_card(1.0, lambda: False).serial == bytes(8)
    assert [len(part) for _, part in bus.written[: len(parts)]] == parts
    reader.close()
    assert bus.closed


@wants_pyusb
def test_an_unknown_device_is_left_alone() -> None:
    with pytest.raises(NoReaderError, match="no known"):
        UsbPort(backend=Bus([0x81, 0x02], vendor=0x1234))


@wants_pyusb
def test_a_device_without_endpoints_both_ways_is_no_reader() -> None:
    with pytest.raises(NoReaderError, match="both ways"):
        UsbPort(backend=Bus([0x81]))


@wants_pyusb
@pytest.mark.parametrize(
    ("code", "error", "words"),
    [(errno.EBUSY, ReaderBusyError, "another program"), (errno.EACCES, NoReaderError, "udev")],
)
def test_a_reader_that_cannot_be_claimed_says_why(code: int, error: type[Exception], words: str) -> None:
    bus = Bus([0x81, 0x02])
    bus.fail = code
    with pytest.raises(error, match=words):
        UsbPort(backend=bus)


@wants_pyusb
def test_a_reader_pulled_out_is_gone_and_a_silent_one_is_late() -> None:
    bus = Bus([0x81, 0x02])
    port = UsbPort(backend=bus)
    assert port.read(0.01) == b""
    bus.fail = errno.ETIMEDOUT
    with pytest.raises(DeviceTimeoutError):
        port.write(b"x")
    bus.fail = errno.ENODEV
    with pytest.raises(DeviceGoneError):
        port.write(b"x")
    with pytest.raises(DeviceGoneError):
        port.read(0.01)
    bus.fail = None
    port.close()
