"""The counter as a process: a part that fails takes the doors with it, so that whoever watches starts it again."""

import asyncio
from pathlib import Path

import pytest

from counter_server.config import Settings
from counter_server.serve import _serve
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
