"""Who is asking: a customer by the visit's token, a kiosk by its certificate, a clerk by the session cookie."""

from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Depends, Request, Response
from sqlalchemy import Connection
from starlette.requests import HTTPConnection

from counter_server.errors import CounterError
from counter_server.people import clerks, kiosks
from counter_server.people.kiosks import Kiosk
from counter_server.visits import invitations, phone_keys, store, supervision, views
from counter_server.visits.facts import Visit
from counter_server.visits.office import Office
from counter_server.visits.once import once
from webrtc.wire.catalogue import Channel
from webrtc.wire.console import ClerkView, ConsoleView
from webrtc.wire.message import ErrorCode
from webrtc.wire.passkey import PhoneKey
from webrtc.wire.third_person import RunningCall, ThirdPerson
from webrtc.wire.visit import TicketView, VisitView

SESSION_COOKIE = "counter_session"
BOUND_COOKIE = "__Host-counter_session"  # RFC 6265bis §4.1.3.2: over TLS, neighbours under one domain cannot set it


def office_of(connection: HTTPConnection) -> Office:
    """The running office."""
    return cast(Office, connection.app.state.office)


def bearer(connection: HTTPConnection) -> str:
    """The token of the Authorization header.

    Raises:
        CounterError: NOT_LOGGED_IN without one.
    """
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise CounterError(ErrorCode.NOT_LOGGED_IN)
    return token


async def kiosk_of(connection: HTTPConnection) -> Kiosk | None:
    """The kiosk at the other end of this TLS connection; None for everybody who came by the public door.

    Raises:
        CounterError: NOT_ALLOWED for a certificate that is not (or no longer) enrolled.
    """
    certificate = connection.scope.get("peer_certificate")
    if certificate is None:
        return None
    found = await office_of(connection).db.run(kiosks.find, certificate)
    if found is None:
        raise CounterError(ErrorCode.NOT_ALLOWED, "this kiosk is not enrolled")
    return found


async def visit_for(connection: HTTPConnection, visit_id: str, token: str) -> Visit:
    """The visit of whoever holds its token, through the door it was opened by.

    Raises:
        CounterError: NOT_LOGGED_IN, or NOT_ALLOWED through another door.
    """
    kiosk = await kiosk_of(connection)
    visit = await office_of(connection).db.run(store.load_for, visit_id, token)
    if visit.kiosk_id != (None if kiosk is None else kiosk.kiosk_id):
        raise CounterError(ErrorCode.NOT_ALLOWED, "this visit was opened at another door")
    return visit


async def my_visit(request: Request, visit_id: str) -> Visit:
    """Dependency: the visit in the path, for its customer."""
    visit = await visit_for(request, visit_id, bearer(request))
    office_of(request).customers.heard(visit_id)
    return visit


def session_cookie(office: Office) -> str:
    """The name of the session's cookie, which over TLS says where it came from."""
    return BOUND_COOKIE if office.settings.url.startswith("https:") else SESSION_COOKIE


async def clerk_of(connection: HTTPConnection, *, acting: bool = True) -> ClerkView:
    """Dependency: the clerk whose session this is.

    Args:
        acting: False for a look that nobody asked for, which does not keep a session from growing idle.

    Raises:
        CounterError: NOT_LOGGED_IN.
    """
    office = office_of(connection)
    token = connection.cookies.get(session_cookie(office))
    if not token:
        raise CounterError(ErrorCode.NOT_LOGGED_IN)
    return await office.db.run(clerks.who, token, office.settings.patience, acting=acting)


async def clerk_of_request(request: Request) -> ClerkView:
    """As `clerk_of`, for FastAPI's dependency injection, which wants a Request."""
    return await clerk_of(request)


MyVisit = Annotated[Visit, Depends(my_visit)]
Clerk = Annotated[ClerkView, Depends(clerk_of_request)]


def channel_of(kiosk: Kiosk | None) -> Channel:
    """Which door this is."""
    return Channel.PHONE if kiosk is None else Channel.KIOSK


async def view_of(office: Office, visit_id: str) -> VisitView:
    """The visit as its customer sees it now."""
    ready = office.clerks_ready()

    present, told = office.calls.supervision_of(visit_id), office.settings.patience.supervision_told

    def read(connection: Connection) -> tuple[Visit, TicketView | None, ThirdPerson | None, PhoneKey]:
        visit = store.load(connection, visit_id)
        third = supervision.third_person(connection, present, told, to_clerk=False)
        key = phone_keys.possible(connection, office, visit)
        return visit, views.ticket_view(connection, visit, ready), third, key

    visit, ticket, third, key = await office.db.run(read)
    identity, version = office.continuity.get(visit_id), office.versions.next()
    return views.customer_view(visit, ticket, office.catalogue, office.calls, version, identity, third, key)


async def console_of(office: Office, clerk: ClerkView) -> ConsoleView:
    """The console as this clerk sees it now.

    Who they are is looked up anew: a passkey may have come since the page connected.
    """
    told = office.settings.patience.supervision_told

    identities = dict(office.continuity)

    def read(connection: Connection) -> ConsoleView:
        myself = clerks.view(connection, clerk.clerk_id)
        mine = store.visit_of_clerk(connection, clerk.clerk_id)
        present = None if mine is None else office.calls.supervision_of(mine.visit_id)
        running: tuple[RunningCall, ...] = ()
        if "supervisor" in myself.roles:
            joined = office.calls.supervised_by(clerk.clerk_id)
            running = supervision.running_calls(connection, office.catalogue, joined, clerk.clerk_id)
        view = views.console_view(
            connection,
            myself,
            office.evidence,
            office.catalogue,
            office.calls,
            office.versions.next(),
            identities,
            supervision.third_person(connection, present, told, to_clerk=True),
            running,
        )
        return view.model_copy(update=invitations.seen_by(connection, office, clerk))

    return await office.db.run(read)


async def act_once(request: Request, visit: Visit, act: Callable[[Office], Awaitable[None]]) -> Response:
    """Do it once, however often it is asked for; answered with the visit as it is then."""
    office = office_of(request)

    async def act_and_look() -> VisitView:
        await act(office)
        return await view_of(office, visit.visit_id)

    return await once(office, visit.visit_id, request, act_and_look)
