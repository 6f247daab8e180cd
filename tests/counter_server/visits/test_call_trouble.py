"""Calls that end while they begin: nobody is recorded on."""

import asyncio
from pathlib import Path

import pytest

from counter_server.calls.rooms import Calls
from counter_server.calls.seats import CLERK, CUSTOMER, Recording
from counter_server.errors import CounterError
from counter_server.visits import customer, desk
from tests.counter_server.builders import (
    add_clerk,
    office_in,
    waiting,
)
from webrtc.engine import LegConnected, LegOffer, MediaEvent, RecordedTrack
from webrtc.errors import MediaError


class Engine:
    """A media engine whose legs exist in name only; `broken` rooms cannot end their recording."""

    healthy = True

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.broken: set[str] = set()
        self.events: asyncio.Queue[MediaEvent] = asyncio.Queue()
        self.before_offer: list[asyncio.Event] = []

    async def create_leg(self, room: str, role: str, near: str | None = None) -> LegOffer:
        for gate in self.before_offer:
            await gate.wait()
        return LegOffer(f"leg-{room}", "v=0")

    async def end_recording(self, room: str) -> tuple[RecordedTrack, ...]:
        self.calls.append(("end_recording", room))
        if room in self.broken:
            raise MediaError("disk")
        return ()

    async def next_event(self) -> MediaEvent:
        return await self.events.get()

    def __getattr__(self, name: str) -> object:
        async def act(*arguments: object, **_more: object) -> None:
            self.calls.append((name, *(str(argument) for argument in arguments)))

        return act


async def both_in_a_call(engine: Engine, folder: Path) -> Calls:
    calls = Calls(engine, lambda _: None, lambda _v, _p: None)  # type: ignore[arg-type]  # see Engine
    listening = asyncio.create_task(calls.listen())
    for role, owner in ((CUSTOMER, "v"), (CLERK, "c")):
        offer = await calls.join(role, owner)
        await engine.events.put(LegConnected(offer.leg_id))
    await asyncio.sleep(0.01)
    await calls.bring_together("v", "c", Recording(folder, "age1", 1))
    listening.cancel()
    return calls


async def test_one_sides_broken_recording_does_not_keep_the_other_side_recorded(tmp_path: Path) -> None:
    engine = Engine()
    calls = await both_in_a_call(engine, tmp_path)
    engine.broken = {"customer-v"}
    with pytest.raises(CounterError):
        await calls.part("v")
    assert ("end_recording", "clerk-c") in engine.calls
    assert {call for call in engine.calls if call[0] == "detach"} == {
        ("detach", "leg-customer-v"),
        ("detach", "leg-clerk-c"),
    }


async def test_a_page_that_joins_while_its_call_is_hung_up_leaves_no_leg(tmp_path: Path) -> None:
    engine = Engine()
    calls = Calls(engine, lambda _: None, lambda _v, _p: None)  # type: ignore[arg-type]  # see Engine
    gate = asyncio.Event()
    engine.before_offer.append(gate)
    joining = asyncio.create_task(calls.join(CUSTOMER, "v"))
    await asyncio.sleep(0.01)
    await calls.leave(CUSTOMER, "v")
    gate.set()
    with pytest.raises(CounterError):
        await joining
    assert ("close_leg", "leg-customer-v") in engine.calls


async def test_a_visit_cancelled_while_its_call_begins_is_not_recorded_on(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        clerk = await add_clerk(office, "zhang")
        visit = await waiting(office, "replace-card")
        wire = office.calls.bring_together

        async def late(visit_id: str, clerk_id: str, recording: Recording) -> None:
            await customer.cancel(office, visit_id)
            await wire(visit_id, clerk_id, recording)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(office.calls, "bring_together", late)
            await desk.take(office, clerk, None)
        assert office.calls._pairs == {}
        assert visit.visit_id not in office.evidence
