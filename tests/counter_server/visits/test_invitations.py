"""A clerk asks a colleague into the call: who may be asked, what the journal says, and what the customer reads."""

from pathlib import Path

import pytest

from counter_server.calls.seats import Recording
from counter_server.errors import CounterError
from counter_server.visits import desk, invitations, store
from counter_server.visits.doors import console_of, view_of
from counter_server.visits.office import Office
from tests.counter_server.builders import add_clerk, office_in, waiting
from webrtc.wire.console import ClerkView
from webrtc.wire.third_person import AnswerInvitation, Invite, ThirdKind


async def in_call(office: Office, home: Path) -> tuple[str, ClerkView]:
    """A visit that a clerk serves."""
    clerk = await add_clerk(office, "zhang")
    visit = await waiting(office, "replace-card")
    await desk.take(office, clerk, None)
    await office.calls.bring_together(visit.visit_id, clerk.clerk_id, Recording(home, "age1", 1))
    office.clerks.heard(clerk.clerk_id)
    return visit.visit_id, clerk


async def at_console(office: Office, username: str, *roles: str) -> ClerkView:
    """Somebody logged in with their console open."""
    person = await add_clerk(office, username, *roles)
    office.clerks.heard(person.clerk_id)
    return person


async def events(office: Office, visit_id: str) -> list[tuple[str, str]]:
    journal = await office.db.run(store.read_journal_of, visit_id)
    return [(entry.actor_role, entry.event) for entry in journal]


async def test_an_interpreter_comes_in_is_told_of_and_leaves(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit_id, clerk = await in_call(office, tmp_path)
        voice = await at_console(office, "anna", "interpreter")
        await at_console(office, "auditor", "auditor")
        await add_clerk(office, "away", "interpreter")
        assert [c.clerk_id for c in (await console_of(office, clerk)).colleagues] == [voice.clerk_id]

        await invitations.invite(office, clerk, visit_id, Invite(clerk_id=voice.clerk_id))
        assert (await console_of(office, clerk)).invited == voice.clerk_id
        asked = (await console_of(office, voice)).invitation
        assert asked is not None
        assert not asked.joined
        assert (await view_of(office, visit_id)).third is None, "nobody is there yet"

        await invitations.answer(office, voice, visit_id, AnswerInvitation(accept=True))
        seen = (await view_of(office, visit_id)).third
        assert seen is not None
        assert seen.kind is ThirdKind.INTERPRETER
        inside = await console_of(office, voice)
        assert inside.invitation is not None
        assert inside.invitation.joined
        assert [call.visit_id for call in inside.calls] == [visit_id]

        await invitations.answer(office, voice, visit_id, AnswerInvitation(accept=False))
        assert (await view_of(office, visit_id)).third is None
        assert (await console_of(office, voice)).invitation is None
        assert (await events(office, visit_id))[-3:] == [
            ("clerk", "invited"),
            ("interpreter", "invitation_accepted"),
            ("interpreter", "third_person_left"),
        ]


async def test_an_invitation_may_be_declined_or_taken_back_and_opens_no_door_afterwards(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit_id, clerk = await in_call(office, tmp_path)
        second = await at_console(office, "li")
        for declined in (True, False):
            await invitations.invite(office, clerk, visit_id, Invite(clerk_id=second.clerk_id))
            if declined:
                await invitations.answer(office, second, visit_id, AnswerInvitation(accept=False))
            else:
                await invitations.invite(office, clerk, visit_id, Invite(clerk_id=None))
            assert (await console_of(office, second)).invitation is None
            with pytest.raises(CounterError) as refused:
                await invitations.answer(office, second, visit_id, AnswerInvitation(accept=True))
            assert refused.value.code.value == "not_allowed"
        assert office.calls.supervision_of(visit_id) is None


async def test_only_the_serving_clerk_asks_and_only_somebody_who_is_free_comes(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        visit_id, clerk = await in_call(office, tmp_path)
        stranger = await at_console(office, "li")
        auditor = await at_console(office, "auditor", "auditor")
        away = await add_clerk(office, "away", "interpreter")
        for who, whom, code in (
            (stranger, clerk, "not_allowed"),
            (clerk, auditor, "wrong_step"),
            (clerk, away, "wrong_step"),
            (clerk, clerk, "wrong_step"),
        ):
            with pytest.raises(CounterError) as refused:
                await invitations.invite(office, who, visit_id, Invite(clerk_id=whom.clerk_id))
            assert refused.value.code.value == code
        await invitations.invite(office, clerk, visit_id, Invite(clerk_id=stranger.clerk_id))
        await waiting(office, "replace-card")
        await desk.take(office, stranger, None)  # meanwhile busy
        with pytest.raises(CounterError) as refused:
            await invitations.answer(office, stranger, visit_id, AnswerInvitation(accept=True))
        assert refused.value.code.value == "wrong_step"
