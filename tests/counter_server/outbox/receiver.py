"""A core system of the tests' own: a real HTTPS server on this machine that remembers what it was told."""

import contextlib
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from counter_server.outbox.subscribers import Network
from tests.journeys.local_ca import certificate

HOST = "core.test"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
HERE: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"),)


def to_here(_host: str, _port: int) -> tuple[str, ...]:
    return ("127.0.0.1",)


@dataclass(frozen=True, slots=True)
class Certified:
    """An authority's file and a server's certificate under it."""

    ca_file: Path
    cert_file: Path
    key_file: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert_file, self.key_file)
        return context


def certified(folder: Path, host: str = HOST) -> Certified:
    """A fresh authority and a certificate for one name."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certified(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])
    own = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = (
        certificate(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(own, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    leaf = (
        certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), ca_name, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    made.ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    made.cert_file.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    made.key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


@dataclass(frozen=True, slots=True)
class Told:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """What the server was told, and how it answers: the next status of the list, 204 when it is empty."""

    port: int = 0
    told: list[Told] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    answer_headers: dict[str, str] = field(default_factory=dict)
    drip_s: float = 0.0  # a byte of an endless header this often
    hold: threading.Event | None = None  # answers nothing before it is set

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/events"

    def wait(self, count: int, within_s: float = 20.0) -> None:
        until = time.monotonic() + within_s
        while len(self.told) < count:
            assert time.monotonic() < until, f"told {len(self.told)} times, not {count}"
            time.sleep(0.02)


@contextlib.contextmanager
def receiving(made: Certified) -> Iterator[Receiver]:
    """Listening for as long as the block lasts."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.told.append(Told(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if receiver.hold is not None:
                receiver.hold.wait(30)
            with contextlib.suppress(OSError):
                if receiver.drip_s:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                while receiver.drip_s:
                    self.wfile.write(b".")
                    time.sleep(receiver.drip_s)
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                for name, value in receiver.answer_headers.items():
                    self.send_header(name, value)
                self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_about: object) -> None:
            """A handshake that a careful caller broke off is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = made.context().wrap_socket(server.socket, server_side=True)
    receiver.port = int(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.drip_s = 0.0
        server.shutdown()
        server.server_close()
        thread.join()
