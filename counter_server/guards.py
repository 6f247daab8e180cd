"""What every request passes before any room sees it: size, origin, and the headers every answer carries.

Pure ASGI, so that WebSockets pass the same guards.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from counter_server.errors import CounterError
from counter_server.throttle import Throttle
from webrtc.wire.message import ErrorCode

LARGEST_BODY = 1_200_000  # chip evidence: DG2 up to 400 KB, base64, and the rest; everything else is far smaller
LARGEST_PUBLIC_BODY = 262_144  # 60 strokes of 4 000 points are refused by count first

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob: mediastream:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guards:
    """Wraps the application. A kiosk's TLS connection is marked by `peer_certificate` in the scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._throttle = Throttle()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse foreign origins and bodies that are too large; add the headers."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not _same_origin(scope, headers):
            await _answer(scope, receive, send, CounterError(ErrorCode.NOT_ALLOWED, "from another origin"))
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        if not scope.get("peer_certificate") and not self._throttle.allows(
            (scope.get("client") or ("", 0))[0], scope["method"], scope["path"]
        ):
            await _answer(scope, receive, send, CounterError(ErrorCode.TOO_MANY_TRIES))
            return
        largest = LARGEST_BODY if scope.get("peer_certificate") else LARGEST_PUBLIC_BODY
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > largest:
            await _answer(scope, receive, send, CounterError(ErrorCode.BODY_TOO_LARGE))
            return
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > largest:
                raise HTTPException(413)  # the one class that FastAPI lets through while it reads a body
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer.setdefault(name, value)
            await send(message)

        await self._app(scope, limited, with_headers)


def _same_origin(scope: Scope, headers: Headers) -> bool:
    """Browsers name the page that asks; ours asks only its own host. Kiosk agents are no browsers and name none."""
    unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
    origin = headers.get("origin")
    if origin is None:
        return not unsafe or headers.get("sec-fetch-site") in (None, "same-origin", "none")
    try:
        return not unsafe or urlsplit(origin).netloc == headers.get("host")
    except ValueError:  # "http://[" is nobody's origin
        return False


async def _answer(scope: Scope, receive: Receive, send: Send, error: CounterError) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4403})
        return
    body = error.body().model_dump_json().encode()
    await send(
        {
            "type": "http.response.start",
            "status": error.status,
            "headers": [(b"content-type", b"application/json"), (b"connection", b"close")],
        }
    )
    await send({"type": "http.response.body", "body": body})


def with_certificate(protocol: type[Any]) -> type[Any]:
    """A uvicorn protocol that puts the client's certificate (DER) into the scope; uvicorn itself does not show it."""

    class WithCertificate(protocol):  # type: ignore[misc]  # a class handed in at run time
        """The protocol, with `peer_certificate` in every scope."""

        def connection_made(self, transport: asyncio.Transport) -> None:
            """Look at the certificate once per connection; TLS has verified it against the kiosk CA."""
            tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
            certificate = None if tls is None else tls.getpeercert(binary_form=True)
            self.app: ASGIApp = _mark(self.app, certificate)
            super().connection_made(transport)

    return WithCertificate


def _mark(app: ASGIApp, certificate: bytes | None) -> Callable[[Scope, Receive, Send], Any]:
    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        scope["peer_certificate"] = certificate
        await app(scope, receive, send)

    return marked
