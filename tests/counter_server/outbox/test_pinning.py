"""Whom nobody may make us call."""

from functools import partial
from ipaddress import ip_network

import pytest

from counter_server.outbox.errors import UndeliveredError
from counter_server.outbox.pinning import pin

PUBLIC = ["9.9.9.9", "2620:fe::fe"]
FORBIDDEN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",  # RFC 6598
    "169.254.169.254",  # every cloud's metadata
    "198.18.0.1",  # RFC 2544
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fd00:ec2::254",  # metadata again
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "2002:a00:1::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str) -> None:
    assert pin("core.test", 443, (), lambda _h, _p: [address]) == address


@pytest.mark.parametrize("address", FORBIDDEN)
def test_addresses_inside_are_not(address: str) -> None:
    with pytest.raises(UndeliveredError) as refused:
        pin("core.test", 443, (), lambda _h, _p: [address])
    assert refused.value.trouble == "forbidden_address"


def test_one_bad_address_among_good_ones_is_enough() -> None:
    with pytest.raises(UndeliveredError):
        pin("core.test", 443, (), lambda _h, _p: ["9.9.9.9", "10.0.0.1"])


def test_a_network_the_operator_named_is_called_and_no_other() -> None:
    named = (ip_network("10.20.0.0/16"), ip_network("fd12::/16"))
    assert pin("core.test", 443, named, lambda _h, _p: ["10.20.3.4"]) == "10.20.3.4"
    assert pin("core.test", 443, named, lambda _h, _p: ["fd12::7"]) == "fd12::7"
    for address in ("10.21.0.1", "169.254.169.254", "fd13::1"):
        with pytest.raises(UndeliveredError):
            pin("core.test", 443, named, partial(_always, address))


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f.1", "017700000001", "127.1", "localhost"])
def test_odd_spellings_of_this_machine_are_seen_through(spelling: str) -> None:
    with pytest.raises(UndeliveredError):  # by the system's own resolver
        pin(spelling, 443, ())


def _always(address: str, _host: str, _port: int) -> list[str]:
    return [address]
