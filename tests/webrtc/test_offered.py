"""How an address that calls are offered on is written, and what each engine makes of it."""

import aioice.ice
import pytest

from webrtc.aio.addresses import set_host_addresses
from webrtc.aio.connection import new_peer_connection
from webrtc.errors import EngineUnfitError
from webrtc.janus.process import nat_settings
from webrtc.offered import OfferedAddress, bound_only, read_all, read_offered


def test_an_address_may_be_told_as_another_and_keep_to_a_range_of_ports() -> None:
    ports = range(40_000, 41_000)
    assert read_offered("10.0.0.5") == OfferedAddress("10.0.0.5", "10.0.0.5", None)
    assert read_offered("10.0.0.5=203.0.113.7") == OfferedAddress("10.0.0.5", "203.0.113.7", None)
    assert read_offered("10.0.0.5=203.0.113.7:40000-40999") == OfferedAddress("10.0.0.5", "203.0.113.7", ports)
    assert read_all(["*:40000-40999"], ["10.0.0.5", "10.0.0.6"]) == [
        OfferedAddress("10.0.0.5", "10.0.0.5", ports),
        OfferedAddress("10.0.0.6", "10.0.0.6", ports),
    ]
    assert read_all(None, ["10.0.0.5"]) == [OfferedAddress("10.0.0.5", "10.0.0.5", None)]


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "counter.example", "10.0.0.5=", "10.0.0.5=x", "*=203.0.113.7", "10.0.0.5:", "2001:db8::1"),
        *("10.0.0.5:40000", "10.0.0.5:40000-", "10.0.0.5:40999-40000", "10.0.0.5:40000-40010", "10.0.0.5:80-1080"),
        *("10.0.0.5:40000-70000", "10.0.0.5:+40000-41000"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_offered(wrong)
    with pytest.raises(EngineUnfitError):
        set_host_addresses([wrong])
    with pytest.raises(EngineUnfitError):
        nat_settings([wrong])


def test_the_self_check_calls_what_this_machine_has() -> None:
    written = ["10.0.0.5=203.0.113.7:40000-40999", "10.0.0.6", "*:40000-40999", "10.0.0.7=203.0.113.8"]
    assert bound_only(written) == ["10.0.0.5:40000-40999", "10.0.0.6", "*:40000-40999", "10.0.0.7"]
    assert bound_only(None) is None


def test_janus_is_told_in_its_own_words() -> None:
    assert nat_settings(["10.0.0.5=203.0.113.7:40000-40999", "10.0.0.5"]) == (
        'ice_enforce_list = "10.0.0.5"; nat_1_1_mapping = "203.0.113.7"; keep_private_host = true',
        'rtp_port_range = "40000-40999"',
    )
    assert nat_settings(["127.0.0.1"]) == nat_settings(None) == ("nice_debug = false", "")


async def test_sockets_stay_in_their_range_until_it_is_full() -> None:
    ports = range(40_700, 40_750)
    connections = []
    try:
        set_host_addresses([f"127.0.0.1=203.0.113.7:{ports[0]}-{ports[-1]}"])
        told: set[int] = set()
        for _ in range(len(ports) + 5):
            connection = new_peer_connection()
            connections.append(connection)
            connection.addTransceiver("audio")
            await connection.setLocalDescription(await connection.createOffer())
            lines = [line.split(" ") for line in connection.localDescription.sdp.splitlines() if "candidate:" in line]
            assert all(words[4] == "203.0.113.7" for words in lines)
            told |= {int(words[5]) for words in lines}
        assert told <= set(ports)
        assert len(told) > 20
    finally:
        set_host_addresses(None)
        for connection in connections:
            await connection.close()
    assert aioice.ice.Connection.get_component_candidates.__module__ == "aioice.ice"
