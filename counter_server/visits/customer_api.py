"""HTTP for customers' pages: kiosks come through their certificate's door, phones through the public one."""

import io

import segno
from fastapi import APIRouter, Request, Response

from counter_server.errors import CounterError
from counter_server.identification.chip import offer_for
from counter_server.people import phones
from counter_server.visits import card_step, customer, fingers, views
from counter_server.visits.doors import MyVisit, act_once, bearer, channel_of, kiosk_of, office_of, view_of
from counter_server.visits.once import json_response, once
from webrtc.wire.card import AskChipOffer, ChipChallenge, ChipEvidenceMessage
from webrtc.wire.finger import CannotGiveFinger, FingerEvidenceMessage
from webrtc.wire.message import ErrorCode
from webrtc.wire.visit import (
    GiveConsent,
    OpenVisit,
    PageSeen,
    PhoneSession,
    RedeemLink,
    SignDocument,
    SubmitForm,
    VisitOpened,
)

router = APIRouter(prefix="/api")


@router.get("/catalogue")
async def catalogue(request: Request) -> Response:
    """What this door offers now."""
    office = office_of(request)
    channel = channel_of(await kiosk_of(request))
    offered = await office.db.run(views.catalogue_view, office.catalogue, channel, office.clerks_ready())
    return json_response(offered.model_dump_json())


@router.post("/phone/redeem")
async def redeem(request: Request, body: RedeemLink) -> Response:
    """A one-time link becomes a phone session."""
    office = office_of(request)

    async def act() -> PhoneSession:
        return PhoneSession(phone_token=await office.db.run(phones.redeem, body.link_token))

    return await once(office, f"link:{body.link_token}", request, act)


@router.post("/kiosk/phone-links")
async def phone_link(request: Request) -> Response:
    """Go on by phone: a link for whoever stands at this kiosk."""
    office = office_of(request)
    if await kiosk_of(request) is None:
        raise CounterError(ErrorCode.NOT_ALLOWED)
    link = await office.db.run(phones.make_link, office.settings.url, office.settings.patience.phone_link_s)
    return json_response(link.model_dump_json())


@router.post("/visits")
async def open_visit(request: Request, body: OpenVisit) -> Response:
    """A new visit."""
    office = office_of(request)
    kiosk = await kiosk_of(request)
    phone_token = bearer(request) if kiosk is None else None

    async def act() -> VisitOpened:
        token, visit = await customer.open_visit(
            office,
            body,
            channel_of(kiosk),
            kiosk_id=None if kiosk is None else kiosk.kiosk_id,
            phone_token=phone_token,
        )
        return VisitOpened(visit_token=token, view=await view_of(office, visit.visit_id))

    return await once(office, f"open:{phone_token or (kiosk.kiosk_id if kiosk else '')}", request, act)


@router.get("/visits/{visit_id}")
async def look(request: Request, visit: MyVisit) -> Response:
    """The visit as it is."""
    return json_response((await view_of(office_of(request), visit.visit_id)).model_dump_json())


@router.post("/visits/{visit_id}/consent")
async def consent(request: Request, visit: MyVisit, body: GiveConsent) -> Response:
    """The customer agrees."""
    return await act_once(request, visit, lambda office: customer.consent(office, visit.visit_id))


@router.post("/visits/{visit_id}/chip-evidence")
async def chip_evidence(request: Request, visit: MyVisit, body: ChipEvidenceMessage) -> Response:
    """What the kiosk's reader gathered; only kiosks have readers."""
    if await kiosk_of(request) is None:
        raise CounterError(ErrorCode.NOT_ALLOWED)
    return await act_once(request, visit, lambda office: card_step.take_chip_evidence(office, visit.visit_id, body))


@router.post("/visits/{visit_id}/chip-challenge")
async def chip_challenge(request: Request, visit: MyVisit) -> Response:
    """What the chip must prove itself over, for the kiosk that is about to read it."""
    office = office_of(request)
    if await kiosk_of(request) is None:
        raise CounterError(ErrorCode.NOT_ALLOWED)
    question = await card_step.ask_chip(office, visit.visit_id)
    return json_response(ChipChallenge.model_construct(challenge=question.challenge).model_dump_json())


@router.post("/visits/{visit_id}/chip-offer")
async def chip_offer(request: Request, visit: MyVisit, body: AskChipOffer) -> Response:
    """The counter's own run of chip authentication, for a chip with these keys; the kiosk only carries it."""
    office = office_of(request)
    if await kiosk_of(request) is None:
        raise CounterError(ErrorCode.NOT_ALLOWED)
    offer = offer_for(office.chip_questions.get(visit.visit_id), body.dg14)
    return json_response(offer.model_dump_json())


@router.post("/kiosk/visits/{visit_id}/finger")
async def finger(request: Request, visit: MyVisit, body: FingerEvidenceMessage) -> Response:
    """One picture of a finger from the desk's scanner; only kiosks have scanners."""
    if await kiosk_of(request) is None:
        raise CounterError(ErrorCode.NOT_ALLOWED)
    return await act_once(request, visit, lambda office: fingers.take_impression(office, visit.visit_id, body))


@router.post("/visits/{visit_id}/finger-cannot")
async def finger_cannot(request: Request, visit: MyVisit, body: CannotGiveFinger) -> Response:
    """The customer cannot give a finger, or the desk has no scanner."""
    return await act_once(request, visit, lambda office: fingers.cannot_give(office, visit.visit_id, body))


@router.post("/visits/{visit_id}/form")
async def form(request: Request, visit: MyVisit, body: SubmitForm) -> Response:
    """The filled form."""
    return await act_once(request, visit, lambda office: customer.submit_form(office, visit.visit_id, body))


@router.post("/visits/{visit_id}/correct")
async def correct(request: Request, visit: MyVisit) -> Response:
    """Back to the form."""
    return await act_once(request, visit, lambda office: customer.correct(office, visit.visit_id))


@router.post("/visits/{visit_id}/confirm")
async def confirm(request: Request, visit: MyVisit) -> Response:
    """Do it; answered when the record is durable."""
    return await act_once(request, visit, lambda office: customer.confirm(office, visit.visit_id))


@router.post("/visits/{visit_id}/pages-seen")
async def pages_seen(request: Request, visit: MyVisit, body: PageSeen) -> Response:
    """One more page was on the screen."""
    return await act_once(request, visit, lambda office: customer.see_page(office, visit.visit_id, body))


@router.post("/visits/{visit_id}/signature")
async def signature(request: Request, visit: MyVisit, body: SignDocument) -> Response:
    """The customer's signature."""
    return await act_once(request, visit, lambda office: customer.sign(office, visit.visit_id, body))


@router.post("/visits/{visit_id}/cancel")
async def cancel(request: Request, visit: MyVisit) -> Response:
    """Stop."""
    return await act_once(request, visit, lambda office: customer.cancel(office, visit.visit_id))


@router.get("/visits/{visit_id}/document/{page}.png")
async def document_page(request: Request, visit: MyVisit, page: int) -> Response:
    """One page of the document as a picture."""
    png = await customer.page_png(office_of(request), visit.visit_id, page)
    return Response(png, media_type="image/png", headers={"Cache-Control": "no-store"})


@router.get("/visits/{visit_id}/receipt.svg")
async def receipt_code(request: Request, visit: MyVisit) -> Response:
    """The address of the receipt check as a QR code, for the customer's own phone."""
    if visit.receipt is None:
        raise CounterError(ErrorCode.NOT_FOUND)
    svg = io.BytesIO()
    segno.make(visit.receipt.check_url, error="m").save(svg, kind="svg", scale=6, border=2)
    return Response(svg.getvalue(), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})
