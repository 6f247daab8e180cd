"""One HTTPS request to a pinned address: certificate checked, nothing followed, bounded in size and time."""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from counter_server.outbox.errors import RefusedError, UndeliveredError
from counter_server.outbox.pinning import Resolver, look_up, pin
from counter_server.outbox.subscribers import Network

TIME_LIMIT_S = 10.0  # of the whole call; a receiver that thinks longer should answer first and think after
GONE = 410  # Standard Webhooks: the receiver wants no more of these


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later, certificate and name verified, against this file or the system's list."""
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls one URL. The name is looked up once per call, and the connection goes to the address that was judged."""

    url: str
    context: ssl.SSLContext
    networks: Sequence[Network] = ()
    resolve: Resolver = look_up
    time_limit_s: float = TIME_LIMIT_S

    def post(self, headers: Mapping[str, str], body: bytes) -> None:
        """Hand over; returns when the receiver answered 2xx.

        Raises:
            UndeliveredError: no connection, no valid certificate, too slow, or any other answer.
            RefusedError: 410.
        """
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or 443
        address = pin(host, port, self.networks, self.resolve)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        line = PinnedLine(address, host, port, self.context, self.time_limit_s)
        watchdog = threading.Timer(self.time_limit_s, line.cut)  # a limit per read lets a byte a second pass
        watchdog.start()
        try:
            line.request("POST", path, body, {**headers, "Connection": "close", "User-Agent": "visual-counter"})
            answer = line.getresponse()  # status and headers, bounded by http.client; nothing else of it is read
            answer.close()
        except ssl.SSLCertVerificationError as error:
            raise UndeliveredError("certificate") from error
        except (OSError, http.client.HTTPException) as error:
            late = line.was_cut or isinstance(error, TimeoutError)
            raise UndeliveredError("too_slow" if late else "no_connection") from error
        finally:
            watchdog.cancel()
            line.close()
        if line.was_cut:
            raise UndeliveredError("too_slow")  # http.client takes a cut among the headers for their end
        if answer.status == GONE:
            raise RefusedError("status_410")
        if not 200 <= answer.status < 300:
            raise UndeliveredError(f"status_{answer.status}")  # 3xx too: whoever redirects us sends us elsewhere


class PlainLine(http.client.HTTPConnection):
    """HTTP to an address, under its name. Proxies of the environment are not asked."""

    def __init__(self, address: str, host: str, port: int, limit_s: float) -> None:
        super().__init__(host, port, timeout=limit_s)
        self._address, self._limit_s = address, limit_s
        self.was_cut = False
        self._wire: socket.socket | None = None  # http.client lets go of `sock` before a body is read

    def connect(self) -> None:
        """TCP to the pinned address."""
        self.sock = self._wire = socket.create_connection((self._address, self.port), self._limit_s)

    def cut(self) -> None:
        """End it from another thread, wherever it is."""
        self.was_cut = True
        if self._wire is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._wire, socket.SHUT_RDWR)  # not SSLSocket's: that one takes TLS off first


class PinnedLine(PlainLine):
    """HTTPS to an address, under the name that its certificate must bear."""

    default_port = http.client.HTTPS_PORT  # which stands in no Host header

    def __init__(self, address: str, host: str, port: int, context: ssl.SSLContext, limit_s: float) -> None:
        super().__init__(address, host, port, limit_s)
        self._tls = context

    def connect(self) -> None:
        """TCP to the pinned address, then TLS for the name."""
        super().connect()
        line = self._tls.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
        self.sock = self._wire = line  # before the handshake, so that the watchdog can cut that too
        line.do_handshake()
