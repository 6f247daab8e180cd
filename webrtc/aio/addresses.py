"""Which addresses and ports aioice offers: its own choice leaves loopback out, bridges in, and ports to the kernel."""

import asyncio
import random
import socket
from collections.abc import Callable
from typing import Any, cast

import aioice.ice
from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.turn import UDP_SOCKET_BUFFER_SIZE

from webrtc.errors import EngineUnfitError
from webrtc.offered import OfferedAddress, read_all

_NAME = "get_host_addresses"
_CANDIDATES = "get_component_candidates"
# None where a later aioice has it elsewhere: then it offers what it likes, and a machine with only `lo` has no calls.
_find_host_addresses = cast("Callable[..., list[str]] | None", getattr(aioice.ice, _NAME, None))
_find_candidates: Any = getattr(aioice.ice.Connection, _CANDIDATES, None)
# Others take ports of the range too; a range that refuses so many of its own is full. No more than PORTS_MIN.
_TRIES = 40


def set_host_addresses(addresses: list[str] | None) -> None:
    """Offer exactly these addresses, as `webrtc.offered` writes them; None: all found, loopback if there is no other.

    aioice never offers 127.0.0.1, so a machine with nothing but `lo` would have no candidate at all, and it offers
    every interface, including bridges no customer can reach.

    Raises:
        EngineUnfitError: an address that cannot be read, or one that this aioice cannot be told.
    """
    found = _find_host_addresses

    def offered() -> list[OfferedAddress]:
        return read_all(addresses, (found(True, False) if found is not None else []) or ["127.0.0.1"])

    try:
        plain = all(address.told == address.bound and address.ports is None for address in offered())
    except ValueError as error:
        raise EngineUnfitError(f"an address to offer calls on: {error}") from error
    if found is not None:
        setattr(aioice.ice, _NAME, lambda *_wanted, **_named: [address.bound for address in offered()])
    if found is not None and _find_candidates is not None:
        setattr(aioice.ice.Connection, _CANDIDATES, _find_candidates if plain else _candidates_of(offered))
    elif not plain:
        raise EngineUnfitError("this aioice takes neither a public address nor a range of ports: check its version")


def _candidates_of(offered: Callable[[], list[OfferedAddress]]) -> Callable[..., Any]:
    """What stands in for aioice's gathering: host candidates alone, since the counter asks no STUN or TURN server."""

    async def candidates(connection: Any, component: int, **_more: object) -> list[Candidate]:
        told: list[Candidate] = []
        for address in offered():
            protocol = await _bind(connection, address)
            if protocol is None:
                continue
            protocol.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", address.told),
                component=component,
                transport="udp",
                priority=candidate_priority(component, "host"),
                host=address.told,
                port=protocol.transport.get_extra_info("sockname")[1],
                type="host",
            )
            connection._protocols.append(protocol)
            told.append(protocol.local_candidate)
        return told

    return candidates


async def _bind(connection: Any, address: OfferedAddress) -> Any:
    """A socket of this connection within the range; None where the address is not this machine's, or the range full."""
    loop = asyncio.get_running_loop()
    ports = [0] if address.ports is None else random.sample(address.ports, _TRIES)
    for port in ports:
        try:
            transport, protocol = await loop.create_datagram_endpoint(
                lambda: aioice.ice.StunProtocol(connection), local_addr=(address.bound, port)
            )
        except OSError:
            continue
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UDP_SOCKET_BUFFER_SIZE)
        return protocol
    return None
