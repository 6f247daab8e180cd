"""The counter as a process: a part that fails takes the doors with it, so that whoever watches starts it again."""

import asyncio
import logging
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from counter_server.config import Settings
from counter_server.guards import Guards
from counter_server.serve import _public, _serve
from counter_server.visits import presence
from counter_server.visits.office import Office


async def test_an_office_whose_watch_failed_does_not_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(_office: Office) -> None:
        await asyncio.sleep(0.2)
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(presence, "watch_presence", fails)
    settings = Settings(home=tmp_path, port=0, kiosk_port=0)
    assert await asyncio.wait_for(_serve(settings), 60) == 1


async def test_a_media_listener_that_fails_does_not_leave_calls_that_never_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(_calls: object) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("counter_server.calls.rooms.Calls.listen", fails)
    settings = Settings(home=tmp_path, port=0, kiosk_port=0)
    assert await asyncio.wait_for(_serve(settings), 60) == 1


async def test_a_verbose_log_does_not_say_which_visit_a_socket_was_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def greet(socket: WebSocket) -> None:
        await socket.accept()
        logging.getLogger("uvicorn.error").warning("a warning is told")
        await socket.close()

    caplog.set_level(logging.INFO)
    caplog.set_level(logging.NOTSET, "uvicorn.error")  # whatever another test left it at
    app = Guards(Starlette(routes=[WebSocketRoute("/visits/{visit_id}/live", greet)]))
    server = uvicorn.Server(_public(Settings(home=tmp_path, port=0), app))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, no event
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with connect(f"ws://127.0.0.1:{port}/visits/7f3a/live") as socket:
        await socket.wait_closed()
    server.should_exit = True
    await running
    assert "a warning is told" in caplog.text
    assert "7f3a" not in caplog.text
