"""A supervisor in a call, over two real workers: who hears whom in each manner, and nobody else; and waiting."""

import asyncio
import time
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest

from counter_server.calls.rooms import Calls
from counter_server.calls.seats import CLERK, CUSTOMER, THIRD, WATCH_CLERK, WATCH_CUSTOMER, Recording
from counter_server.calls.third_person import Supervision
from counter_server.errors import CounterError
from tests.counter_server.calls.pages import CallPage, calls_over
from tests.webrtc.stage import until

STILL_S = 1.0  # 50 packets of sound


async def hears(page: CallPage) -> bool:
    """Whether something arrives on this leg now, or soon."""
    since_s = time.monotonic()
    await until(lambda: page.hears_since(since_s), "something is heard")
    return True


async def silent(page: CallPage) -> bool:
    """Whether this leg falls silent; a busy machine may still be decoding what came before."""

    def quiet() -> bool:
        return not page.hears_since(time.monotonic() - STILL_S)

    await until(quiet, "it falls silent")
    return True


async def refused(calls: Calls, role: str, owner: str, part: str) -> bool:
    with pytest.raises(CounterError) as error:
        await calls.join(role, owner, part)
    return error.value.code.value == "not_allowed"


async def test_a_supervisor_listens_then_whispers_then_joins_and_leaves(tmp_path: Path) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    async with calls_over(workers=2) as (calls, engine, page):
        customer, clerk = page(CUSTOMER, "v"), page(CLERK, "c")
        await calls.bring_together("v", "c", Recording(tmp_path, recipient, 1))
        await customer.join()
        await clerk.join()
        await until(lambda: customer.hears_since(0) and clerk.hears_since(0), "the call runs")

        assert await refused(calls, CLERK, "s", WATCH_CUSTOMER)  # nobody asked for supervision
        await calls.supervise("v", "s", Supervision.LISTEN)
        voice, eye = page(CLERK, "s", WATCH_CUSTOMER), page(CLERK, "s", WATCH_CLERK)
        await voice.join()
        await eye.join()
        await until(lambda: voice.hears_since(0) and eye.hears_since(0), "the supervisor hears both")
        assert engine.worker_of("clerk-s-watch-clerk") == engine.worker_of("customer-v")
        assert await refused(calls, CLERK, "c", THIRD)  # a listener is heard by nobody
        assert await refused(calls, CUSTOMER, "v", THIRD)
        assert await refused(calls, CLERK, "x", WATCH_CLERK)

        await calls.supervise("v", "s", Supervision.WHISPER)
        ear = page(CLERK, "c", THIRD)
        await ear.join()
        await until(lambda: ear.hears_since(0), "the clerk hears the whisper")
        assert await refused(calls, CUSTOMER, "v", THIRD)

        await calls.supervise("v", "s", Supervision.JOIN)
        third = page(CUSTOMER, "v", THIRD)
        await third.join()
        await until(lambda: third.hears_since(0), "the customer hears who joined")
        await asyncio.sleep(STILL_S)  # of it something must be recorded

        await calls.supervise("v", "s", Supervision.WHISPER)
        assert await hears(ear)
        assert await silent(third)
        await calls.end_supervision("v")
        assert await silent(ear)
        assert await silent(voice)
        assert await hears(customer)
        tracks = await calls.part("v")
    assert sorted(track.name for track in tracks if track.segments) == ["clerk-1", "customer-1", "supervisor-1"]


async def test_who_waits_hears_nobody_and_the_call_goes_on_after(tmp_path: Path) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    async with calls_over(workers=1) as (calls, _, page):
        customer, clerk = page(CUSTOMER, "v"), page(CLERK, "c")
        await calls.bring_together("v", "c", Recording(tmp_path, recipient, 1))
        await customer.join()
        await clerk.join()
        await until(lambda: customer.hears_since(0) and clerk.hears_since(0), "the call runs")
        await calls.hold("v", held=True)
        assert await silent(customer)
        assert await silent(clerk)
        await customer.join()  # a page that joins again while it waits goes on waiting
        assert await silent(customer)
        await calls.hold("v", held=False)
        assert await hears(customer)
        await calls.part("v")
