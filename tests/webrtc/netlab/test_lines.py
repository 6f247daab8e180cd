"""Calls of real browsers in network namespaces: loss, a narrow viewer, another address. The whole is `bench video`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from webrtc.aio.pass_engine import PassEngine
from webrtc.engine import LegClosed, LineBack, LineLost
from webrtc.proving.network import Network, usable
from webrtc.proving.people import KIOSK_ARGUMENTS, Person, look_back, people

pytestmark = pytest.mark.skipif(usable() is not None, reason=usable() or "")


@asynccontextmanager
async def call(*more_arguments: str) -> AsyncIterator[tuple[Network, PassEngine, Person, Person]]:
    """Customer and clerk, each on a host of their own, see each other."""
    with Network(("customer", "clerk")) as network:
        engine = PassEngine(host_addresses=[network.address])
        await engine.start()
        try:
            async with people(network, engine, more_arguments=more_arguments) as everybody:
                customer, clerk = everybody["customer"], everybody["clerk"]
                await customer.join("room")
                await clerk.join("room")
                await engine.attach(customer.leg_id, clerk.leg_id)
                await engine.attach(clerk.leg_id, customer.leg_id)
                yield network, engine, customer, clerk
        finally:
            await engine.stop()


async def test_a_call_bears_loss_and_a_new_address() -> None:
    async with call() as (network, _, customer, clerk):
        await asyncio.sleep(3)
        for host in network:
            host.lose(up=0.1, down=0.1)
        sight = await clerk.look(8)
        for host in network:
            host.mend()
        network.hosts["customer"].move()
        await asyncio.sleep(2.2)  # Chromium looks at its interfaces 2 s after a change
        since_ms = float(await clerk.page.evaluate("(take(), Date.now())"))
        await customer.restart()
        back_s = await clerk.next_picture_s(since_ms, 10)

    assert sight.pictures > 8  # it goes on; how well is the bench's to say, on a machine that does nothing else
    assert (sight.broken, sight.out_of_order) == (0, 0)
    assert back_s is not None


async def test_a_kiosk_whose_address_changes_and_whose_line_was_gone_goes_on_without_being_asked() -> None:
    async with call(*KIOSK_ARGUMENTS) as (network, engine, customer, clerk):
        host = network.hosts["customer"]
        await asyncio.sleep(2)
        for change in (host.move, host.cut):
            since_ms = float(await clerk.page.evaluate("(take(), Date.now())"))
            change()
            if change == host.cut:
                await asyncio.sleep(8)  # Chromium says "disconnected" after 6.5 s
                since_ms = float(await clerk.page.evaluate("(take(), Date.now())"))
                host.mend()
            drawn = int(await customer.page.evaluate("number"))
            assert await clerk.next_picture_s(since_ms, 10, after=drawn) is not None
        told = [type(event) for event in customer.told]
        assert engine.healthy

    assert LegClosed not in told
    assert told[-2:] == [LineLost, LineBack]


async def test_a_narrow_viewer_is_followed() -> None:
    async with call() as (network, engine, customer, clerk):
        await asyncio.sleep(5)
        network.hosts["clerk"].narrow(700)
        await asyncio.sleep(8)
        before = await asyncio.gather(customer.figures(), clerk.figures())
        sight = await clerk.look(4)
        after = await asyncio.gather(customer.figures(), clerk.figures())
        limit = engine._legs[clerk.leg_id].senders["video"]._limit.limit_bps
    assert limit is not None
    assert limit < 800_000
    sent, decoded = (after[side][what] - before[side][what] for side, what in enumerate(("sent", "decoded")))
    assert decoded > 0.8 * sent  # of what the camera of a busy machine makes; nobody following, it is none at all
    assert sight.pictures > sent / 2  # the page of a busy machine comes to look at fewer than it decodes
    assert sight.broken == 0


def test_pauses_and_order_are_counted() -> None:
    seen = [(100.0, 1), (133.0, 2), (900.0, 3), (933.0, -1), (966.0, 2)]
    sight = look_back(seen, 100.0, 1000.0)
    assert (sight.pictures, sight.out_of_order, sight.broken) == (5, 1, 1)
    assert sight.longest_freeze_s == pytest.approx(0.767)
    assert sight.frozen_s == pytest.approx(0.767)
