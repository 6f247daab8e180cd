"""A customer's second picture, over two real workers: the clerk sees it, it is sealed apart, and nobody else has it."""

import time
from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest

from counter_server.calls.seats import CHECK, CLERK, CUSTOMER, SHOWN, Recording
from counter_server.errors import CounterError
from tests.counter_server.calls.pages import calls_over
from tests.webrtc.stage import until


async def test_a_second_picture_reaches_the_clerk_and_is_a_track_of_its_own(tmp_path: Path) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    async with calls_over(workers=2) as (calls, engine, page):
        customer, clerk = page(CUSTOMER, "v"), page(CLERK, "c")
        with pytest.raises(CounterError):
            await calls.show("v", "document")  # nobody serves the visit
        await calls.bring_together("v", "c", Recording(tmp_path, recipient, 1))
        await customer.join()
        await clerk.join()
        await until(lambda: customer.hears_since(0) and clerk.hears_since(0), "the call runs")
        camera, screen = page(CUSTOMER, "v", SHOWN), page(CLERK, "c", SHOWN)
        for one in (camera, screen):
            with pytest.raises(CounterError):
                await one.join()  # nothing is shown yet
        await calls.show("v", "document")
        await camera.join()
        await screen.join()
        await until(lambda: screen.hears_since(0), "the clerk sees it")
        assert engine.worker_of("clerk-c-shown") == engine.worker_of("customer-v")
        assert not camera.heard_at, "nothing comes back to the customer"
        other = page(CLERK, "x", SHOWN)
        with pytest.raises(CounterError):
            await other.join()
        await calls.hold("v", held=True)
        held_s = time.monotonic()
        await until(lambda: not screen.hears_since(time.monotonic() - 1), "who waits shows nothing")
        await calls.hold("v", held=False)
        await until(lambda: screen.hears_since(held_s + 1), "and goes on afterwards")
        await calls.show("v", None)
        with pytest.raises(CounterError):
            await camera.join()
        tracks = await calls.part("v")
    assert sorted((t.role, t.name) for t in tracks if t.segments) == [
        ("clerk", "clerk-1"),
        ("customer", "customer-1"),
        ("shown", "shown-1"),
    ]


async def test_a_line_check_hears_itself_and_nobody_else_and_ends_with_the_queue(tmp_path: Path) -> None:
    async with calls_over(workers=1) as (calls, _, page):
        alone, other = page(CUSTOMER, "v", CHECK), page(CUSTOMER, "w", CHECK)
        await alone.join()
        await other.join()
        await until(lambda: alone.hears_since(0) and other.hears_since(0), "each hears what it sent")
        ended_s = time.monotonic()
        await calls.leave_part(CUSTOMER, "w", CHECK)
        await until(lambda: alone.hears_since(ended_s), "the other's end is its own")
        await calls.bring_together("v", "c", Recording(tmp_path, "age1", 1))
        with pytest.raises(CounterError):
            await alone.join()
