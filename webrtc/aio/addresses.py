"""Which addresses aioice offers: its own choice leaves loopback out and bridges in."""

from collections.abc import Callable
from typing import cast

import aioice.ice

_NAME = "get_host_addresses"
# None where a later aioice has it elsewhere: then it offers what it likes, and a machine with only `lo` has no calls.
_find_host_addresses = cast("Callable[..., list[str]] | None", getattr(aioice.ice, _NAME, None))


def set_host_addresses(addresses: list[str] | None) -> None:
    """Offer exactly these addresses; None means every address found, and loopback where there is no other.

    aioice never offers 127.0.0.1, so a machine with nothing but `lo` would have no candidate at all, and it offers
    every interface, including bridges no customer can reach.
    """

    found = _find_host_addresses
    if found is None:
        return

    def host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        return list(addresses) if addresses is not None else (found(use_ipv4, False) or ["127.0.0.1"])

    setattr(aioice.ice, _NAME, host_addresses)
