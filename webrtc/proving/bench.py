"""The figures of `counter bench video`: the media worker beside Janus, in one run, with clients outside of both.

Each part makes its own network and browsers. A part that cannot be measured leaves its figures null and says why.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import playwright.async_api
import pyrage  # type: ignore[import-untyped]

from webrtc.errors import MediaError
from webrtc.proving import janus as janus_server
from webrtc.proving.network import Network, usable
from webrtc.proving.people import Person, Sight, people
from webrtc.supervisor import SupervisedEngine

Figures = dict[str, float | None]

# 1 Mbit/s of 640x480 is what research/media.md measured both servers with.
_CPU_BPS = 1_000_000
_SETTLE_S = 6.0
# From 300 kbit/s, where Chromium begins, to all a camera sends.
_FULL_RATE_S = 12.0
_ROUNDS = 3
_ROOM = 4711
# A camera makes 30; below this a missing picture says nothing about the line.
CAMERA_FPS = 20.0


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far, the kernel's share included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
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
        before, began = [await p.figures() for p in self._both], _cpu_s(pid)
        await asyncio.sleep(seconds)
        spent, after = _cpu_s(pid) - began, [await p.figures() for p in self._both]
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
async def stage(*, delayed: bool = False) -> AsyncIterator[Stage]:
    """Network, worker and two browsers."""
    with Network(("customer", "clerk"), delayed=delayed) as network:
        engine = SupervisedEngine(host_addresses=[network.address])
        await engine.start()
        try:
            async with people(network, engine) as everybody:
                yield Stage(network, engine, everybody)
        finally:
            await engine.stop()


async def measure_cpu(seconds: float) -> Figures:
    """Processor time against Janus, in turns."""
    ours: list[float] = []
    recording: list[float] = []
    theirs: list[float] = []
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    with tempfile.TemporaryDirectory(prefix="counter-bench-") as folder:
        async with stage() as play, janus_server.janus(play.network.address, Path(folder)) as other:
            for turn in range(_ROUNDS):
                await play.call()
                await play.bound(_CPU_BPS)
                await asyncio.sleep(_SETTLE_S)
                ours.append(await play.cpu_per_packet_s(play.pid, seconds))
                for person in (play.customer, play.clerk):
                    await play.engine.record(person.leg_id, Path(folder), f"{person.name}{turn}", recipient)
                recording.append(await play.cpu_per_packet_s(play.pid, seconds))
                await play.engine.end_recording("bench")
                await play.hang_up()
                await play.call_by_janus(other.url, _ROOM + turn)
                await play.bound(_CPU_BPS)
                await asyncio.sleep(_SETTLE_S)
                theirs.append(await play.cpu_per_packet_s(other.pid, seconds))
                await play.hang_up()
    janus_s = statistics.median(theirs)
    return {
        "cpu_ratio_janus": statistics.median(ours) / janus_s,
        "cpu_ratio_janus_recording": statistics.median(recording) / janus_s,
        "cpu_us_per_packet": 1e6 * statistics.median(ours),
        "cpu_us_per_packet_janus": 1e6 * janus_s,
    }


async def measure_first_picture(times: int) -> Figures:
    """From the clerk's wish to the first picture: cold, with the clerk's leg already up, and over Janus."""
    cold: list[float] = []
    warm: list[float] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory(prefix="counter-bench-") as folder:
        async with stage() as play, janus_server.janus(play.network.address, Path(folder)) as other:
            clerk = play.clerk

            async def until_seen(act: Callable[[], Awaitable[object]]) -> float | None:
                since_ms = float(await clerk.page.evaluate("(take(), Date.now())"))
                await act()
                return await clerk.next_picture_s(since_ms, 5.0)

            async def join_and_see() -> None:
                await clerk.join("bench")
                await play.engine.attach(play.customer.leg_id, clerk.leg_id)

            async def see() -> None:
                await play.engine.attach(play.customer.leg_id, clerk.leg_id)

            await play.customer.join("bench")
            await asyncio.sleep(1.0)
            for _ in range(times):
                cold += [took for took in [await until_seen(join_and_see)] if took is not None]
                await play.engine.detach(clerk.leg_id)
                await asyncio.sleep(0.6)  # the pause after a key picture would else be measured
                warm += [took for took in [await until_seen(see)] if took is not None]
                await play.engine.close_leg(clerk.leg_id)
                await asyncio.sleep(0.6)
            await play.hang_up()
            publish = "([u, r]) => janusPublish(u, r)"
            feed = await play.customer.page.evaluate(publish, [other.url, _ROOM])
            await asyncio.sleep(1.0)

            async def join_janus() -> None:
                watch = "([u, r, f]) => Promise.all([janusWatch(u, r, f), janusPublish(u, r)])"
                await clerk.page.evaluate(watch, [other.url, _ROOM, feed])

            for _ in range(times):
                theirs += [took for took in [await until_seen(join_janus)] if took is not None]
                await clerk.page.evaluate("hangUp()")
                await asyncio.sleep(0.6)
    return {
        "first_picture_ratio_janus": statistics.median(cold) / statistics.median(theirs),
        "warm_first_picture_ms": 1000 * statistics.median(warm),
        "first_picture_ms": 1000 * statistics.median(cold),
    }


async def measure_loss(seconds: float) -> Figures:
    """Random loss each way."""
    async with stage() as play:
        await play.call()
        await asyncio.sleep(_FULL_RATE_S)
        for host in play.network:
            host.lose(up=0.03, down=0.03)
        await asyncio.sleep(3.0)
        mbit = await play.sent_mbit(seconds / 2)
        for host in play.network:
            host.lose(up=0.1, down=0.1)
        await asyncio.sleep(1.0)
        sight = await play.clerk_sees(seconds)
    return {
        "mbit_at_3pct_loss": mbit,
        "freeze_s_at_10pct_loss": sight.frozen_s,
        "fps_at_10pct_loss": sight.per_s,
        "broken_at_10pct_loss": float(sight.broken + sight.out_of_order),
    }


async def measure_narrow(seconds: float) -> Figures:
    """A viewer's line cut to 700 kbit/s, from 8 s after the cut on."""
    async with stage() as play:
        await play.call()
        await asyncio.sleep(_SETTLE_S)
        play.network.hosts["clerk"].narrow(700)
        await asyncio.sleep(8.0)
        return {"fps_at_700k": (await play.clerk_sees(seconds)).per_s}


async def measure_long_ways(seconds: float) -> Figures:
    """Round trips of 50 and 150 ms with 2 % loss."""
    figures: Figures = {}
    async with stage(delayed=True) as play:
        await play.call()
        await asyncio.sleep(_SETTLE_S)
        for round_trip_ms in (50, 150):
            for host in play.network:
                host.delay(round_trip_ms / 2000)
                host.lose(up=0.02, down=0.02)
            await asyncio.sleep(3.0)
            sight = await play.clerk_sees(seconds)
            figures[f"freeze_s_at_{round_trip_ms}ms_2pct_loss"] = sight.frozen_s
            figures[f"mbit_at_{round_trip_ms}ms_2pct_loss"] = await play.sent_mbit(5.0)
    return figures


async def measure_loss_by_janus(seconds: float) -> Figures:
    """What Janus makes of 10 % loss each way."""
    with tempfile.TemporaryDirectory(prefix="counter-bench-") as folder:
        async with stage() as play, janus_server.janus(play.network.address, Path(folder)) as other:
            await play.call_by_janus(other.url, _ROOM)
            await asyncio.sleep(_SETTLE_S)
            for host in play.network:
                host.lose(up=0.1, down=0.1)
            await asyncio.sleep(1.0)
            sight = await play.clerk_sees(seconds)
    return {"janus_freeze_s_at_10pct_loss": sight.frozen_s, "janus_fps_at_10pct_loss": sight.per_s}


# Chromium looks at its interfaces this long after one changed (NetworkChangeCalculatorParams); no page can hurry it.
_BROWSER_KNOWS_S = 2.2


async def measure_moves() -> Figures:
    """Another address in mid-call, and a line that is gone for 40 s."""
    async with stage() as play:
        await play.call()
        await asyncio.sleep(_SETTLE_S)
        host, customer = play.network.hosts["customer"], play.customer
        host.move()
        await asyncio.sleep(_BROWSER_KNOWS_S)
        since_ms = float(await play.clerk.page.evaluate("(take(), Date.now())"))
        await customer.restart()
        back_s = await play.clerk.next_picture_s(since_ms, 10.0)
        await asyncio.sleep(2.0)
        host.cut()
        await asyncio.sleep(40.0)
        since_ms = float(await play.clerk.page.evaluate("(take(), Date.now())"))
        host.mend()
        await customer.join("bench")
        await play.wire()
        return {"address_change_s": back_s, "outage_40s_s": await play.clerk.next_picture_s(since_ms, 10.0)}


async def measure_growth(calls: int) -> Figures:
    """Memory of the worker over many calls, after the first tenth."""
    async with stage() as play:
        settled = 0.0
        for number in range(calls + calls // 10):
            if number == calls // 10:
                settled = _rss_mb(play.pid)
            await play.call()
            await play.hang_up()
        return {"rss_growth_mb_200_calls": (_rss_mb(play.pid) - settled) * 200 / calls}


PARTS: dict[str, Callable[[], Awaitable[Figures]]] = {
    "cpu": lambda: measure_cpu(8.0),
    "first": lambda: measure_first_picture(7),
    "loss": lambda: measure_loss(30.0),
    "narrow": lambda: measure_narrow(15.0),
    "far": lambda: measure_long_ways(15.0),
    "janus": lambda: measure_loss_by_janus(15.0),
    "move": measure_moves,
    "memory": lambda: measure_growth(200),
}
KEYS = (
    "cpu_ratio_janus",
    "cpu_ratio_janus_recording",
    "cpu_ratio_mediarelay",
    "first_picture_ratio_janus",
    "warm_first_picture_ms",
    "freeze_s_at_10pct_loss",
    "fps_at_700k",
    "mbit_at_3pct_loss",
    "address_change_s",
    "outage_40s_s",
    "rss_growth_mb_200_calls",
)
_BREAKS_OFF = (MediaError, OSError, TimeoutError, statistics.StatisticsError, playwright.async_api.Error)
_NEEDS_JANUS = ("cpu", "first", "janus")


async def _measure(parts: tuple[str, ...]) -> dict[str, object]:
    """The parts in turn; one that breaks off leaves a note."""
    figures: Figures = dict.fromkeys(KEYS)
    notes: dict[str, str] = {"cpu_ratio_mediarelay": "no MediaRelay engine to measure beside"}
    missing = usable()
    for part in parts:
        if missing is not None:
            notes[part] = missing
        elif part in _NEEDS_JANUS and not janus_server.available():
            notes[part] = "needs Debian's janus"
        else:
            began_s = time.monotonic()
            try:
                figures |= await PARTS[part]()
            except _BREAKS_OFF as error:
                notes[part] = f"broke off after {time.monotonic() - began_s:.0f} s: {type(error).__name__}: {error}"
    for key in KEYS:
        if figures[key] is None:
            notes.setdefault(key, "not measured in this run")
    return {**{name: None if value is None else round(value, 3) for name, value in figures.items()}, "notes": notes}


def bench_video(parts: tuple[str, ...]) -> dict[str, object]:
    """Every figure of these parts, and notes about what is missing."""
    return asyncio.run(_measure(parts))
