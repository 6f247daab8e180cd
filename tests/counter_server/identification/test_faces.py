"""The counter's side of the face process, with the real process."""

import asyncio
import logging
import threading
from pathlib import Path

import pytest

from counter_server.identification.face_process import FaceFinding
from counter_server.identification.faces import FaceDesk, FaceEvent


def senders() -> int:
    return sum(thread.name == "face-send" for thread in threading.enumerate())


async def test_a_face_process_that_dies_loses_its_sessions_and_nothing_else() -> None:
    events: asyncio.Queue[FaceEvent] = asyncio.Queue()
    lost: asyncio.Queue[str] = asyncio.Queue()
    desk = FaceDesk(events.put_nowait, lost.put_nowait)
    await desk.start()
    try:
        before = senders()
        desk.begin("visit-1", None, b"seed")
        assert desk._process is not None
        desk._process.kill()
        assert await asyncio.wait_for(lost.get(), 10) == "visit-1"
        # No portrait that can be compared: decided at once by whichever process serves next.
        desk.begin("visit-2", b"no picture", b"seed")
        found = await asyncio.wait_for(events.get(), 30)
        assert isinstance(found, FaceFinding)
        assert (found.session_id, found.verdict) == ("visit-2", "reject")
        assert senders() == before
    finally:
        await desk.stop()


async def test_what_an_ended_check_still_says_is_not_taken_for_the_next_one() -> None:
    """Whoever begins again at the word "done" would else have the next person remembered as the one who passed."""
    events: asyncio.Queue[FaceEvent] = asyncio.Queue()
    desk = FaceDesk(events.put_nowait, lambda _: None)
    await desk.start()
    try:
        desk.begin("visit-1", b"no picture", b"seed")  # decided at once, and told while the next one runs already
        desk.end("visit-1")
        desk.begin("visit-1", None, b"another seed")
        desk.begin("visit-2", b"no picture", b"seed")
        found = await asyncio.wait_for(events.get(), 30)
        assert isinstance(found, FaceFinding)
        assert found.session_id == "visit-2"
    finally:
        await desk.stop()


async def test_a_machine_that_lacks_an_engine_says_so_in_one_line_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("COUNTER_FACE_ENGINE", str(tmp_path / "absent.toml"))
    desk = FaceDesk(lambda _: None, lambda _: None)
    with caplog.at_level(logging.INFO):
        await desk.start()
        await desk.stop()
    (said,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert desk.unfit
    assert desk.unfit in said.getMessage()
    assert "\n" not in said.getMessage()
    assert said.exc_info is None
