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
from webrtc.proving.stage import FULL_RATE_S, ROOM, Figures, stage
from webrtc.supervisor import SupervisedEngine

_ROUNDS = 3
# Whoever comes does so at any moment between two of the key pictures that are asked for while nobody looks.
_PAUSES_S = (0.6, 1.0, 1.5, 2.1)


async def measure_first_picture(times: int) -> Figures:
    """From the clerk's wish to the first picture: cold, with the clerk's leg already up, and over Janus.

    `warm_first_picture_ms` may be a picture some tenths of a second old; `warm_live_picture_ms` is the first that was
    made after the wish.
    """
    cold: list[float] = []
    warm: list[float] = []
    live: list[float] = []
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
            await asyncio.sleep(FULL_RATE_S)  # as a customer's who has waited in the queue
            for turn in range(times):
                cold += [took for took in [await until_seen(join_and_see)] if took is not None]
                await play.engine.detach(clerk.leg_id)
                await asyncio.sleep(_PAUSES_S[turn % len(_PAUSES_S)])
                drawn = int(await play.customer.page.evaluate("number"))
                since_ms = float(await clerk.page.evaluate("(take(), Date.now())"))
                await see()
                warm += [took for took in [await clerk.next_picture_s(since_ms, 5.0)] if took is not None]
                live += [took for took in [await clerk.next_picture_s(since_ms, 5.0, after=drawn)] if took is not None]
                await play.engine.close_leg(clerk.leg_id)
                await asyncio.sleep(0.6)
            await play.hang_up()
            publish = "([u, r]) => janusPublish(u, r)"
            feed = await play.customer.page.evaluate(publish, [other.url, ROOM])
            await asyncio.sleep(FULL_RATE_S)

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
        "warm_live_picture_ms": 1000 * statistics.median(live),
        "first_picture_ms": 1000 * statistics.median(cold),
        "first_picture_ms_janus": 1000 * statistics.median(theirs),
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
