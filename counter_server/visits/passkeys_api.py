"""HTTP for passkeys of the staff: registering one, logging in by one."""

from fastapi import APIRouter, Request, Response

from counter_server.errors import CounterError
from counter_server.people import clerks, passkeys
from counter_server.visits.doors import Clerk, kiosk_of, office_of, session_cookie
from counter_server.visits.office import Office
from counter_server.visits.once import json_response
from counter_server.visits.stepup import party_of, require_password
from webrtc.wire.message import ErrorCode
from webrtc.wire.passkey import NewPasskey, PasskeyLogin, PasskeyQuestion, RegisterPasskey

router = APIRouter(prefix="/api/console")

LOGIN = "login"


@router.post("/passkeys/question")
async def ask_new(request: Request, clerk: Clerk, body: NewPasskey) -> Response:
    """What to make a key by. In person: a session that somebody left open must not make a key of its own."""
    office = office_of(request)
    await require_password(office, clerk, body.password)
    known = await office.db.run(passkeys.credentials, clerk.clerk_id)
    options, challenge = passkeys.creation_options(party_of(office), clerk, known)
    office.questions.ask(f"new|{clerk.clerk_id}", challenge)
    return json_response(PasskeyQuestion(options=options).model_dump_json())


@router.post("/passkeys")
async def register(request: Request, clerk: Clerk, body: RegisterPasskey) -> Response:
    """The key that was made. The same answer twice finds its question gone."""
    office = office_of(request)
    question = office.questions.answered(passkeys.challenge_in(body.credential), f"new|{clerk.clerk_id}")
    await office.db.run(passkeys.register, party_of(office), clerk.clerk_id, question, body.credential)
    return json_response((await office.db.run(clerks.view, clerk.clerk_id)).model_dump_json())


@router.post("/login/passkey/question")
async def ask_login(request: Request) -> Response:
    """A challenge for whoever has a key of ours."""
    office = office_of(request)
    challenge = passkeys.new_nonce()
    options = passkeys.request_options(party_of(office), challenge, [])
    office.questions.ask(LOGIN, challenge)
    return json_response(PasskeyQuestion(options=options).model_dump_json())


@router.post("/login/passkey")
async def login(request: Request, body: PasskeyLogin) -> Response:
    """A key's answer for a session cookie."""
    office = office_of(request)
    if await kiosk_of(request) is not None:
        raise CounterError(ErrorCode.NOT_ALLOWED, "clerks do not log in through a kiosk")
    question = office.questions.answered(passkeys.challenge_in(body.credential), LOGIN)
    held = await office.db.run(passkeys.assert_key, party_of(office), question, body.credential)
    return await begin_session(office, held.clerk_id)


async def begin_session(office: Office, clerk_id: str) -> Response:
    """A new session's cookie, with who it is."""
    token = await office.db.run(clerks.open_session, clerk_id)
    response = json_response((await office.db.run(clerks.view, clerk_id)).model_dump_json())
    response.set_cookie(
        session_cookie(office),
        token,
        httponly=True,
        samesite="strict",
        secure=office.settings.url.startswith("https:"),
        path="/",
    )
    return response
