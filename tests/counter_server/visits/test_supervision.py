"""Who may take part in a call, what the journal says of it, and who is told."""

from pathlib import Path

import pytest

from counter_server.calls.seats import Recording
from counter_server.calls.third_person import Supervision
from counter_server.config import Patience, Told
from counter_server.errors import CounterError
from counter_server.visits import desk, store, supervision
from counter_server.visits.doors import console_of, view_of
from counter_server.visits.office import Office
from tests.counter_server.builders import add_clerk, office_in, waiting
from webrtc.wire.call import SetCall
from webrtc.wire.console import ClerkView
from webrtc.wire.third_person import Supervise, SupervisionMode


async def in_call(office: Office, home: Path) -> tuple[str, ClerkView, ClerkView]:
    """A visit that a clerk serves, the clerk, and a supervisor."""
    clerk, boss = await add_clerk(office, "zhang"), await add_clerk(office, "wu", "supervisor")
    visit = await waiting(office, "replace-card")
    await desk.take(office, clerk, None)
    await office.calls.bring_together(visit.visit_id, clerk.clerk_id, Recording(home, "age1", 1))
    return visit.visit_id, clerk, boss


async def events(office: Office, visit_id: str) -> list[tuple[str, str, dict[str, str]]]:
    journal = await office.db.run(store.read_journal_of, visit_id)
    return [(entry.actor_role, entry.event, dict(entry.details)) for entry in journal]


async def test_each_manner_is_journaled_and_both_are_told_by_default(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit_id, clerk, boss = await in_call(office, tmp_path)
        assert [call.visit_id for call in (await console_of(office, boss)).calls] == [visit_id]
        assert (await console_of(office, clerk)).calls == ()
        for mode in (SupervisionMode.LISTEN, SupervisionMode.WHISPER, SupervisionMode.JOIN, None):
            await supervision.supervise(office, boss, visit_id, Supervise(mode=mode))
            seen, console = await view_of(office, visit_id), await console_of(office, clerk)
            assert console.visit is not None
            if mode is None:
                assert seen.third is None
                assert console.visit.third is None
            else:
                assert console.visit.third is not None
                assert console.visit.third.mode is mode
                assert seen.third is not None
                # a whisper is the clerk's alone; the customer knows that somebody listens
                heard = mode is SupervisionMode.JOIN
                assert seen.third.mode is (SupervisionMode.JOIN if heard else SupervisionMode.LISTEN)
        written = [(event, details) for role, event, details in await events(office, visit_id) if role == "supervisor"]
        assert written == [
            ("supervision_listen", {"told": "both"}),
            ("supervision_whisper", {"told": "both"}),
            ("supervision_join", {"told": "both"}),
            ("supervision_left", {}),
        ]


async def test_policy_may_keep_listening_quiet_but_never_a_voice(tmp_path: Path) -> None:
    async with office_in(tmp_path, Patience(supervision_told=Told.NOBODY)) as office:
        visit_id, clerk, boss = await in_call(office, tmp_path)
        for mode, clerk_knows, customer_knows in (
            (Supervision.LISTEN, False, False),
            (Supervision.WHISPER, True, False),
            (Supervision.JOIN, True, True),
        ):
            await supervision.supervise(office, boss, visit_id, Supervise(mode=SupervisionMode(mode.value)))
            console = await console_of(office, clerk)
            assert console.visit is not None
            assert (console.visit.third is not None) == clerk_knows
            assert ((await view_of(office, visit_id)).third is not None) == customer_knows


async def test_who_is_no_supervisor_or_serves_the_visit_is_refused_and_a_second_one_too(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit_id, clerk, boss = await in_call(office, tmp_path)
        listen = Supervise(mode=SupervisionMode.LISTEN)
        other = await add_clerk(office, "li", "supervisor")
        for who, code in ((clerk, "not_allowed"), (other, "wrong_step")):
            if who is other:
                await supervision.supervise(office, boss, visit_id, listen)
            with pytest.raises(CounterError) as refused:
                await supervision.supervise(office, who, visit_id, listen)
            assert refused.value.code.value == code
        with pytest.raises(CounterError) as refused:
            await supervision.set_call(office, boss, visit_id, SetCall(held=True, muted=False))
        assert refused.value.code.value == "not_allowed"


async def test_waiting_and_a_microphone_that_is_off_are_shown_and_journaled(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit_id, clerk, _ = await in_call(office, tmp_path)
        await supervision.set_call(office, clerk, visit_id, SetCall(held=True, muted=True))
        seen = await view_of(office, visit_id)
        assert (seen.held, seen.clerk_muted) == (True, True)
        await supervision.set_call(office, clerk, visit_id, SetCall(held=False, muted=True))
        written = [event for role, event, _ in await events(office, visit_id) if role == "clerk"]
        assert written[-3:] == ["call_held", "microphone_off", "call_resumed"]
