"""How an address that calls are offered on is written: `BOUND[=TOLD][:LOWEST-HIGHEST]`.

`10.0.0.5` is bound and told to pages. `10.0.0.5=203.0.113.7` is bound, and pages are told what a router or a cloud maps
to it, port by port; the private one is told nobody unless it stands there by itself as well. `:40000-40999` keeps the
sockets in that range, for a firewall that opens no other. `*` is every address found.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

EVERY = "*"
# A leg takes a port for each address, with Janus two; a range for fewer calls than one worker carries is a slip.
PORTS_MIN = 50
_PORTS = range(1024, 65536)


@dataclass(frozen=True, slots=True)
class OfferedAddress:
    """One address sockets are bound to; `ports` None leaves them to the kernel."""

    bound: str
    told: str
    ports: range | None


def read_offered(text: str) -> OfferedAddress:
    """The address somebody wrote; raise `ValueError` naming what cannot be read."""
    place, ranged, ports = text.partition(":")
    bound, maps, told = place.partition("=")
    if bound != EVERY:
        ipaddress.IPv4Address(bound)
    if maps:
        ipaddress.IPv4Address(told)
        if bound == EVERY:
            raise ValueError(f"{text}: one public address can stand for one address of this machine only")
    return OfferedAddress(bound, told if maps else bound, _read_ports(ports) if ranged else None)


def _read_ports(text: str) -> range:
    lowest, _, highest = text.partition("-")
    if not (lowest.isascii() and lowest.isdigit() and highest.isascii() and highest.isdigit()):
        raise ValueError(f"{text}: a range of ports is written 40000-40999")
    ports = range(int(lowest), int(highest) + 1)
    if not ports or ports[0] not in _PORTS or ports[-1] not in _PORTS or len(ports) < PORTS_MIN:
        raise ValueError(f"{text}: ports from 1024 to 65535, {PORTS_MIN} at least")
    return ports


def read_all(texts: Sequence[str] | None, found: Sequence[str]) -> list[OfferedAddress]:
    """Every address to bind, those of `*` (or of None) taken from what this machine was found to have."""
    addresses: list[OfferedAddress] = []
    for text in texts if texts is not None else [EVERY]:
        offered = read_offered(text)
        bound = list(found) if offered.bound == EVERY else [offered.bound]
        addresses += [
            OfferedAddress(one, offered.told if offered.bound == one else one, offered.ports) for one in bound
        ]
    return addresses


def bound_only(texts: Sequence[str] | None) -> list[str] | None:
    """The same addresses without what they are mapped to: a machine need not reach itself by its router."""
    if texts is None:
        return None
    return [text.partition("=")[0] + "".join(text.partition(":")[1:]) if "=" in text else text for text in texts]
