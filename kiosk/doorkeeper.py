"""Who may talk to this desk: only the page that the desk itself serves, and only with small requests.

The agent listens on 127.0.0.1, which any program and any web page on the desk can reach. A foreign page betrays itself
by its Origin, a name that was pointed at 127.0.0.1 (DNS rebinding) by its Host.
"""

import re
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webrtc.wire.message import ErrorBody, ErrorCode

BODY_MAX = 64 * 1024
SIGNATURE_BODY_MAX = 1 << 20  # a minute of pointer samples at 240 Hz, 60 bytes each as JSON
SIGNATURE_PATH = re.compile(r"^/api/visits/[^/]+/signature$")

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        "media-src 'self' blob:; connect-src 'self' {live}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "permissions-policy": (
        "camera=(self), microphone=(self), geolocation=(), usb=(), serial=(), hid=(), payment=(), "
        "display-capture=(), clipboard-read=()"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
}


class Doorkeeper:
    """ASGI layer that refuses strangers, bounds bodies and adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}
        live = " ".join(sorted(f"ws://{host}" for host in self._hosts))
        self._headers = {name: value.replace("{live}", live) for name, value in SECURITY_HEADERS.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request of our own page through; answer every other one here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        known = headers.get("host") in self._hosts and (origin is None or origin in self._origins)
        if scope["type"] == "websocket":
            if known:
                await self._app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    answer[name] = value
            await send(message)

        if not known:
            await refuse(send_protected, HTTPStatus.FORBIDDEN, ErrorCode.NOT_ALLOWED, "only this desk's page may ask")
            return
        limit = SIGNATURE_BODY_MAX if SIGNATURE_PATH.match(scope["path"]) else BODY_MAX
        declared = headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > limit:
            await refuse(send_protected, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, ErrorCode.BODY_TOO_LARGE, f"over {limit}")
            return
        body = await read_body(receive, limit)
        if body is None:
            await refuse(send_protected, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, ErrorCode.BODY_TOO_LARGE, f"over {limit}")
            return
        first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_replayed() -> Message:
            return first.pop() if first else await receive()

        await self._app(scope, receive_replayed, send_protected)


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None when it grows past the limit, whatever its length was said to be."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > limit:
            return None
        if message["type"] != "http.request" or not message.get("more_body", False):
            return bytes(body)


async def refuse(send: Send, status: HTTPStatus, code: ErrorCode, why: str) -> None:
    """Answer with an error body, outside any framework."""
    content = ErrorBody(code=code, message=why).model_dump_json().encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": content})
