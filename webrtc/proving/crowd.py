"""Calls of simulated people on the hosts of a network, over one of our engines or over Janus, as many as wanted."""

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import webrtc
from webrtc.engine import MediaEngine
from webrtc.janus.client import JanusClient, Object
from webrtc.pipe import FRAME_MAX_BYTES, pack_frame, read_frame
from webrtc.proving.network import Network

ROLES = ("customer", "clerk")
# A crowd's load process imports aiortc and encodes its clip first: 2 s on an idle machine.
_PATIENCE_S = 60.0
# Pictures of the last moment of a stretch are still on their way.
_UNDERWAY_S = 0.3


@dataclass(frozen=True, slots=True)
class Flow:
    """What came of the pictures of a stretch of time, in both directions of every call."""

    latencies_ms: tuple[float, ...]  # from the picture's first packet sent to its last one come, of pictures that came
    sent: int
    pictures: int  # that came, recognised or not
    late_ms: tuple[float, ...]  # how late the load itself was to send


def share_ms(values_ms: tuple[float, ...], share: float) -> float:
    """The value that this share of them stays under (nearest rank)."""
    ordered = sorted(values_ms)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class LoadProcess:
    """A process of `webrtc.proving.load` on one host."""

    def __init__(self, process: asyncio.subprocess.Process):
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def spawn(cls, namespace: str, address: str) -> "LoadProcess":
        """Started in this network namespace, whose address people have; calls wait until it is up."""
        packages = str(Path(webrtc.__path__[0]).parent)
        process = await asyncio.create_subprocess_exec(
            *("ip", "netns", "exec", namespace, sys.executable, "-m", "webrtc.proving.load", address),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=FRAME_MAX_BYTES,
            env={**os.environ, "PYTHONPATH": packages},
        )
        return cls(process)

    async def call(self, do: str, **arguments: Any) -> Any:
        """What it gives; `ConnectionError` when it has ended."""
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        if self._process.stdin is None or self._reading.done():
            raise ConnectionError("the load process has ended")
        self._process.stdin.write(pack_frame({"call": number, "do": do, **arguments}))
        async with asyncio.timeout(_PATIENCE_S):
            return await answer

    async def stop(self) -> None:
        """End it."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._reading.cancel()

    async def _read(self) -> None:
        while self._process.stdout is not None:
            try:
                message, _ = await read_frame(self._process.stdout)
            except asyncio.IncompleteReadError:
                break
            self._waiting.pop(message["call"]).set_result(message["gives"])
        for answer in self._waiting.values():
            answer.set_exception(ConnectionError("the load process has ended"))


class Crowd:
    """Customers on one host, clerks on the other."""

    def __init__(self, loads: dict[str, LoadProcess]):
        self._loads = loads
        self._names: dict[str, set[str]] = {role: set() for role in ROLES}

    async def _make(self, role: str, name: str, *, sends: bool, gets: bool) -> LoadProcess:
        self._names[role].add(name)
        await self._loads[role].call("make", name=name, sends=sends, gets=gets)
        return self._loads[role]

    async def join(self, engine: MediaEngine, call: str) -> None:
        """A call of two over one of our engines."""
        legs: list[str] = []
        for role in ROLES:
            offer = await engine.create_leg(call, role)
            load = await self._make(role, call, sends=True, gets=True)
            await engine.accept(offer.leg_id, await load.call("answer", name=call, sdp=offer.sdp))
            await load.call("until_up", name=call)
            legs.append(offer.leg_id)
        await engine.attach(legs[0], legs[1])
        await engine.attach(legs[1], legs[0])

    async def join_janus(self, client: JanusClient, room: int, call: str) -> None:
        """The same over a VideoRoom of Janus: one connection to send and one to get for each of them."""
        feeds: list[int] = []
        for role in ROLES:
            handle = await client.attach(_ignore)
            if not feeds:
                await client.ask_room(
                    handle, {"request": "create", "room": room, "publishers": 6, "bitrate": 2_500_000}
                )
            join: Object = {"request": "join", "ptype": "publisher", "room": room}
            feeds.append((await client.ask_room(handle, join))[0]["id"])
            name = f"{call} sends"
            load = await self._make(role, name, sends=True, gets=False)
            offer = {"type": "offer", "sdp": await load.call("offer", name=name)}
            _, answer = await client.ask_room(handle, {"request": "publish"}, offer)
            await load.call("take", name=name, sdp=answer)
            await load.call("until_up", name=name)
        await asyncio.sleep(_UNDERWAY_S)  # before its packets come a feed is offered without codecs
        for role, feed in zip(ROLES, reversed(feeds), strict=True):
            handle = await client.attach(_ignore)
            join = {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": feed}]}
            _, offered = await client.ask_room(handle, join)
            name = f"{call} gets"
            load = await self._make(role, name, sends=False, gets=True)
            answered = {"type": "answer", "sdp": await load.call("answer", name=name, sdp=offered)}
            await client.ask_room(handle, {"request": "start"}, answered)
            await load.call("until_up", name=name)

    async def hang_up(self, call: str) -> None:
        """Both of this call leave."""
        for role in ROLES:
            for name in [name for name in self._names[role] if name.split(" ")[0] == call]:
                self._names[role].discard(name)
                await self._loads[role].call("close", name=name)

    async def watch(self, seconds: float) -> dict[str, Flow]:
        """What flows in the next seconds, by the calls' names up to their first dash."""
        await asyncio.gather(*(load.call("forget") for load in self._loads.values()))
        await asyncio.sleep(seconds)
        told = await asyncio.gather(*(self._loads[role].call("figures") for role in ROLES))
        flows: dict[str, list[tuple[Object, Object]]] = {}
        for here, there in (told, reversed(told)):
            for name, figures in here.items():
                if figures["sent"]:
                    viewer = there.get(name.replace(" sends", " gets"))
                    flows.setdefault(name.partition("-")[0], []).append((figures, viewer or {}))
        return {group: _flow(pairs) for group, pairs in flows.items()}


def _flow(pairs: list[tuple[Object, Object]]) -> Flow:
    """Join what was sent with what was seen."""
    latencies: list[float] = []
    late: list[float] = []
    sent = pictures = 0
    for figures, viewer in pairs:
        seen = viewer.get("seen", {})
        sent += len(figures["sent"])
        pictures += viewer.get("pictures", 0)
        late += [1000 * late_s for late_s in figures["late_s"]]
        latencies += [1000 * (seen[number] - at_s) for number, at_s in figures["sent"].items() if number in seen]
    return Flow(tuple(latencies), sent, pictures, tuple(late))


def _ignore(_event: Object) -> None:
    """Janus tells much that a load need not know."""


@asynccontextmanager
async def crowd(network: Network) -> AsyncIterator[Crowd]:
    """Load processes on the hosts `customer` and `clerk`."""
    loads: dict[str, LoadProcess] = {}
    try:
        for role in ROLES:
            host = network.hosts[role]
            loads[role] = await LoadProcess.spawn(host.name, host.address)
        yield Crowd(loads)
    finally:
        for load in loads.values():
            await load.stop()
