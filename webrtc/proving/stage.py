"""A call of two browsers over one of the two servers, and what their processes cost."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from webrtc.errors import MediaError
from webrtc.proving.network import Network
from webrtc.proving.people import Person, Sight, people
from webrtc.supervisor import SupervisedEngine

Figures = dict[str, float | None]

# 1 Mbit/s of 640x480 is what research/media.md measured both servers with.
CPU_BPS = 1_000_000
SETTLE_S = 6.0
# From 300 kbit/s, where Chromium begins, to all a camera sends.
FULL_RATE_S = 12.0
ROOM = 4711
# A camera makes 30; below this a missing picture says nothing about the line.
CAMERA_FPS = 20.0


def cpu_s(pid: int) -> float:
    """Processor time of a process so far, the kernel's share included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """Memory a process holds."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


class TooBusyError(MediaError):
    """The clients' own machine cannot make the pictures whose way is to be measured."""


class Stage:
    """A call of two over one of the two servers."""

    def __init__(self, network: Network, engine: SupervisedEngine, everybody: dict[str, Person]):
        self.network = network
        self.engine = engine
        self.customer, self.clerk = everybody["customer"], everybody["clerk"]

    @property
    def pid(self) -> int:
        """The media worker."""
        pid = self.engine.worker_pid
        if pid is None:
            raise MediaError("the media worker is gone")
        return pid

    async def call(self) -> None:
        """Both join our engine and see each other."""
        await self.customer.join("bench")
        await self.clerk.join("bench")
        await self.wire()

    async def wire(self) -> None:
        """Each is shown the other."""
        await self.engine.attach(self.customer.leg_id, self.clerk.leg_id)
        await self.engine.attach(self.clerk.leg_id, self.customer.leg_id)

    async def call_by_janus(self, url: str, room: int) -> None:
        """The same over Janus."""
        feeds = [await p.page.evaluate("([u, r]) => janusPublish(u, r)", [url, room]) for p in self._both]
        await asyncio.sleep(0.3)
        for person, feed in zip(self._both, reversed(feeds), strict=True):
            await person.page.evaluate("([u, r, f]) => janusWatch(u, r, f)", [url, room, feed])

    async def bound(self, bits: int) -> None:
        """Bound what both cameras send."""
        for person in self._both:
            await person.page.evaluate("bits => bound(bits)", bits)

    async def hang_up(self) -> None:
        """End whatever call there is."""
        for person in self._both:
            await person.page.evaluate("hangUp()")
        await self.engine.close_room("bench")

    async def cpu_per_packet_s(self, pid: int, seconds: float) -> float:
        """Processor seconds of a server for each video packet it was sent, so that both carry the same."""
        before, began = [await p.figures() for p in self._both], cpu_s(pid)
        await asyncio.sleep(seconds)
        spent, after = cpu_s(pid) - began, [await p.figures() for p in self._both]
        sent = sum(later["packets_out"] - earlier["packets_out"] for earlier, later in zip(before, after, strict=True))
        return spent / max(int(sent), 1)

    async def clerk_sees(self, seconds: float) -> Sight:
        """What the clerk sees; raise `TooBusyError` where the customer's camera itself came to a halt."""
        before = (await self.customer.figures())["sent"]
        sight = await self.clerk.look(seconds)
        made = ((await self.customer.figures())["sent"] - before) / sight.seconds
        if made < CAMERA_FPS:
            raise TooBusyError(f"the machine is too busy: the camera made {made:.0f} pictures a second")
        return sight

    async def sent_mbit(self, seconds: float) -> float:
        """What the customer's camera sends."""
        before = await self.customer.figures()
        await asyncio.sleep(seconds)
        after = await self.customer.figures()
        return float((after["bytes_out"] - before["bytes_out"]) * 8 / (after["now"] - before["now"]) / 1000)

    @property
    def _both(self) -> tuple[Person, Person]:
        return self.customer, self.clerk


@asynccontextmanager
async def stage(*, delayed: bool = False, more_arguments: tuple[str, ...] = ()) -> AsyncIterator[Stage]:
    """Network, worker and two browsers."""
    with Network(("customer", "clerk"), delayed=delayed) as network:
        engine = SupervisedEngine(host_addresses=[network.address])
        await engine.start()
        try:
            async with people(network, engine, more_arguments=more_arguments) as everybody:
                yield Stage(network, engine, everybody)
        finally:
            await engine.stop()
