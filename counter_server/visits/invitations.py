"""A clerk asks an interpreter, a colleague or a supervisor into the call: journaled, and told to the customer."""

from typing import Any

from sqlalchemy import Connection

from counter_server.calls.third_person import Supervision
from counter_server.errors import CounterError
from counter_server.hub import CONSOLES
from counter_server.people import clerks
from counter_server.queue import service as queue
from counter_server.visits import store, supervision
from counter_server.visits.machine import FINAL, WITH_CLERK
from counter_server.visits.office import Office
from webrtc.wire.console import ClerkView
from webrtc.wire.message import ErrorCode
from webrtc.wire.third_person import AnswerInvitation, Colleague, InvitationView, Invite

MAY_BE_INVITED = frozenset({"clerk", "interpreter", "supervisor"})


async def invite(office: Office, clerk: ClerkView, visit_id: str, request: Invite) -> None:
    """Ask this colleague in, or take the question back.

    Raises:
        CounterError: NOT_ALLOWED for another clerk's visit or a colleague without a fitting role; WRONG_STEP outside of
            a call, where somebody takes part already, or when the colleague is busy or away.
    """
    actor = store.Actor("clerk", clerk.clerk_id)
    asked_before = office.calls.invited(visit_id)

    def write(connection: Connection) -> None:
        visit = store.load(connection, visit_id)
        if visit.clerk_id != clerk.clerk_id:
            raise CounterError(ErrorCode.NOT_ALLOWED)
        if request.clerk_id is None:
            store.note(connection, visit_id, actor, "invitation_withdrawn")
            return
        if visit.state not in WITH_CLERK or office.calls.supervision_of(visit_id) is not None:
            raise CounterError(ErrorCode.WRONG_STEP)
        if request.clerk_id not in {one.clerk_id for one in _free(connection, office, clerk)}:
            raise CounterError(ErrorCode.WRONG_STEP, "this colleague is not free")
        kind = supervision.kind_of(clerks.view(connection, request.clerk_id))
        details = {"colleague": request.clerk_id, "kind": kind.value}
        store.note(connection, visit_id, actor, "invited", details=details)

    if request.clerk_id is not None or asked_before is not None:
        await office.db.run(write)
        office.calls.invite(visit_id, request.clerk_id)
        office.changed(visit_id)
        office.hub.changed(CONSOLES)


async def answer(office: Office, colleague: ClerkView, visit_id: str, request: AnswerInvitation) -> None:
    """Come in, decline, or leave again.

    Raises:
        CounterError: NOT_ALLOWED for somebody who was not invited; WRONG_STEP when the call is over or the colleague
            serves somebody.
    """
    kind = supervision.kind_of(colleague)
    actor = store.Actor(kind.value, colleague.clerk_id)
    inside = office.calls.supervision_of(visit_id)
    if inside is not None and inside[0] == colleague.clerk_id and not request.accept:
        await office.calls.end_supervision(visit_id)
        await office.db.run(store.note, visit_id, actor, "third_person_left")
        office.changed(visit_id)
        return
    if office.calls.invited(visit_id) != colleague.clerk_id:
        raise CounterError(ErrorCode.NOT_ALLOWED)

    def write(connection: Connection) -> None:
        if not request.accept:
            store.note(connection, visit_id, actor, "invitation_declined")
            return
        if store.load(connection, visit_id).state not in WITH_CLERK or _serves(connection, colleague.clerk_id):
            raise CounterError(ErrorCode.WRONG_STEP)
        store.note(connection, visit_id, actor, "invitation_accepted")

    await office.db.run(write)
    office.calls.invite(visit_id, None)
    if request.accept:
        await office.calls.supervise(visit_id, colleague.clerk_id, Supervision.JOIN, kind.value)
    office.changed(visit_id)
    office.hub.changed(CONSOLES)


def seen_by(connection: Connection, office: Office, clerk: ClerkView) -> dict[str, Any]:
    """What a console shows of it: fields of `ConsoleView`."""
    seen: dict[str, Any] = {}
    mine = store.visit_of_clerk(connection, clerk.clerk_id)
    if mine is not None and mine.state in WITH_CLERK:
        seen["colleagues"] = _free(connection, office, clerk)
        seen["invited"] = office.calls.invited(mine.visit_id)
    inside = office.calls.supervised_by(clerk.clerk_id)
    visit_id = office.calls.invitation_of(clerk.clerk_id)
    if visit_id is None and inside is not None and "supervisor" not in clerk.roles:
        visit_id = inside[0]
        running = supervision.running_calls(connection, office.catalogue, inside, clerk.clerk_id)
        seen["calls"] = tuple(call for call in running if call.mode is not None)
    if visit_id is not None:
        visit = store.load(connection, visit_id)
        seen["invitation"] = InvitationView(
            visit_id=visit_id,
            ticket_number=queue.number_of(connection, visit_id),
            service_title=office.catalogue[visit.service_id].title,
            clerk_name=visit.clerk_name or "",
            language=visit.language,
            joined=inside is not None and inside[0] == visit_id,
        )
    return seen


def _serves(connection: Connection, clerk_id: str) -> bool:
    visit = store.visit_of_clerk(connection, clerk_id)
    return visit is not None and visit.state not in FINAL


def _free(connection: Connection, office: Office, clerk: ClerkView) -> tuple[Colleague, ...]:
    """Colleagues at their consoles who serve nobody and take part in no call, by name."""
    limit_s = office.settings.patience.clerk_gone_s
    here = [one for one in office.clerks.heard_s if not office.clerks.gone(one, limit_s) and one != clerk.clerk_id]
    free = [
        clerks.view(connection, one)
        for one in here
        if office.calls.supervised_by(one) is None and not _serves(connection, one)
    ]
    fitting = [one for one in free if MAY_BE_INVITED & set(one.roles)]
    return tuple(
        Colleague(clerk_id=one.clerk_id, name=one.name, kind=supervision.kind_of(one))
        for one in sorted(fitting, key=lambda one: one.name)
    )
