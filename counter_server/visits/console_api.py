"""HTTP for the clerks' consoles."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response

from counter_server.errors import CounterError
from counter_server.hub import CONSOLES
from counter_server.people import clerks, passkeys, phones
from counter_server.visits import continuity, customer, desk, invitations, stepup, store, supervision
from counter_server.visits.doors import BOUND_COOKIE, Clerk, clerk_of, console_of, kiosk_of, office_of, session_cookie
from counter_server.visits.evidence import CHIP_PORTRAIT, LIVE_PICTURE, Exhibit
from counter_server.visits.office import Office
from counter_server.visits.once import json_response, once
from counter_server.visits.passkeys_api import begin_session
from webrtc.wire.call import SetCall
from webrtc.wire.console import Approve, ClerkView, ConsoleView, Countersign, Login, RefuseVisit, SetChecklistItem
from webrtc.wire.message import ErrorCode
from webrtc.wire.passkey import AskToAct
from webrtc.wire.third_person import AnswerInvitation, Invite, Supervise

router = APIRouter(prefix="/api/console")


@router.post("/login")
async def login(request: Request, body: Login) -> Response:
    """Name and password for a session cookie."""
    office = office_of(request)
    if await kiosk_of(request) is not None:
        raise CounterError(ErrorCode.NOT_ALLOWED, "clerks do not log in through a kiosk")
    stored = await office.db.run(clerks.stored_password, body.username)
    await office.passwords.require("login", stored, body.username, body.password)
    if office.settings.passkeys.required and await office.db.run(passkeys.count, stored.clerk_id) > 0:
        raise CounterError(ErrorCode.PASSKEY_NEEDED)
    return await begin_session(office, stored.clerk_id)


@router.post("/logout")
async def logout(request: Request) -> Response:
    """End the session; the clerk's visit goes back to the queue when the lease ends."""
    office = office_of(request)
    name = session_cookie(office)
    if token := request.cookies.get(name):
        await office.db.run(clerks.close_session, token)
        office.hub.changed(CONSOLES)  # its live channel looks, and finds that it is over
    response = Response(status_code=204)
    response.delete_cookie(name, path="/", secure=name == BOUND_COOKIE, httponly=True, samesite="strict")
    return response


@router.get("/me")
async def me(clerk: Clerk) -> Response:
    """Who is logged in."""
    return json_response(clerk.model_dump_json())


@router.post("/phone-links")
async def phone_link(request: Request, clerk: Clerk) -> Response:
    """A one-time link for a customer on the telephone."""
    office = office_of(request)
    link = await office.db.run(phones.make_link, office.settings.url, office.settings.patience.phone_link_s)
    return json_response(link.model_dump_json())


@router.post("/tickets/next")
async def take_next(request: Request, clerk: Clerk) -> Response:
    """Call the next customer."""
    return await _act(request, clerk, lambda office: desk.take(office, clerk, None))


@router.post("/tickets/{ticket_id}/take")
async def take(request: Request, clerk: Clerk, ticket_id: str) -> Response:
    """Call this customer."""
    return await _act(request, clerk, lambda office: desk.take(office, clerk, ticket_id))


@router.post("/visits/{visit_id}/checklist/{item_id}")
async def checklist(request: Request, clerk: Clerk, visit_id: str, item_id: str, body: SetChecklistItem) -> Response:
    """Answer one item."""
    return await _act(request, clerk, lambda office: desk.set_item(office, clerk, visit_id, item_id, body))


@router.post("/visits/{visit_id}/document")
async def document(request: Request, clerk: Clerk, visit_id: str) -> Response:
    """Open the document on both screens."""
    return await _act(request, clerk, lambda office: desk.push_document(office, clerk, visit_id))


@router.post("/visits/{visit_id}/act-question")
async def act_question(request: Request, clerk: Clerk, visit_id: str, body: AskToAct) -> Response:
    """What a passkey is to sign for this act."""
    question = await stepup.ask(await _allowed(request, visit_id), clerk, visit_id, body.action, body.document_sha256)
    return json_response(question.model_dump_json())


@router.post("/visits/{visit_id}/countersign")
async def countersign(request: Request, clerk: Clerk, visit_id: str, body: Countersign) -> Response:
    """The clerk signs."""
    return await _act(request, clerk, lambda office: desk.countersign(office, clerk, visit_id, body))


@router.post("/visits/{visit_id}/identify-again")
async def identify_again(request: Request, clerk: Clerk, visit_id: str) -> Response:
    """Card and face once more, in this very call."""
    return await _act(request, clerk, lambda office: continuity.ask_again(office, clerk, visit_id))


@router.post("/visits/{visit_id}/call")
async def set_call(request: Request, clerk: Clerk, visit_id: str, body: SetCall) -> Response:
    """Let the customer wait; microphone off."""
    return await _act(request, clerk, lambda office: supervision.set_call(office, clerk, visit_id, body))


@router.post("/visits/{visit_id}/supervision")
async def supervise(request: Request, clerk: Clerk, visit_id: str, body: Supervise) -> Response:
    """A supervisor listens, whispers, joins or leaves."""
    return await _act(request, clerk, lambda office: supervision.supervise(office, clerk, visit_id, body))


@router.post("/visits/{visit_id}/invitation")
async def invite(request: Request, clerk: Clerk, visit_id: str, body: Invite) -> Response:
    """Ask a colleague into the call."""
    return await _act(request, clerk, lambda office: invitations.invite(office, clerk, visit_id, body))


@router.post("/visits/{visit_id}/invitation/answer")
async def answer_invitation(request: Request, clerk: Clerk, visit_id: str, body: AnswerInvitation) -> Response:
    """Come in, decline, or leave again."""
    return await _act(request, clerk, lambda office: invitations.answer(office, clerk, visit_id, body))


@router.post("/visits/{visit_id}/refuse")
async def refuse(request: Request, clerk: Clerk, visit_id: str, body: RefuseVisit) -> Response:
    """The clerk ends the visit without a result."""
    return await _act(request, clerk, lambda office: desk.refuse_visit(office, clerk, visit_id, body.note))


@router.post("/visits/{visit_id}/approval")
async def approval(request: Request, clerk: Clerk, visit_id: str, body: Approve) -> Response:
    """The second person decides."""
    return await _act(request, clerk, lambda office: desk.decide_approval(office, clerk, visit_id, body))


async def _act(request: Request, clerk: ClerkView, act: Callable[[Office], Awaitable[None]]) -> Response:
    """Do it once, however often it is asked for; answered with the console as it is then."""
    office = office_of(request)

    async def act_and_look() -> ConsoleView:
        await act(office)
        return await console_of(office, clerk)

    return await once(office, clerk.clerk_id, request, act_and_look)


@router.post("/visits/{visit_id}/leave")
async def leave(request: Request, clerk: Clerk, visit_id: str) -> Response:
    """Put the ended visit aside."""
    office = office_of(request)
    await desk.clear(office, clerk)
    return json_response((await console_of(office, clerk)).model_dump_json())


@router.get("/visits/{visit_id}/portrait.jpg")
async def portrait(request: Request, visit_id: str) -> Response:
    """The chip's portrait."""
    return await _picture(request, visit_id, CHIP_PORTRAIT)


@router.get("/visits/{visit_id}/live.jpg")
async def live_picture(request: Request, visit_id: str) -> Response:
    """The frame that was compared with the portrait."""
    return await _picture(request, visit_id, LIVE_PICTURE)


@router.get("/visits/{visit_id}/document/{page}.png")
async def document_page(request: Request, visit_id: str, page: int) -> Response:
    """One page of the document that both sides look at."""
    office = await _allowed(request, visit_id)
    png = await customer.page_png(office, visit_id, page)
    return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})


async def _picture(request: Request, visit_id: str, name: str) -> Response:
    office = await _allowed(request, visit_id)
    evidence = office.evidence.get(visit_id)
    if evidence is None:
        raise CounterError(ErrorCode.NOT_FOUND)
    exhibit: Exhibit = evidence.get(name)
    return Response(exhibit.content, media_type=exhibit.media_type, headers={"Cache-Control": "no-store"})


async def _allowed(request: Request, visit_id: str) -> Office:
    office = office_of(request)
    clerk = await clerk_of(request)
    visit = await office.db.run(store.load, visit_id)
    if not desk.may_see(visit, clerk):
        raise CounterError(ErrorCode.NOT_ALLOWED)
    return office
