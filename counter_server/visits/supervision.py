"""What a clerk may do with the call besides talking, and a supervisor who takes part: journaled before it happens."""

from sqlalchemy import Connection

from counter_server.calls.third_person import Supervision
from counter_server.catalogue.catalogue import Catalogue
from counter_server.config import Told
from counter_server.errors import CounterError
from counter_server.hub import CONSOLES
from counter_server.people import clerks
from counter_server.queue import service as queue
from counter_server.visits import store
from counter_server.visits.facts import Visit
from counter_server.visits.machine import WITH_CLERK
from counter_server.visits.office import Office
from webrtc.wire.call import SetCall
from webrtc.wire.console import ClerkView
from webrtc.wire.message import ErrorCode
from webrtc.wire.third_person import RunningCall, Supervise, SupervisionMode, ThirdKind, ThirdPerson


async def set_call(office: Office, clerk: ClerkView, visit_id: str, request: SetCall) -> None:
    """Let the customer wait or take them back; the own microphone off or on.

    Raises:
        CounterError: NOT_ALLOWED for another clerk's visit, WRONG_STEP outside of a call.
    """
    actor = store.Actor("clerk", clerk.clerk_id)

    def write(connection: Connection) -> bool:
        visit = store.load(connection, visit_id)
        if visit.clerk_id != clerk.clerk_id:
            raise CounterError(ErrorCode.NOT_ALLOWED)
        if visit.state not in WITH_CLERK:
            raise CounterError(ErrorCode.WRONG_STEP)
        update = {"held": request.held, "muted": request.muted}
        if visit.held != request.held:
            store.note(connection, visit_id, actor, "call_held" if request.held else "call_resumed")
        if visit.muted != request.muted:
            store.note(connection, visit_id, actor, "microphone_off" if request.muted else "microphone_on")
        store.save(connection, store.load(connection, visit_id).model_copy(update=update))
        return visit.held != request.held

    if await office.db.run(write):
        await office.calls.hold(visit_id, held=request.held)
    office.changed(visit_id)


async def supervise(office: Office, supervisor: ClerkView, visit_id: str, request: Supervise) -> None:
    """Listen, whisper, join, or leave. The journal comes first: what cannot be written does not happen.

    Raises:
        CounterError: NOT_ALLOWED without the role, WRONG_STEP where there is no call or somebody else supervises it.
    """
    if "supervisor" not in supervisor.roles:
        raise CounterError(ErrorCode.NOT_ALLOWED)
    actor = store.Actor("supervisor", supervisor.clerk_id)
    present = office.calls.supervision_of(visit_id)
    if request.mode is None:
        if present is not None and present[0] == supervisor.clerk_id:
            await office.calls.end_supervision(visit_id)
            await office.db.run(store.note, visit_id, actor, "supervision_left")
        office.changed(visit_id)
        return

    def write(connection: Connection) -> None:
        visit = store.load(connection, visit_id)
        if visit.state not in WITH_CLERK or visit.clerk_id == supervisor.clerk_id:
            raise CounterError(ErrorCode.WRONG_STEP)
        if present is not None and present[0] != supervisor.clerk_id:
            raise CounterError(ErrorCode.WRONG_STEP, "another supervisor is in this call")
        told = office.settings.patience.supervision_told.value
        store.note(connection, visit_id, actor, f"supervision_{request.mode}", details={"told": told})

    await office.db.run(write)
    await office.calls.supervise(visit_id, supervisor.clerk_id, Supervision(request.mode.value))
    office.changed(visit_id)
    office.hub.changed(CONSOLES)


def third_person(
    connection: Connection, present: tuple[str, Supervision] | None, told: Told, *, to_clerk: bool
) -> ThirdPerson | None:
    """Who else is in the call, for this side: whoever is spoken to knows; of listening policy decides."""
    if present is None:
        return None
    supervisor, how = present
    hears = how is Supervision.JOIN or (to_clerk and how is Supervision.WHISPER)
    if not hears and (told is Told.NOBODY or (told is Told.CLERK and not to_clerk)):
        return None
    # The customer is not told that the clerk is whispered to, but that somebody listens
    mode = SupervisionMode(how.value) if hears or to_clerk else SupervisionMode.LISTEN
    seen = clerks.view(connection, supervisor)
    return ThirdPerson(name=seen.name, mode=mode, kind=kind_of(seen))


def kind_of(clerk: ClerkView) -> ThirdKind:
    """What this clerk would be in somebody else's call."""
    if "supervisor" in clerk.roles:
        return ThirdKind.SUPERVISOR
    return ThirdKind.INTERPRETER if "interpreter" in clerk.roles else ThirdKind.COLLEAGUE


def running_calls(
    connection: Connection, catalogue: Catalogue, mine: tuple[str, Supervision] | None, clerk_id: str
) -> tuple[RunningCall, ...]:
    """Every call but one's own, oldest visit first."""

    def row(visit: Visit) -> RunningCall:
        how = SupervisionMode(mine[1].value) if mine is not None and mine[0] == visit.visit_id else None
        return RunningCall(
            visit_id=visit.visit_id,
            ticket_number=queue.number_of(connection, visit.visit_id),
            service_title=catalogue[visit.service_id].title,
            clerk_name=visit.clerk_name or "",
            mode=how,
        )

    return tuple(row(visit) for visit in store.in_states(connection, WITH_CLERK) if visit.clerk_id != clerk_id)
