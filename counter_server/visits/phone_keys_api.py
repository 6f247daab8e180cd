"""HTTP for customers' passkeys on phones: showing one, making one, having it removed."""

from fastapi import APIRouter, Request, Response

from counter_server.visits import phone_keys
from counter_server.visits.doors import MyVisit, act_once, office_of
from counter_server.visits.once import json_response
from webrtc.wire.passkey import KeepPhoneKey, ShowPhoneKey

router = APIRouter(prefix="/api/visits/{visit_id}/phone-key")


@router.post("/question")
async def ask(request: Request, visit: MyVisit) -> Response:
    """What a phone that was here before answers."""
    return json_response((await phone_keys.ask(office_of(request), visit.visit_id)).model_dump_json())


@router.post("")
async def show(request: Request, visit: MyVisit, body: ShowPhoneKey) -> Response:
    """Its answer."""
    return await act_once(request, visit, lambda office: phone_keys.show(office, visit.visit_id, body.credential))


@router.post("/new-question")
async def ask_new(request: Request, visit: MyVisit) -> Response:
    """What to make a key for the next visit by."""
    return json_response((await phone_keys.ask_new(office_of(request), visit.visit_id)).model_dump_json())


@router.post("/new")
async def keep(request: Request, visit: MyVisit, body: KeepPhoneKey) -> Response:
    """The key that was made."""
    return await act_once(request, visit, lambda office: phone_keys.keep(office, visit.visit_id, body.credential))


@router.post("/remove")
async def remove(request: Request, visit: MyVisit) -> Response:
    """The customer does not want to be recognised any more."""
    return await act_once(request, visit, lambda office: phone_keys.remove(office, visit.visit_id))
