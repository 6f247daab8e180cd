"""One small public file from a pinned address, such as a revocation list: nothing followed, bounded in size and time.

Plain HTTP is allowed, as RFC 5280 §8 wants it for lists: they are signed, and HTTPS would ask for a list to be fetched.
"""

import http.client
import ssl
import threading
from collections.abc import Sequence
from urllib.parse import urlsplit

from counter_server.outbox.calling import PinnedLine, PlainLine, trusting
from counter_server.outbox.errors import UndeliveredError
from counter_server.outbox.pinning import Resolver, look_up, pin
from counter_server.outbox.subscribers import Network

TIME_LIMIT_S = 5.0  # somebody waits for their signature meanwhile
PORTS = {"http": 80, "https": 443}


def fetch(
    url: str,
    most_bytes: int,
    networks: Sequence[Network] = (),
    resolve: Resolver = look_up,
    time_limit_s: float = TIME_LIMIT_S,
) -> bytes:
    """What stands at a URL.

    Args:
        networks: What the operator allows beside the public internet.

    Raises:
        UndeliveredError: no such address or not for us, no connection, any answer but 200, too long, or too slow.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise UndeliveredError("address_malformed") from error
    if parts.scheme not in PORTS or not host or parts.username is not None:
        raise UndeliveredError("address_malformed")
    address = pin(host, port, networks, resolve)
    line = _line(parts.scheme, address, host, port, time_limit_s)
    watchdog = threading.Timer(time_limit_s, line.cut)  # a limit per read lets a byte a second pass
    watchdog.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        line.request("GET", path, headers={"Connection": "close", "User-Agent": "visual-counter"})
        with line.getresponse() as answer:
            if answer.status != http.client.OK:
                raise UndeliveredError(f"status_{answer.status}")
            content = answer.read(most_bytes + 1)
    except ssl.SSLCertVerificationError as error:
        raise UndeliveredError("certificate") from error
    except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: a URL with control characters
        raise UndeliveredError("too_slow" if line.was_cut else "no_connection") from error
    finally:
        watchdog.cancel()
        line.close()
    if line.was_cut:
        raise UndeliveredError("too_slow")  # http.client takes a cut for the end of what has no length
    if len(content) > most_bytes:
        raise UndeliveredError("too_long")
    return content


def _line(scheme: str, address: str, host: str, port: int, limit_s: float) -> PlainLine:
    if scheme == "https":
        return PinnedLine(address, host, port, trusting(None), limit_s)
    return PlainLine(address, host, port, limit_s)
