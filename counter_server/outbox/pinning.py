"""Whom we may call: a name is resolved once, judged, and the address that was judged is the address that is called.

Looking a name up twice would let its owner answer with a public address first and ours second (DNS rebinding).
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from counter_server.outbox.errors import UndeliveredError
from counter_server.outbox.subscribers import Network

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Sequence[str]]

NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in an IPv6 coat
SITE_LOCAL = IPv6Network("fec0::/10")  # RFC 3879: deprecated, still routed inside some houses


def look_up(host: str, port: int) -> Sequence[str]:
    """Every address of a name, as the system's resolver says."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UndeliveredError("name_unknown") from error
    return [str(entry[4][0]).partition("%")[0] for entry in found]


def pin(host: str, port: int, networks: Sequence[Network], resolve: Resolver = look_up) -> str:
    """The one address to call.

    Args:
        networks: What the operator allows beside the public internet.

    Raises:
        UndeliveredError: name_unknown; forbidden_address when any of its addresses is not for us. A name that has
            both kinds is somebody's trick or somebody's mistake.
    """
    addresses = [ip_address(found) for found in resolve(host, port)]
    if not addresses:
        raise UndeliveredError("name_unknown")
    if not all(may_call(address, networks) for address in addresses):
        raise UndeliveredError("forbidden_address")
    return str(addresses[0])


def may_call(address: Address, networks: Sequence[Network]) -> bool:
    """Public, or in a network that the operator named. Addresses in a coat are judged by what they wrap."""
    inner = _unwrapped(address)
    if any(inner.version == network.version and inner in network for network in networks):
        return True
    site_local = isinstance(inner, IPv6Address) and inner in SITE_LOCAL
    return inner.is_global and not inner.is_multicast and not inner.is_reserved and not site_local


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address.teredo is not None:
            return address.teredo[1]
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
