"""Calls over several worker processes: nobody is torn apart, and a dead worker costs its own calls one rejoin."""

import os
import signal
import time
from pathlib import Path

import pyrage  # type: ignore[import-untyped]

from counter_server.calls.seats import CLERK, CUSTOMER, Recording
from tests.counter_server.calls.pages import calls_over
from tests.webrtc.stage import until
from webrtc.wire.call import Line


async def test_a_warm_clerk_follows_the_customer_to_another_worker(tmp_path: Path) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    async with calls_over(workers=2) as (calls, engine, page):
        clerk, customer = page(CLERK, "c"), page(CUSTOMER, "v")
        await clerk.join()
        await customer.join()
        await until(lambda: calls.line(CUSTOMER, "v") is calls.line(CLERK, "c") is Line.OK, "both lines")
        assert engine.worker_of("clerk-c") != engine.worker_of("customer-v")  # the emptier one was taken
        began_s = time.monotonic()
        await calls.bring_together("v", "c", Recording(tmp_path, recipient, 1))
        await until(lambda: clerk.hears_since(began_s) and customer.hears_since(began_s), "each hears the other")
        assert (clerk.joins, customer.joins) == (2, 1)
        assert engine.worker_of("clerk-c") == engine.worker_of("customer-v")
        tracks = await calls.part("v")
    assert sorted(track.name for track in tracks) == ["clerk-1", "customer-1"]
    assert all(track.complete and track.segments for track in tracks)


async def test_a_killed_worker_costs_its_own_call_one_rejoin_and_no_other_call_anything(tmp_path: Path) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    async with calls_over(workers=2) as (calls, engine, page):
        pairs = {visit: (page(CUSTOMER, visit), page(CLERK, f"clerk-of-{visit}")) for visit in ("v", "w")}
        for visit, (customer, clerk) in pairs.items():
            await customer.join()
            await calls.bring_together(visit, clerk.owner, Recording(tmp_path / visit, recipient, 1))
            await clerk.join()
        for customer, clerk in pairs.values():
            await until(lambda c=customer, d=clerk: c.hears_since(0) and d.hears_since(0), "both calls run")  # type: ignore[misc]
        hit = engine.worker_of("customer-v")
        assert hit is not None
        assert engine.worker_of("customer-w") != hit
        killed_s = time.monotonic()
        os.kill(hit, signal.SIGKILL)
        noticed_s = await until(lambda: calls.line(CUSTOMER, "v") is Line.LOST, "the pages are told")
        assert noticed_s < 1
        assert calls.line(CUSTOMER, "w") is Line.OK
        back_s = await until(
            lambda: all(p.joins == 2 and p.hears_since(killed_s + 0.5) for p in pairs["v"]), "both sides are back"
        )
        print(f"noticed after {noticed_s:.3f} s, both sides heard and seen again after {back_s:.2f} s")
        assert [p.joins for p in pairs["w"]] == [1, 1]
        await until(lambda: all(p.hears_since(killed_s + 0.5) for p in pairs["w"]), "the other call goes on", 2)
        tracks = await calls.part("v")
    parts = [track.name for track in tracks if track.role == CUSTOMER]
    assert parts[-1] in ("customer-1", "customer-1.2")  # a second part where the first had a durable segment


async def test_both_pages_that_join_at_once_stand_on_one_worker(tmp_path: Path) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    async with calls_over(workers=2) as (calls, engine, page):
        await calls.bring_together("v", "c", Recording(tmp_path, recipient, 1))
        customer, clerk = page(CUSTOMER, "v"), page(CLERK, "c")
        await customer.join()
        await clerk.join()
        await until(lambda: customer.hears_since(0) and clerk.hears_since(0), "each hears the other")
        assert engine.worker_of("clerk-c") == engine.worker_of("customer-v")
        assert clerk.joins == 1
        await calls.part("v")
