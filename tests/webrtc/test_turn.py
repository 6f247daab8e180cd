"""Relaying through the real coturn with the credentials we hand out, and through nothing with any others."""

import asyncio
import base64
import hashlib
import hmac
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aioice import stun, turn

from tests.webrtc.stage import until
from webrtc.turn import GOOD_FOR_S, TurnServer, turn_server

SECRET = b"a secret of a test alone"


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def coturn(tmp_path: Path) -> Iterator[int]:
    """The port of a TURN server of our own, on this machine alone."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("coturn is not installed")
    port = free_port(socket.SOCK_DGRAM)
    words = [program, "-n", "--use-auth-secret", f"--static-auth-secret={SECRET.decode()}", "--realm=counter"]
    words += [f"--listening-port={port}", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers"]
    words += [
        "--no-cli",
        "--no-tls",
        "--no-dtls",
        f"--pidfile={tmp_path / 'pid'}",
        "--log-file=stdout",
        "--fingerprint",
    ]
    words += [f"--userdb={tmp_path / 'users'}"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path) as server:
        try:
            yield port
        finally:
            server.terminate()


class Inbox(asyncio.DatagramProtocol):
    """What came, and from where."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        self.got.append(data)


async def relayed(port: int, user: str, password: str, to: tuple[str, int]) -> None:
    """Send one datagram through the relay; raise what the server refuses with."""
    transport, _ = await turn.create_turn_endpoint(
        asyncio.DatagramProtocol, server_addr=("127.0.0.1", port), username=user, password=password
    )
    try:
        transport.sendto(b"through the relay", to)
        await asyncio.sleep(0.3)
    finally:
        transport.close()
        await asyncio.sleep(0.1)


async def test_coturn_takes_our_credentials_until_they_end_and_no_others(coturn: int) -> None:
    server = turn_server([f"turn:127.0.0.1:{coturn}?transport=udp"], SECRET)
    assert server is not None
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    receiver, _ = await loop.create_datagram_endpoint(lambda: inbox, local_addr=("127.0.0.1", 0))
    to = receiver.get_extra_info("sockname")
    try:
        for _ in range(50):  # coturn takes a moment to listen
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind(("127.0.0.1", coturn))
                except OSError:
                    break
            await asyncio.sleep(0.1)
        await relayed(coturn, *server.credentials("leg-1", time.time()), to)
        await until(lambda: inbox.got == [b"through the relay"], "the datagram came through", 5)
        expired = server.credentials("leg-1", time.time() - GOOD_FOR_S - 60)
        other = TurnServer(server.urls, b"somebody else's secret").credentials("leg-1", time.time())
        for wrong in (expired, other):
            with pytest.raises(stun.TransactionFailed):
                await relayed(coturn, *wrong, to)
    finally:
        receiver.close()


def test_the_password_is_the_mac_that_the_draft_describes() -> None:
    user, password = TurnServer(("turn:x",), SECRET).credentials("leg", 1_000.0)
    assert user == f"{1_000 + GOOD_FOR_S}:leg"
    assert base64.b64decode(password) == hmac.new(SECRET, user.encode(), hashlib.sha1).digest()
    assert SECRET.decode() not in repr(TurnServer(("turn:x",), SECRET))


@pytest.mark.parametrize(("urls", "secret"), [(["stun:x"], SECRET), (["turn:x"], b"short"), (["http://x"], SECRET)])
def test_an_address_or_secret_that_guards_nothing_is_refused(urls: list[str], secret: bytes) -> None:
    with pytest.raises(ValueError, match="TURN"):
        turn_server(urls, secret)
