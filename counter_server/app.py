"""The counter as one ASGI application."""

import contextlib
import logging
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from counter_server.errors import CounterError
from counter_server.guards import Guards
from counter_server.outbox.courier import Courier, make_carriers
from counter_server.outbox.subscribers import refuse_unknown_words
from counter_server.pages import deliveries, log_tiles, screens
from counter_server.visits import (
    console_api,
    customer_api,
    face_decision,
    live,
    passkeys_api,
    phone_keys_api,
    playback_api,
    presence,
    publishing,
    relay_api,
    retention,
    stamping,
)
from counter_server.visits.office import Office
from webrtc.wire.message import ErrorBody, ErrorCode

log = logging.getLogger(__name__)

HTTP_CODES = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.NOT_FOUND, 413: ErrorCode.BODY_TOO_LARGE}


def build_app(office: Office) -> Guards:
    """Routes, guards and the office's life around them."""

    told, home = office.outbox, office.settings.home
    refuse_unknown_words(told, {name: [field.name for field in each.form] for name, each in office.catalogue.items()})
    courier = Courier(office.db, told, make_carriers(told, home), home)

    @contextlib.asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        await presence.recover(office)
        try:
            async with office.running():
                office.spawn(face_decision.follow_faces(office), "faces")
                office.spawn(presence.watch_presence(office), "presence")
                office.spawn(publishing.publish_log(office), "log")
                office.spawn(retention.keep_retention(office), "retention")
                office.spawn(stamping.stamp_log(office), "stamps")
                office.spawn(courier.run(), "outbox")
                yield
        except BaseExceptionGroup as failures:  # uvicorn would say nothing of it and go on serving an empty office
            for error in failures.exceptions:
                log.critical("the office closed: %s", type(error).__name__, exc_info=error)
            raise

    app = FastAPI(title="Visual Counter", lifespan=life, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.office = office
    for router in (
        customer_api.router,
        console_api.router,
        passkeys_api.router,
        phone_keys_api.router,
        playback_api.router,
        live.router,
        relay_api.router,
        screens.router,
        deliveries.router,
        log_tiles.router,
    ):
        app.include_router(router)
    screens.mount_pages(app)
    app.add_exception_handler(CounterError, _counter_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)
    return Guards(app)


def _answer(status: int, body: ErrorBody) -> Response:
    return Response(body.model_dump_json(), status, media_type="application/json")


async def _counter_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, CounterError)  # noqa: S101 - registered for this class
    return _answer(error.status, error.body())


async def _bad_request(_request: Request, error: Exception) -> Response:
    """Which field is wrong, never what was in it: that may be personal."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    return _answer(400, ErrorBody(code=ErrorCode.BAD_REQUEST, message=str(first["type"]), field=field or None))


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    code = HTTP_CODES.get(error.status_code, ErrorCode.BAD_REQUEST)
    return _answer(error.status_code, ErrorBody(code=code, message=str(error.detail)))


async def _unexpected(request: Request, error: Exception) -> Response:
    """The top of the process: whatever nobody foresaw is logged by type and place, and answered without its text."""
    log.error("unexpected %s at %s", type(error).__name__, request.url.path, exc_info=error)
    return _answer(500, ErrorBody(code=ErrorCode.INTERNAL, message="unexpected error; it was logged"))
