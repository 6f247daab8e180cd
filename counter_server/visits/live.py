"""The live channel: views and guidance to the page, signalling and the face check from it.

One WebSocket per page. It carries no truth: a page that lost it connects again and is shown everything anew.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import TypeAdapter, ValidationError

from counter_server.calls.seats import CHECK, CLERK, CUSTOMER
from counter_server.errors import CounterError
from counter_server.hub import CONSOLES, visit_topic
from counter_server.visits import face_attempt, store
from counter_server.visits.doors import clerk_of, console_of, office_of, view_of, visit_for
from counter_server.visits.facts import Visit
from counter_server.visits.machine import FINAL, WITH_CLERK
from counter_server.visits.office import Office
from webrtc.wire.call import (
    Answer,
    CallPart,
    Candidate,
    DeviceTrouble,
    IceServer,
    JoinCall,
    LineCheck,
    OfferMessage,
    RejoinMessage,
    RestartLeg,
    ShowPicture,
)
from webrtc.wire.face import AskAnotherMovement, Guidance, StartFace, StopColours
from webrtc.wire.live import ConsoleMessage, ErrorMessage, FromPage, GuidanceMessage, Hello, Ping, ViewMessage
from webrtc.wire.message import ErrorBody, ErrorCode, Message

router = APIRouter(prefix="/api")

HELLO_WITHIN_S = 10.0
WAITING_TIMES_EVERY_S = 5.0  # a page counts seconds itself; this corrects it
MOST_TEXT = 70_000  # an SDP answer with its candidates is below 20 KB

CLOSE_NOT_ALLOWED, CLOSE_BAD_MESSAGE, CLOSE_TOO_BIG = 4401, 4400, 1009

_from_page: TypeAdapter[FromPage] = TypeAdapter(FromPage)


@router.websocket("/visits/{visit_id}/live")
async def customer_live(socket: WebSocket, visit_id: str) -> None:
    """A customer's page."""
    await socket.accept()
    office = office_of(socket)
    try:
        hello = await asyncio.wait_for(_read(socket), HELLO_WITHIN_S)
        if not isinstance(hello, Hello):
            raise CounterError(ErrorCode.NOT_LOGGED_IN)
        await visit_for(socket, visit_id, hello.visit_token)
    except CounterError as error:
        await _refuse(socket, error.body())
        return
    except TimeoutError:
        await _refuse(socket, ErrorBody(code=ErrorCode.NOT_LOGGED_IN, message="no hello"))
        return
    except WebSocketDisconnect:
        return

    async def speak() -> None:
        last: str | None = None
        told: Guidance | None = None
        called = office.calls.called_anew(CUSTOMER, visit_id)
        with office.hub.listening(visit_topic(visit_id), CONSOLES) as changed:
            while True:
                view = await view_of(office, visit_id)
                bare = view.model_copy(update={"version": 0}).model_dump_json()
                if bare != last:
                    last = bare
                    await socket.send_text(ViewMessage(view=view).model_dump_json())
                guidance = office.guidance.get(visit_id)
                if guidance is not None and guidance != told:
                    told = guidance
                    await socket.send_text(GuidanceMessage(guidance=guidance).model_dump_json())
                called = await _call_anew(office, CUSTOMER, visit_id, called, socket)
                await _next_change(changed)

    async def hear(message: Message) -> None:
        office.customers.heard(visit_id)
        await _from_customer(office, visit_id, message, socket)

    office.customers.heard(visit_id)
    await _converse(socket, speak, hear)


@router.websocket("/console/live")
async def console_live(socket: WebSocket) -> None:
    """A clerk's console."""
    await socket.accept()
    office = office_of(socket)
    try:
        clerk = await clerk_of(socket)
    except CounterError as error:
        await _refuse(socket, error.body())
        return

    async def speak() -> None:
        last: str | None = None
        serving = False
        called = office.calls.called_anew(CLERK, clerk.clerk_id)
        with office.hub.listening(CONSOLES) as changed:
            while True:
                # A session that has ended closes its console too; a clerk in a call is not idle, however few clicks.
                await clerk_of(socket, acting=serving)
                console = await console_of(office, clerk)
                serving = console.visit is not None and console.visit.state not in FINAL
                visit = None if console.visit is None else console.visit.model_copy(update={"version": 0})
                bare = console.model_copy(update={"version": 0, "visit": visit}).model_dump_json()
                if bare != last:
                    last = bare
                    await socket.send_text(ConsoleMessage(console=console).model_dump_json())
                called = await _call_anew(office, CLERK, clerk.clerk_id, called, socket)
                await _next_change(changed)

    async def hear(message: Message) -> None:
        first = clerk.clerk_id not in office.clerks.heard_s
        office.clerks.heard(clerk.clerk_id)
        if first:
            office.hub.changed(CONSOLES)
        await _signalling(office, CLERK, clerk.clerk_id, message, socket)

    office.clerks.heard(clerk.clerk_id)
    office.hub.changed(CONSOLES)
    await _converse(socket, speak, hear)


async def _converse(
    socket: WebSocket, speak: Callable[[], Awaitable[None]], hear: Callable[[Message], Awaitable[None]]
) -> None:
    async def listen() -> None:
        while True:
            message = await _read(socket)
            try:
                await hear(message)
            except CounterError as error:
                await socket.send_text(ErrorMessage(error=error.body()).model_dump_json())

    tasks = [asyncio.ensure_future(listen()), asyncio.ensure_future(speak())]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except WebSocketDisconnect:
        pass
    except CounterError as error:
        await _refuse(socket, error.body())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(socket: WebSocket) -> Message:
    try:
        text = await socket.receive_text()
    except KeyError as error:  # a binary frame, which no page of ours sends
        raise CounterError(ErrorCode.BAD_REQUEST, "not text") from error
    if len(text) > MOST_TEXT:
        raise CounterError(ErrorCode.BODY_TOO_LARGE)
    try:
        return _from_page.validate_json(text)
    except ValidationError as error:
        raise CounterError(ErrorCode.BAD_REQUEST, "not a message of a page") from error


async def _call_anew(
    office: Office, role: str, owner: str, called: dict[str, int], socket: WebSocket
) -> dict[str, int]:
    """Tell the page which legs to join again if it was called since; what it has been told of then."""
    now = office.calls.called_anew(role, owner)
    for part, count in now.items():
        if count > called.get(part, 0):
            await socket.send_text(RejoinMessage(part=CallPart(part)).model_dump_json())
    return now


def _relays(office: Office, leg_id: str) -> tuple[IceServer, ...]:
    """Where the page may relay through, with credentials of this leg's own."""
    if office.turn is None:
        return ()
    user, password = office.turn.credentials(leg_id, time.time())
    return (IceServer(urls=office.turn.urls, username=user, credential=password),)


async def _next_change(changed: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(changed.wait(), WAITING_TIMES_EVERY_S)
    changed.clear()


async def _refuse(socket: WebSocket, error: ErrorBody) -> None:
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # the page may have gone first
        await socket.send_text(ErrorMessage(error=error).model_dump_json())
        code = {
            ErrorCode.BAD_REQUEST: CLOSE_BAD_MESSAGE,
            ErrorCode.BODY_TOO_LARGE: CLOSE_TOO_BIG,
        }.get(error.code, CLOSE_NOT_ALLOWED)
        await socket.close(code)


async def _from_customer(office: Office, visit_id: str, message: Message, socket: WebSocket) -> None:
    match message:
        case StartFace():
            await face_attempt.start_face(office, visit_id, colours=message.colours)
        case AskAnotherMovement():
            office.faces.ask_another(visit_id)
        case StopColours():
            office.faces.stop_colours(visit_id)
        case DeviceTrouble():

            def with_trouble(visit: Visit) -> Visit:
                return visit.model_copy(update={"trouble": f"{message.device}:{message.trouble}"})

            details: dict[str, str] = {"device": message.device, "trouble": message.trouble}
            await office.db.run(store.note, visit_id, store.CUSTOMER, "device_trouble", with_trouble, details)
            office.changed(visit_id)
        case ShowPicture():
            await _show(office, visit_id, message)
        case LineCheck():

            def with_check(visit: Visit) -> Visit:
                return visit.model_copy(update={"line_check": message})

            found = {"verdict": message.verdict.value, "way": message.way.value}
            await office.db.run(store.note, visit_id, store.CUSTOMER, "line_check", with_check, found)
            await office.calls.leave_part(CUSTOMER, visit_id, CHECK)
            office.changed(visit_id)
        case JoinCall():
            visit = await office.db.run(store.load, visit_id)
            if visit.state in FINAL:
                raise CounterError(ErrorCode.WRONG_STEP)
            await _signalling(office, CUSTOMER, visit_id, message, socket)
        case _:
            await _signalling(office, CUSTOMER, visit_id, message, socket)


async def _show(office: Office, visit_id: str, message: ShowPicture) -> None:
    """The journal first: what cannot be written is not shown."""
    what = None if message.what is None else message.what.value
    if what == office.calls.shown(visit_id):
        return
    if what is not None and (await office.db.run(store.load, visit_id)).state not in WITH_CLERK:
        raise CounterError(ErrorCode.WRONG_STEP)
    event, details = ("picture_hidden", {}) if what is None else ("picture_shown", {"what": what})
    await office.db.run(store.note, visit_id, store.CUSTOMER, event, details=details)
    await office.calls.show(visit_id, what)
    office.changed(visit_id)


async def _signalling(office: Office, role: str, owner: str, message: Message, socket: WebSocket) -> None:
    match message:
        case JoinCall():
            offer = await office.calls.join(role, owner, message.part.value)
            reply = OfferMessage(
                part=message.part, leg_id=offer.leg_id, sdp=offer.sdp, ice_servers=_relays(office, offer.leg_id)
            )
            await socket.send_text(reply.model_dump_json())
        case RestartLeg():
            offer = await office.calls.restart(role, owner, message.leg_id)
            part, relays = CallPart(office.calls.part_of(offer.leg_id)), _relays(office, offer.leg_id)
            await socket.send_text(
                OfferMessage(part=part, leg_id=offer.leg_id, sdp=offer.sdp, ice_servers=relays).model_dump_json()
            )
        case Answer():
            await office.calls.answer(role, owner, message.leg_id, message.sdp)
        case Candidate():
            await office.calls.candidate(
                role, owner, message.leg_id, message.candidate, message.sdp_mid, message.sdp_mline_index
            )
        case Ping() | DeviceTrouble():
            pass
        case _:
            raise CounterError(ErrorCode.BAD_REQUEST, "not a message for this page")
