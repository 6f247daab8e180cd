"""A key service and a qualified provider, small and real: they hold keys and sign, over HTTP."""

import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

SECRET = "s.3b1e"
Answer = tuple[int, bytes]
Serve = Callable[[str, str, bytes, dict[str, str]], Answer]


@contextlib.contextmanager
def served(serve: Serve) -> Iterator[str]:
    """A door on a free port of this machine; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = serve(self.command, self.path, body, {k.lower(): v for k, v in self.headers.items()})
            with contextlib.suppress(BrokenPipeError):  # whoever asked waits no longer
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _sign(key: ec.EllipticCurvePrivateKey, digest: str) -> str:
    signature = key.sign(base64.b64decode(digest), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    return base64.b64encode(signature).decode()


@dataclass
class TransitService:
    """Vault's transit engine, as its HTTP reference describes it: ecdsa-p256 keys, prehashed, ASN.1."""

    keys: dict[str, ec.EllipticCurvePrivateKey] = field(default_factory=dict)
    spoil: bool = False
    asked: list[str] = field(default_factory=list)

    def __call__(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        self.asked.append(f"{method} {path}")
        if headers.get("x-vault-token") != SECRET:
            return 403, b'{"errors":["permission denied"]}'
        _, _, _, verb, label, *rest = path.split("/")
        if verb == "keys" and method == "POST":
            self.keys[label] = ec.generate_private_key(ec.SECP256R1())
            return 204, b""
        if label not in self.keys:
            return 404, b'{"errors":[]}'
        key = self.keys[label]
        if verb == "keys":
            pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            return 200, json.dumps({"data": {"type": "ecdsa-p256", "keys": {"1": {"public_key": pem}}}}).encode()
        asked = json.loads(body)
        if not asked["prehashed"] or rest != ["sha2-256"]:
            return 400, b'{"errors":["not prehashed"]}'
        signer = ec.generate_private_key(ec.SECP256R1()) if self.spoil else key
        return 200, json.dumps({"data": {"signature": f"vault:v1:{_sign(signer, asked['input'])}"}}).encode()


@dataclass
class Provider:
    """A provider of CSC API v2: credentials/info, credentials/authorize, signatures/signHash."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    allowed: dict[str, list[str]] = field(default_factory=dict)  # by SAD: the hashes it was given for, once

    def __call__(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        if headers.get("authorization") != f"Bearer {SECRET}":
            return 401, b'{"error":"invalid_token"}'
        asked: dict[str, Any] = json.loads(body)
        if asked["credentialID"] != "GX0112348":
            return 400, b'{"error":"invalid_request"}'
        match path:
            case "/csc/v2/credentials/info":
                return 200, json.dumps({"cert": {"certificates": [self._certificate()]}}).encode()
            case "/csc/v2/credentials/authorize":
                sad = f"sad-{len(self.allowed)}"
                self.allowed[sad] = asked["hashes"]
                return 200, json.dumps({"SAD": sad, "expiresIn": 30}).encode()
            case "/csc/v2/signatures/signHash":
                if self.allowed.pop(asked["SAD"], None) != asked["hashes"]:
                    return 400, b'{"error":"invalid_otp"}'
                return 200, json.dumps({"signatures": [_sign(self.key, one) for one in asked["hashes"]]}).encode()
            case _:
                return 404, b"{}"

    def _certificate(self) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wang Fang")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=1))
        return base64.b64encode(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)).decode()
