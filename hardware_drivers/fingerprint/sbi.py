"""Scanners behind a Secure Biometric Interface (MOSIP SBI 0.9.5, IEEE 3167): a service on this machine that signs.

HTTP with its own verbs on 127.0.0.1, ports 4501 to 4600: MOSIPDISC, MOSIPDINFO, RCAPTURE, STREAM. Nothing is believed
that the device's key has not signed, except live pictures, which are only looked at.
"""

import hashlib
import http.client
import json
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from hardware_drivers.errors import (
    DeviceError,
    DeviceGoneError,
    DeviceTimeoutError,
    FingerPoorError,
    MalformedFileError,
    NoFingerError,
    NoScannerError,
    PoorPicture,
    ScannerBusyError,
    ScannerUntrustedError,
)
from hardware_drivers.fingerprint.contact import quality_of
from hardware_drivers.fingerprint.finger_record import read_record
from hardware_drivers.fingerprint.sbi_statement import SUBTYPES, CaptureAsked, capture_in, device_in
from hardware_drivers.fingerprint.sbi_stream import LiveStream
from hardware_drivers.fingerprint.scanner import ASK_AGAIN_S, CaptureWish, FingerPicture, GreyImage, ScannerInfo

HOST: Final = "127.0.0.1"  # the specification's own words: not localhost
PORTS: Final = range(4501, 4601)
ANSWER_MAX: Final = 8 << 20  # one raw 1000 dpi finger, base64 twice
ASK_WITHIN_S: Final = 5.0
GRACE_S: Final = 2.0  # the service answers by its own clock, then the answer travels
SPEC: Final = "0.9.5"


class _Error(BaseModel):
    model_config = ConfigDict(extra="ignore")
    errorCode: str = "0"  # noqa: N815
    errorcode: str = "0"

    @property
    def code(self) -> str:
        """Either spelling: the specification has both."""
        return self.errorCode if self.errorCode != "0" else self.errorcode


class _Told(BaseModel):
    """One device of MOSIPDINFO's answer."""

    model_config = ConfigDict(extra="ignore")
    deviceInfo: str = ""  # noqa: N815
    error: _Error | None = None


class _Taken(BaseModel):
    """One picture of RCAPTURE's answer."""

    model_config = ConfigDict(extra="ignore")
    data: str = ""
    error: _Error | None = None


class _Capture(BaseModel):
    model_config = ConfigDict(extra="ignore")
    biometrics: list[_Taken] = []
    deviceStatus: str = ""  # noqa: N815 - what a busy device answers instead
    error: _Error | None = None


TOLD: Final = TypeAdapter(list[_Told])


def error_for(code: str) -> DeviceError | None:
    """The exception a person can act on, for a code of SBI's table; None for success."""
    match code:
        case "0" | "":
            return None
        case "101":
            return NoFingerError("the device saw no finger")
        case "102" | "105" | "109":
            return FingerPoorError(PoorPicture.UNCLEAR, f"SBI error {code}")
        case "100" | "103" | "107" | "108":
            return ScannerUntrustedError(f"SBI error {code}")
        case _:
            return DeviceGoneError(f"SBI error {code}")


@dataclass(frozen=True, slots=True)
class SbiSettings:
    """How to reach it.

    Attributes:
        trust: PEM file with the certificates of who may vouch for devices.
        port: Of the service; 0 looks for one.
        environment: As the device was registered.
    """

    trust: Path
    port: int = 0
    environment: str = "Production"
    ports: Sequence[int] = field(default=PORTS)


class SbiScanner:
    """A `FingerprintScanner` behind a device service."""

    def __init__(self, settings: SbiSettings) -> None:
        self._settings = settings
        self._trusted: list[x509.Certificate] = []
        self._info = ScannerInfo("SBI", "", "", 500, previews=True, signs=True)
        self._device_id = ""
        self._port = 0
        self._taking = threading.Lock()
        self._stream: LiveStream | None = None

    def info(self) -> ScannerInfo:
        """As its own key has signed."""
        return self._info

    def open(self) -> None:
        """Find the service and check who it is; the errors as the protocol has them."""
        self.close()
        try:
            self._trusted = x509.load_pem_x509_certificates(self._settings.trust.read_bytes())
        except (OSError, ValueError) as error:
            raise NoScannerError("the file of who may vouch for devices cannot be read") from error
        found: DeviceError = NoScannerError("no device service answers")
        for port in [self._settings.port] if self._settings.port else self._settings.ports:
            if not _listens(port):
                continue
            try:
                self._open_at(port)
            except DeviceError as error:
                found = error
            else:
                return
        raise found

    def _open_at(self, port: int) -> None:
        answer = _ask(port, "MOSIPDINFO", "/info", {"type": "Finger"}, ASK_WITHIN_S, lambda: False)
        try:
            told = TOLD.validate_json(answer)
        except ValidationError as error:
            raise NoScannerError("what listens there is no device service") from error
        found: DeviceError = NoScannerError("the device service has no device")
        for each in told:
            trouble = error_for(each.error.code) if each.error else None
            if trouble is not None:
                found = trouble
                continue
            info, identity = device_in(each.deviceInfo, self._trusted, datetime.now(UTC))
            if "finger" not in identity.type.lower():
                continue
            if info.deviceStatus == "Busy":
                raise ScannerBusyError("the device service says busy")
            if info.deviceStatus != "Ready":
                raise NoScannerError("the device is not ready")
            self._port, self._device_id = port, info.deviceId
            self._info = ScannerInfo(identity.make, identity.model, identity.serialNo, 500, previews=True, signs=True)
            return
        raise found

    def capture(self, wish: CaptureWish, cancelled: Callable[[], bool]) -> FingerPicture:
        """The errors as the protocol has them."""
        if not self._taking.acquire(blocking=False):
            raise ScannerBusyError("a capture is going on")
        try:
            if not self._port:
                raise DeviceGoneError("the scanner is not open")
            self._stream = LiveStream(self._port, self._device_id)
            return self._capture(wish, cancelled)
        except (DeviceGoneError, DeviceTimeoutError, ScannerUntrustedError):
            self._port = 0
            raise
        finally:
            if self._stream is not None:
                self._stream.close()
                self._stream = None
            self._taking.release()

    def _capture(self, wish: CaptureWish, cancelled: Callable[[], bool]) -> FingerPicture:
        asked = CaptureAsked(wish.transaction or secrets.token_hex(16), wish.position, self._info.serial)
        answer = _ask(
            self._port,
            "RCAPTURE",
            "/capture",
            self._order(wish, asked),
            wish.timeout_s + GRACE_S,
            cancelled,
        )
        try:
            told = _Capture.model_validate_json(answer)
        except ValidationError as error:
            raise DeviceGoneError("the device service speaks something else") from error
        if told.deviceStatus == "Busy":
            raise ScannerBusyError("the device service says busy")
        for named in (told.error, *(each.error for each in told.biometrics[:1])):
            trouble = error_for(named.code) if named else None
            if trouble is not None:
                raise trouble
        if not told.biometrics:
            raise DeviceGoneError("the device service answered without a picture")
        statement = told.biometrics[0].data
        signed = capture_in(statement, asked, self._trusted, datetime.now(UTC))
        try:
            finger = read_record(signed.record)
        except MalformedFileError as error:
            raise DeviceGoneError("the device signed a record that cannot be read") from error
        quality = quality_of(finger.pixels, finger.dpi, wish.minimum_quality)
        return FingerPicture(
            finger.pixels, finger.dpi, wish.position, signed.quality or quality, statement=statement.encode("ascii")
        )

    def _order(self, wish: CaptureWish, asked: CaptureAsked) -> dict[str, object]:
        """RCAPTURE's body."""
        return {
            "env": self._settings.environment,
            "purpose": "Registration",
            "specVersion": SPEC,
            "timeout": str(round(wish.timeout_s * 1000)),
            "captureTime": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "transactionId": asked.transaction,
            "registrationId": asked.transaction,
            "bio": [
                {
                    "type": "Finger",
                    "count": "1",
                    "bioSubType": [SUBTYPES[wish.position]],
                    "exception": [],
                    "requestedScore": str(wish.minimum_quality),
                    "deviceId": self._device_id,
                    "deviceSubId": "0",
                    "previousHash": hashlib.sha256(b"").hexdigest(),
                }
            ],
            "customOpts": [],
        }

    def present(self) -> bool:
        """Whether the newest live picture shows something; SBI itself says nothing."""
        stream = self._stream  # the capturing thread may take it away
        return stream is not None and stream.present()

    def preview(self) -> GreyImage | None:
        """From STREAM, while a capture goes on."""
        stream = self._stream
        return stream.newest() if stream is not None else None

    def close(self) -> None:
        """Nothing of the service is held between captures."""
        self._port = 0


def _listens(port: int) -> bool:
    """Whether anything does."""
    with socket.socket() as line:
        line.settimeout(0.2)
        return line.connect_ex((HOST, port)) == 0


def _ask(
    port: int, verb: str, path: str, body: dict[str, object], within_s: float, cancelled: Callable[[], bool]
) -> bytes:
    """One question to the service, however slowly it drips.

    Raises:
        DeviceGoneError: nobody listens, or it hangs up, or it says too much.
        DeviceTimeoutError: no whole answer in that time; the line is cut.
        NoFingerError: `cancelled()` became true; the line is cut.
    """
    line = http.client.HTTPConnection(HOST, port, timeout=within_s)
    try:
        line.connect()
    except OSError as error:
        raise DeviceGoneError("no device service answers") from error
    wire = line.sock
    done: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
    worker = threading.Thread(target=_exchange, args=(line, verb, path, json.dumps(body).encode(), done), daemon=True)
    worker.start()
    give_up_at = time.monotonic() + within_s
    try:
        while True:
            try:
                answer = done.get(timeout=ASK_AGAIN_S)
            except queue.Empty:
                if cancelled():
                    raise NoFingerError("nobody wants it any more") from None
                if time.monotonic() >= give_up_at:
                    raise DeviceTimeoutError(f"no answer to {verb} in {within_s:.0f} s") from None
                continue
            if isinstance(answer, Exception):
                raise DeviceGoneError(f"{verb}: {type(answer).__name__}") from answer
            return answer
    finally:
        _hang_up(wire)
        worker.join(1.0)
        line.close()


def _exchange(
    line: http.client.HTTPConnection,
    verb: str,
    path: str,
    body: bytes,
    done: "queue.SimpleQueue[bytes | Exception]",
) -> None:
    """In a thread, since a read of http.client cannot be given up half-way but by its socket's end."""
    try:
        line.request(verb, path, body, {"Content-Type": "application/json", "EXT": "visual-counter"})
        with line.getresponse() as response:
            answer = response.read(ANSWER_MAX + 1)
        if len(answer) > ANSWER_MAX:
            raise http.client.HTTPException(f"over {ANSWER_MAX} bytes")
        done.put(answer)
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a file closed under the reader
        done.put(error)


def _hang_up(wire: socket.socket) -> None:
    """End both directions, which ends whoever reads."""
    try:
        wire.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it ended by itself
