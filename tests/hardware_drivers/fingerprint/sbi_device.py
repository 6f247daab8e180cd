"""A device service with a key of its own, on a free port: what SBI 0.9.5 asks for, and what an evil one does."""

import base64
import contextlib
import hashlib
import json
import queue
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from PIL import Image

from hardware_drivers.fingerprint.scanner import GreyImage

SERIAL = "123456789012"


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def record_2011(pixels: GreyImage, position: int = 2, *, dpi: int = 500, compression: int = 0) -> bytes:
    """ISO/IEC 19794-4:2011 §8, written from the standard's tables and not from the reader."""
    if compression:
        encoded = BytesIO()
        Image.fromarray(pixels).save(encoded, "JPEG2000")
        image = encoded.getvalue()
    else:
        image = pixels.tobytes()
    height, width = pixels.shape
    date = struct.pack(">HBBBBBH", 2026, 11, 21, 12, 0, 0, 0)
    quality = bytes((1,)) + struct.pack(">BHH", 80, 1, 1)
    body = date + struct.pack(">BHH", 0, 0, 0) + quality
    body += struct.pack(
        ">BBBHHHHBBBHHI", position, 1, 1, dpi, dpi, dpi, dpi, 8, compression, 0, width, height, len(image)
    )
    representation = struct.pack(">I", len(body) + 4 + len(image)) + body + image
    header = b"FIR\x00020\x00" + struct.pack(">IHBB", 16 + len(representation), 1, 0, 1)
    return header + representation


class Maker:
    """Who vouches for devices: a root and one device under it."""

    def __init__(self, name: str = "maker") -> None:
        self.root_key = rsa.generate_private_key(65537, 2048)
        self.device_key = rsa.generate_private_key(65537, 2048)
        self.root = certificate(f"{name} root", self.root_key, f"{name} root", self.root_key, authority=True)
        self.device = certificate(f"{name} device", self.device_key, f"{name} root", self.root_key, authority=False)

    def another_device(self) -> "Maker":
        """The same maker with a second device, whose key is its own."""
        same = Maker.__new__(Maker)
        same.root, same.root_key = self.root, self.root_key
        same.device_key = rsa.generate_private_key(65537, 2048)
        same.device = certificate(
            "second device", same.device_key, self.root.subject.rfc4514_string().removeprefix("CN="), self.root_key,
            authority=False,
        )  # fmt: skip
        return same

    def trust(self, file: Path) -> Path:
        file.write_bytes(self.root.public_bytes(serialization.Encoding.PEM))
        return file

    def sign(self, payload: bytes, **header: object) -> str:
        x5c = [base64.b64encode(self.device.public_bytes(serialization.Encoding.DER)).decode()]
        head = base64url(json.dumps({"alg": "RS256", "typ": "JWT", "x5c": x5c, **header}).encode())
        signed = f"{head}.{base64url(payload)}"
        signature = self.device_key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64url(signature)}"


def certificate(
    subject: str,
    key: rsa.RSAPrivateKey,
    issuer: str,
    issuer_key: rsa.RSAPrivateKey,
    *,
    authority: bool,
    begins: datetime | None = None,
) -> x509.Certificate:
    begin = begins or datetime.now(UTC) - timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


@dataclass
class SbiDevice:
    """What the service does next. `acts` holds pictures, or words: an SBI error code, `busy`, `drip`, `gone`…"""

    maker: Maker
    acts: "queue.Queue[GreyImage | str]" = field(default_factory=queue.Queue)
    status: str = "Ready"
    compression: int = 0
    live: GreyImage | None = None
    answered: dict[str, object] = field(default_factory=dict)  # overrides of the signed capture
    orders: list[dict[str, object]] = field(default_factory=list)
    port: int = 0
    serial: str = SERIAL

    def digital_id(self) -> str:
        told = {"serialNo": self.serial, "make": "Test", "model": "One", "type": "Finger", "deviceSubType": "Single"}
        return self.maker.sign(json.dumps({**told, "deviceProvider": "Nobody", "dateTime": now()}).encode())

    def told(self) -> list[dict[str, object]]:
        told = {"deviceStatus": self.status, "deviceId": "7", "specVersion": ["0.9.5"], "digitalId": self.digital_id()}
        return [{"deviceInfo": self.maker.sign(json.dumps(told).encode()), "error": {"errorCode": "0"}}]

    def taken(self, order: dict[str, object], picture: GreyImage) -> dict[str, object]:
        bio = order["bio"][0]  # type: ignore[index]
        subtype = bio["bioSubType"][0]
        data = {
            "digitalId": self.digital_id(),
            "bioType": "Finger",
            "bioSubType": subtype,
            "purpose": "Registration",
            "bioValue": base64url(record_2011(picture, compression=self.compression)),
            "transactionId": order["transactionId"],
            "timestamp": now(),
            "requestedScore": bio["requestedScore"],
            "qualityScore": "77.4",
            **self.answered,
        }
        statement = self.maker.sign(json.dumps(data).encode())
        block = {"specVersion": "0.9.5", "data": statement, "hash": hashlib.sha256(b"").hexdigest()}
        return {"biometrics": [{**block, "error": {"errorCode": "0", "errorInfo": "Success"}}]}


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


@contextlib.contextmanager
def serving(device: SbiDevice) -> Iterator[SbiDevice]:
    """The service on a free port of 127.0.0.1."""
    over = threading.Event()

    class Doors(BaseHTTPRequestHandler):
        def do_MOSIPDINFO(self) -> None:
            self.order()
            self.answer(json.dumps(device.told()).encode())

        def do_RCAPTURE(self) -> None:
            order = self.order()
            device.orders.append(order)
            within_s = float(order["timeout"]) / 1000  # type: ignore[arg-type]
            give_up_at = time.monotonic() + within_s
            while not over.is_set():
                try:
                    act = device.acts.get(timeout=0.05)
                except queue.Empty:
                    if time.monotonic() > give_up_at:
                        act = "101"
                    else:
                        continue
                break
            else:
                return
            if not isinstance(act, str):
                self.answer(json.dumps(device.taken(order, act)).encode())
            elif act == "busy":
                self.answer(json.dumps({"deviceStatus": "Busy"}).encode())
            elif act == "drip":
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                while not over.wait(0.2):
                    self.wfile.write(b" ")
            elif act == "gone":
                self.close_connection = True
            elif act.isdigit():
                self.answer(json.dumps({"biometrics": [{"error": {"errorCode": act, "errorInfo": "x"}}]}).encode())
            else:
                self.answer(act.encode())

        def do_STREAM(self) -> None:
            self.order()
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=--BoundaryString")
            self.end_headers()
            while not over.wait(0.1):
                if device.live is None:
                    continue
                frame = BytesIO()
                Image.fromarray(device.live).save(frame, "JPEG")
                head = f"--BoundaryString\r\nContent-Type:image/jpeg\r\nContent-Length:{len(frame.getvalue())}\r\n\r\n"
                self.wfile.write(head.encode() + frame.getvalue())

        def order(self) -> dict[str, object]:
            length = int(self.headers.get("Content-Length", "0"))
            read: dict[str, object] = json.loads(self.rfile.read(length) or b"{}")
            return read

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever hangs up in the middle is part of the test."""

    with Quiet(("127.0.0.1", device.port), Doors) as server:
        device.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield device
        finally:
            over.set()
            server.shutdown()
            thread.join(5)
