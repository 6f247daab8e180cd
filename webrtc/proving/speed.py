"""Figures of speed: the first picture, and what the way through the counter adds to every later one."""

import asyncio
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from webrtc.janus.client import JanusClient
from webrtc.proving import janus as janus_server
from webrtc.proving.crowd import crowd, share_ms
from webrtc.proving.network import Network
from webrtc.proving.stage import ROOM, Figures, stage
from webrtc.supervisor import SupervisedEngine

_ROUNDS = 3


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
            feed = await play.customer.page.evaluate(publish, [other.url, ROOM])
            await asyncio.sleep(1.0)

            async def join_janus() -> None:
                watch = "([u, r, f]) => Promise.all([janusWatch(u, r, f), janusPublish(u, r)])"
                await clerk.page.evaluate(watch, [other.url, ROOM, feed])

            for _ in range(times):
                theirs += [took for took in [await until_seen(join_janus)] if took is not None]
                await clerk.page.evaluate("hangUp()")
                await asyncio.sleep(0.6)
    return {
        "first_picture_ratio_janus": statistics.median(cold) / statistics.median(theirs),
        "warm_first_picture_ms": 1000 * statistics.median(warm),
        "first_picture_ms": 1000 * statistics.median(cold),
    }


async def measure_latency(seconds: float) -> Figures:
    """What a picture's way through us takes beside Janus: a call over each at the same time, with the same clip."""
    ours: list[float] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory(prefix="counter-bench-") as folder, Network(("customer", "clerk")) as network:
        engine = SupervisedEngine(host_addresses=[network.address])
        await engine.start()
        try:
            async with crowd(network) as people, janus_server.janus(network.address, Path(folder)) as other:
                client = await JanusClient.open(other.url, "", lambda: None)
                await people.join(engine, "own-0")
                await people.join_janus(client, ROOM, "janus-0")
                await asyncio.sleep(2.0)
                for _ in range(_ROUNDS):
                    flows = await people.watch(seconds)
                    ours += flows["own"].latencies_ms
                    theirs += flows["janus"].latencies_ms
                await client.close()
        finally:
            await engine.stop()
    figures: Figures = {}
    for name, share in (("median", 0.5), ("p99", 0.99)):
        own_ms, janus_ms = share_ms(tuple(ours), share), share_ms(tuple(theirs), share)
        figures |= {f"added_latency_ms_{name}": own_ms - janus_ms}
        figures |= {f"latency_ms_{name}": own_ms, f"latency_ms_{name}_janus": janus_ms}
    return figures
