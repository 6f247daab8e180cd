"""Figures of bad lines: loss, a narrow viewer, long ways, other addresses, outages."""

import asyncio
import tempfile
from pathlib import Path

from webrtc.proving import janus as janus_server
from webrtc.proving.people import KIOSK_ARGUMENTS
from webrtc.proving.stage import FULL_RATE_S, ROOM, SETTLE_S, Figures, Stage, stage


async def measure_loss(seconds: float) -> Figures:
    """Random loss each way."""
    async with stage() as play:
        await play.call()
        await asyncio.sleep(FULL_RATE_S)
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
        await asyncio.sleep(SETTLE_S)
        play.network.hosts["clerk"].narrow(700)
        await asyncio.sleep(8.0)
        return {"fps_at_700k": (await play.clerk_sees(seconds)).per_s}


async def measure_long_ways(seconds: float) -> Figures:
    """Round trips of 50 and 150 ms with 2 % loss."""
    figures: Figures = {}
    async with stage(delayed=True) as play:
        await play.call()
        await asyncio.sleep(SETTLE_S)
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
            await play.call_by_janus(other.url, ROOM)
            await asyncio.sleep(SETTLE_S)
            for host in play.network:
                host.lose(up=0.1, down=0.1)
            await asyncio.sleep(1.0)
            sight = await play.clerk_sees(seconds)
    return {"janus_freeze_s_at_10pct_loss": sight.frozen_s, "janus_fps_at_10pct_loss": sight.per_s}


# What webrtc/web/call.ts waits before it asks for another way.
_PAGE_NOTICES_S = 1.0


async def _moved(play: Stage, *, restarts: bool) -> float | None:
    """Seconds from another address of the customer's to a picture made after it; None if none came."""
    await play.call()
    await asyncio.sleep(SETTLE_S)
    since_ms = float(await play.clerk.page.evaluate("(take(), Date.now())"))
    play.network.hosts["customer"].move()
    drawn = int(await play.customer.page.evaluate("number"))
    if restarts:
        await asyncio.sleep(_PAGE_NOTICES_S)
        await play.customer.restart()
    return await play.clerk.next_picture_s(since_ms, 10.0, after=drawn)


async def measure_moves() -> Figures:
    """Another address in mid-call, and a line that is gone for 40 s; nobody helps but, where it must, the page.

    A browser we configure (a kiosk's) has sockets that outlive an address. Any other must first notice that its
    interfaces have changed, which takes Chromium 2 s whatever the page does (NetworkChangeCalculatorParams).
    """
    async with stage(more_arguments=KIOSK_ARGUMENTS) as play:
        moved_s = await _moved(play, restarts=False)
    async with stage() as play:
        phone_s = await _moved(play, restarts=True)
        await asyncio.sleep(SETTLE_S)
        host = play.network.hosts["customer"]
        host.cut()
        await asyncio.sleep(40.0)
        since_ms = float(await play.clerk.page.evaluate("(take(), Date.now())"))
        host.mend()
        back_s = await play.clerk.next_picture_s(since_ms, 10.0)
    return {"address_change_s": moved_s, "address_change_phone_s": phone_s, "outage_40s_s": back_s}
