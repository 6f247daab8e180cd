"""The lines that measurements run over do what they say."""

import socket
import sys

import pytest

from tests.webrtc.netlab.test_ways import inside
from webrtc.proving.network import Network, usable

pytestmark = pytest.mark.skipif(usable() is not None, reason=usable() or "")

PACKETS = 2_000


def arrived(sender: socket.socket, receiver: socket.socket, address: tuple[str, int]) -> int:
    """How many of PACKETS come; an error told to the sender raises."""
    came = 0
    for number in range(PACKETS):
        sender.sendto(number.to_bytes(2, sys.byteorder), address)
        if number % 50 == 49:
            came += drained(receiver, 0.001)
    return came + drained(receiver, 0.3)


def drained(receiver: socket.socket, patience_s: float) -> int:
    """Packets that wait now: the line has no delay."""
    receiver.settimeout(patience_s)
    came = 0
    while True:
        try:
            receiver.recv(16)
        except TimeoutError:
            return came
        came += 1


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_what_is_lost_is_lost_in_silence_each_way(share: float) -> None:
    with Network(("customer",)) as network:
        host = network.hosts["customer"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
            here.bind((host.server, 0))
            with inside(host.name):
                there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with there:
                there.bind((host.address, 0))
                host.lose(up=share, down=0)
                up, down = arrived(there, here, here.getsockname()), arrived(here, there, there.getsockname())
                host.lose(up=0, down=share)
                assert arrived(there, here, here.getsockname()) == PACKETS
                other = arrived(here, there, there.getsockname())
                host.mend()
                assert arrived(here, there, there.getsockname()) == PACKETS
    assert down == PACKETS
    for came in (up, other):  # five standard deviations
        assert abs(came - (1 - share) * PACKETS) <= 5 * (PACKETS * share * (1 - share)) ** 0.5
