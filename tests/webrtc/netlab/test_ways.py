"""Calls whose packets cannot go straight: to a server behind a router that maps its address, or only through coturn."""

import asyncio
import ctypes
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.webrtc.test_turn import free_port
from webrtc.aio.pass_engine import PassEngine
from webrtc.engine import EngineKind
from webrtc.proving.crowd import ROLES, Crowd, LoadProcess
from webrtc.proving.network import Network, usable
from webrtc.proving.people import people
from webrtc.supervisor import SupervisedEngine
from webrtc.turn import TurnServer

pytestmark = pytest.mark.skipif(usable() is not None, reason=usable() or "")

# RFC 5737 and RFC 1918 blocks; everything stays inside namespaces of our own.
PUBLIC, OUTSIDE, PRIVATE, INSIDE = "203.0.113.1", "203.0.113.2", "10.77.0.2", "10.77.0.1"
LOWEST, HIGHEST = 40_000, 40_199
CLONE_NEWNET = 0x40000000


@contextmanager
def behind_a_router() -> Iterator[tuple[str, str]]:
    """Names of the namespaces of a customer and of a server; the router between them maps the ports of one address."""
    customer, router, server = (f"cv{os.getpid()}-{name}" for name in ("out", "router", "in"))
    nat = f"""table ip mapped {{
      chain arriving {{
        type nat hook prerouting priority -100;
        ip daddr {PUBLIC} udp dport {LOWEST}-{HIGHEST} dnat to {PRIVATE}
      }}
      chain leaving {{
        type nat hook postrouting priority 100;
        ip saddr {PRIVATE} snat to {PUBLIC}
      }}
    }}
    """
    script = f"""set -e
      for name in {customer} {router} {server}; do ip netns add $name; ip -n $name link set lo up; done
      ip link add name outer netns {customer} type veth peer name outer netns {router}
      ip link add name inner netns {server} type veth peer name inner netns {router}
      ip -n {customer} addr add {OUTSIDE}/24 dev outer; ip -n {router} addr add {PUBLIC}/24 dev outer
      ip -n {server} addr add {PRIVATE}/24 dev inner; ip -n {router} addr add {INSIDE}/24 dev inner
      for end in "{customer} outer" "{router} outer" "{server} inner" "{router} inner"; do
        set -- $end; ip -n $1 link set $2 up
      done
      ip -n {server} route add default via {INSIDE}
      ip netns exec {router} sysctl -qw net.ipv4.ip_forward=1
      ip netns exec {router} nft -f - """
    try:
        subprocess.run(["sh", "-c", script], input=nat, text=True, check=True, capture_output=True)
        yield customer, server
    finally:
        for name in (customer, router, server):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Sockets that this thread makes meanwhile, and processes it starts, are on this host."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as own, open(f"/run/netns/{namespace}", "rb") as other:
        assert libc.setns(other.fileno(), CLONE_NEWNET) == 0
        try:
            yield
        finally:
            assert libc.setns(own.fileno(), CLONE_NEWNET) == 0


@asynccontextmanager
async def crowd_on(namespace: str) -> AsyncIterator[Crowd]:
    loads = {role: await LoadProcess.spawn(namespace, OUTSIDE) for role in ROLES}
    try:
        yield Crowd(loads)
    finally:
        for load in loads.values():
            await load.stop()


async def test_a_server_behind_a_router_is_found_by_the_address_and_ports_that_are_mapped_to_it() -> None:
    with behind_a_router() as (customer, server), inside(server):
        engine = SupervisedEngine(host_addresses=[f"{PRIVATE}={PUBLIC}:{LOWEST}-{HIGHEST}"])
        await engine.start()  # its self-check cannot reach the public address from here, and need not
        try:
            offer = await engine.create_leg("other", "customer")
            told = [line.split(" ")[4:6] for line in offer.sdp.splitlines() if line.startswith("a=candidate:")]
            assert told
            assert {address for address, _ in told} == {PUBLIC}
            assert all(LOWEST <= int(port) <= HIGHEST for _, port in told)
            assert PRIVATE not in offer.sdp
            async with crowd_on(customer) as crowd:
                await crowd.join(engine, "own-0")
                flow = (await crowd.watch(2.0))["own"]
            assert flow.pictures > 20
        finally:
            await engine.stop()


@pytest.mark.skipif(shutil.which("janus") is None, reason="the package janus is not installed")
async def test_janus_behind_a_router_tells_the_mapped_address_and_ports_too() -> None:
    with behind_a_router() as (_, server), inside(server):
        engine = SupervisedEngine(host_addresses=[f"{PRIVATE}={PUBLIC}:{LOWEST}-{HIGHEST}"], kind=EngineKind.JANUS)
        await engine.start()
        try:
            offer = await engine.create_leg("other", "customer")
            told = [line.split(" ")[4:6] for line in offer.sdp.splitlines() if line.startswith("a=candidate:")]
            assert {address for address, _ in told} == {PUBLIC}
            assert all(LOWEST <= int(port) <= HIGHEST for _, port in told)
        finally:
            await engine.stop()


@contextmanager
def coturn(address: str, folder: Path, secret: str) -> Iterator[int]:
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("coturn is not installed")
    port = free_port(socket.SOCK_DGRAM)
    words = [program, "-n", "--use-auth-secret", f"--static-auth-secret={secret}", "--realm=counter", "--no-cli"]
    words += [f"--listening-port={port}", f"--listening-ip={address}", f"--relay-ip={address}", "--no-tls", "--no-dtls"]
    words += [f"--pidfile={folder / 'pid'}", "--log-file=stdout", "--fingerprint", f"--userdb={folder / 'users'}"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder) as server:
        try:
            yield port
        finally:
            server.terminate()


async def test_a_page_that_may_only_relay_is_seen_and_sees_through_coturn(tmp_path: Path) -> None:
    secret = "a secret of a test alone"
    with Network(("customer", "clerk")) as network, coturn(network.address, tmp_path, secret) as port:
        url = f"turn:{network.address}:{port}?transport=udp"
        user, password = TurnServer((url,), secret.encode()).credentials("leg-1", time.time())
        engine = PassEngine(host_addresses=[network.address])
        await engine.start()
        try:
            async with people(network, engine) as everybody:
                customer, clerk = everybody["customer"], everybody["clerk"]
                relays = [{"urls": url, "username": user, "credential": password}]
                await customer.page.evaluate("servers => { relays = servers }", relays)
                await customer.join("room")
                await clerk.join("room")
                await engine.attach(customer.leg_id, clerk.leg_id)
                await engine.attach(clerk.leg_id, customer.leg_id)
                await asyncio.sleep(2)
                sights = await asyncio.gather(clerk.look(3), customer.look(3))
                ways = (await customer.figures())["ways"]
        finally:
            await engine.stop()
    assert set(ways) == {"relay"}
    assert all(sight.pictures > 10 and sight.broken == 0 for sight in sights)
