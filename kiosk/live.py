"""The visit's live channel, passed through: page on one side, counter on the other, frames untouched."""

import asyncio
import logging

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from kiosk.counter_client import CounterClient
from kiosk.errors import KioskError
from webrtc.wire.live import ErrorMessage

log = logging.getLogger(__name__)

TRY_AGAIN_LATER = 1013  # RFC 6455 registry: the page comes back by itself
GONE_AWAY = 1001
UNSENDABLE = {1005, 1006, 1015}  # RFC 6455 §7.4.1: reserved for what no frame said


async def pass_live(page: WebSocket, counter: CounterClient, path: str) -> None:
    """Accept the page, open the counter's end, and pass frames until either end closes; then close the other."""
    await page.accept()
    try:
        upstream = await counter.open_live(path)
    except KioskError as error:
        await page.send_text(ErrorMessage(error=error.body()).model_dump_json())
        await page.close(TRY_AGAIN_LATER)
        return
    try:
        to_counter = asyncio.create_task(_page_to_counter(page, upstream))
        to_page = asyncio.create_task(_counter_to_page(upstream, page))
        try:
            await asyncio.wait({to_counter, to_page}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (to_counter, to_page):
                task.cancel()
            await asyncio.gather(to_counter, to_page, return_exceptions=True)
    finally:
        await upstream.close(GONE_AWAY)
        if page.application_state is WebSocketState.CONNECTED and page.client_state is WebSocketState.CONNECTED:
            code = upstream.close_code or TRY_AGAIN_LATER
            await page.close(TRY_AGAIN_LATER if code in UNSENDABLE or code == GONE_AWAY else code)


async def _page_to_counter(page: WebSocket, upstream: ClientConnection) -> None:
    """Frames of the page; one is in flight at a time, so a slow counter slows the page, and nothing piles up here."""
    try:
        while True:
            await upstream.send(await page.receive_text())
    except (WebSocketDisconnect, ConnectionClosed, KeyError):  # KeyError: a binary frame, which no page of ours sends
        return


async def _counter_to_page(upstream: ClientConnection, page: WebSocket) -> None:
    """Frames of the counter, in order."""
    try:
        while True:
            await page.send_text(await upstream.recv(decode=True))
    except (WebSocketDisconnect, ConnectionClosed, RuntimeError):  # RuntimeError: starlette's word for a closed page
        return
