"""The agent's door: its own few answers about this desk, and a narrow way through to the counter.

The page may ask for what is listed in `PASSED_GET` and `PASSED_POST`, nothing else. Chip evidence is not in the list:
it comes from the reader on this desk or not at all.
"""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from hardware_drivers.fingerprint.scanner import FingerprintScanner
from hardware_drivers.smartcard.readers import CardReaders
from kiosk.card_desk import CardDesk, CounterSide
from kiosk.config import KioskConfig, read_inspection
from kiosk.counter_client import Answer, CounterClient
from kiosk.doorkeeper import Doorkeeper
from kiosk.errors import BadRequestError, KioskError
from kiosk.finger_desk import FingerDesk
from kiosk.live import pass_live
from kiosk.screen import mount_screen
from webrtc.wire.card import CardAccess, ChipEvidenceMessage, ChipOffer
from webrtc.wire.finger import AskFinger, FingerEvidenceMessage
from webrtc.wire.kiosk import KioskView
from webrtc.wire.message import ErrorBody, ErrorCode
from webrtc.wire.visit import VisitView

log = logging.getLogger(__name__)

VISIT = r"/api/visits/[A-Za-z0-9_-]{1,64}"
PASSED_GET = re.compile(
    r"(?:/api/catalogue"
    r"|/api/receipts/[A-Za-z0-9_-]{1,64}"
    rf"|{VISIT}(?:/document/\d{{1,3}}\.png|/receipt\.svg)?)"
)
PASSED_POST = re.compile(
    rf"(?:/api/visits|/api/kiosk/phone-links|{VISIT}/(?:consent|form|correct|confirm|pages-seen|signature|cancel|finger-cannot))"
)
VISIT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def build_agent(
    config: KioskConfig, readers: CardReaders, port: int, scanner: FingerprintScanner | None = None
) -> Doorkeeper:
    """The whole application of one desk, for the port that it will be reached at."""
    counter = CounterClient(config)
    desk = CardDesk(readers, read_inspection(config))
    fingers = FingerDesk(scanner, minimum_quality=config.finger.minimum_quality)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        readers.start()
        fingers.state()  # begins to look for the scanner
        try:
            yield
        finally:
            await fingers.stop()
            readers.stop()
            await counter.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    speak_wire_errors(app)

    @app.get("/api/kiosk")
    async def kiosk_view() -> KioskView:
        """What this desk can do right now."""
        reader, reader_name = desk.reader()
        return KioskView(
            kiosk_id=config.kiosk_id,
            name=config.name,
            reader=reader,
            reader_name=reader_name,
            card_step=desk.step,
            scanner=fingers.state(),
            finger_step=fingers.step,
            counter_reachable=await counter.reachable(),
        )

    @app.post("/api/visits/{visit_id}/card")
    async def card(visit_id: str, access: CardAccess, request: Request) -> VisitView:
        """Wait for the card, read it, let the counter judge it; the visit as it is then."""
        known_visit(visit_id)
        authorization = request.headers.get("authorization", "")

        async def deliver(evidence: ChipEvidenceMessage) -> VisitView:
            return await counter.deliver_chip(visit_id, authorization, evidence)

        async def offer(dg14: bytes) -> ChipOffer:
            return await counter.chip_offer(visit_id, authorization, dg14)

        async def challenge() -> bytes:
            return await counter.chip_challenge(visit_id, authorization)

        return await desk.read(access, request.is_disconnected, CounterSide(challenge, offer, deliver))

    @app.post("/api/visits/{visit_id}/finger")
    async def finger(visit_id: str, wanted: AskFinger, request: Request) -> VisitView:
        """Wait for the finger, take it, let the counter judge it; the visit as it is then."""
        known_visit(visit_id)
        authorization = request.headers.get("authorization", "")

        async def deliver(evidence: FingerEvidenceMessage) -> VisitView:
            return await counter.deliver_finger(visit_id, authorization, evidence)

        return await fingers.take(visit_id, authorization, wanted, request.is_disconnected, deliver)

    @app.get("/api/visits/{visit_id}/finger/preview.png")
    async def finger_preview(visit_id: str, request: Request) -> Response:
        """What lies on the glass now, for the page whose finger is taken; 204 while there is nothing to show."""
        known_visit(visit_id)
        shown = fingers.preview(visit_id, request.headers.get("authorization", ""))
        headers = {"cache-control": "no-store"}
        return Response(shown, 200 if shown else 204, headers, media_type="image/png" if shown else None)

    @app.websocket("/api/visits/{visit_id}/live")
    async def live(visit_id: str, page: WebSocket) -> None:
        """The visit's live channel, both ways."""
        known_visit(visit_id)
        await pass_live(page, counter, f"/api/visits/{visit_id}/live")

    @app.api_route("/api/{rest:path}", methods=["GET", "POST"])
    async def pass_through(request: Request) -> Response:
        """Whatever is on the list, to the counter and back."""
        path = request.scope["path"]
        listed = PASSED_GET if request.method == "GET" else PASSED_POST
        if not listed.fullmatch(path):
            raise BadRequestError(ErrorCode.NOT_FOUND, 404, "this desk does not pass that on")
        body = await request.body()
        answer = await counter.pass_on(request.method, path, request.url.query, request.headers, body)
        return response_of(answer)

    mount_screen(app)
    return Doorkeeper(app, port)


def known_visit(visit_id: str) -> None:
    """Refuse what cannot be a visit's number before it becomes part of a path."""
    if not VISIT_ID.fullmatch(visit_id):
        raise BadRequestError(ErrorCode.NOT_FOUND, 404, "no such visit")


def response_of(answer: Answer) -> Response:
    """The counter's answer, as ours; nothing of a visit stays in the browser's cache."""
    headers = {"cache-control": "no-store", **answer.headers}
    return Response(answer.content, answer.status, headers)


def speak_wire_errors(app: FastAPI) -> None:
    """Every answer that is not 2xx carries a `wire.ErrorBody`."""

    async def of_kiosk(_: Request, error: Exception) -> Response:
        known = error if isinstance(error, KioskError) else KioskError(ErrorCode.INTERNAL, 500, "internal error")
        return answer_with(known.status, known.body())

    async def of_validation(_: Request, error: Exception) -> Response:
        problems = error.errors() if isinstance(error, RequestValidationError) else []
        field = ".".join(str(part) for part in problems[0]["loc"] if part != "body") if problems else None
        body = ErrorBody(code=ErrorCode.BAD_REQUEST, message="the request is not in the form it must have", field=field)
        return answer_with(422, body)

    async def of_http(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        code = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.BAD_REQUEST}.get(status, ErrorCode.BAD_REQUEST)
        return answer_with(status, ErrorBody(code=code, message=f"HTTP {status}"))

    async def of_fault(request: Request, error: Exception) -> Response:
        log.error("fault in %s: %s", request.method, type(error).__name__)
        return answer_with(500, ErrorBody(code=ErrorCode.INTERNAL, message="internal error"))

    app.add_exception_handler(KioskError, of_kiosk)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, of_fault)


def answer_with(status: int, body: ErrorBody) -> Response:
    """An error on the wire."""
    return JSONResponse(body.model_dump(mode="json"), status, {"cache-control": "no-store"})
