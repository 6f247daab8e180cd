"""The worker process: it dies with the counter, is noticed when it hangs, and says why it cannot start."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.webrtc.stage import until
from webrtc.engine import MediaEvent, WorkerDied
from webrtc.errors import EngineUnfitError, WorkerGoneError
from webrtc.supervisor import SupervisedEngine
from webrtc.worker_process import WorkerProcess

ROOT = Path(__file__).parents[2]

COUNTER = textwrap.dedent(
    """
    import asyncio
    from webrtc.supervisor import SupervisedEngine

    async def main():
        engine = SupervisedEngine(host_addresses=["127.0.0.1"])
        await engine.start()
        print(engine.worker_pid, flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
    """
)


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_killed_counter_takes_its_worker_along() -> None:
    with subprocess.Popen([sys.executable, "-c", COUNTER], cwd=ROOT, stdout=subprocess.PIPE, text=True) as counter:  # noqa: ASYNC220
        assert counter.stdout is not None
        worker_pid = int(await asyncio.to_thread(counter.stdout.readline))
        assert alive(worker_pid)
        counter.kill()
    await until(lambda: not alive(worker_pid), "the worker ended", 5)


async def test_an_orderly_stop_leaves_no_process_and_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tempfile.mkdtemp()  # of its own, for other tests start workers too; and short, for a socket's name
    monkeypatch.setattr(tempfile, "tempdir", folder)
    engine = SupervisedEngine(host_addresses=["127.0.0.1"])
    await engine.start()
    pid = engine.worker_pid
    assert pid is not None
    assert engine.healthy
    offer = await engine.create_leg("room", "customer")
    assert offer.sdp.count("m=audio ") == offer.sdp.count("m=video ") == 1
    assert offer.sdp.count("a=sendrecv") == 2
    assert " 127.0.0.1 " in offer.sdp
    await engine.stop()
    assert not alive(pid)
    assert not engine.healthy
    os.rmdir(folder)  # refuses where something was left


async def test_a_worker_that_hangs_counts_as_dead_and_is_replaced() -> None:
    engine = SupervisedEngine(host_addresses=["127.0.0.1"])
    await engine.start()
    try:
        pid = engine.worker_pid
        assert pid is not None
        offer = await engine.create_leg("room", "customer")
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(WorkerGoneError):
            await engine.attach(offer.leg_id, offer.leg_id)
        assert await engine.next_event() == WorkerDied(("room",))
        began_s = time.monotonic()
        await engine.create_leg("room", "customer")
        assert time.monotonic() - began_s < 8
        assert engine.worker_pid != pid
        assert not alive(pid)
    finally:
        await engine.stop()


async def test_an_address_this_machine_does_not_have_is_named_at_start() -> None:
    engine = SupervisedEngine(host_addresses=["192.0.2.77"])  # RFC 5737: nobody's
    with pytest.raises(EngineUnfitError, match=r"192\.0\.2\.77"):
        await engine.start()
    assert not engine.healthy
    await engine.stop()


async def test_a_machine_out_of_processes_is_asked_again_until_it_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = SupervisedEngine(host_addresses=["127.0.0.1"])
    await engine.start()
    try:
        pid = engine.worker_pid
        assert pid is not None
        spawn, refused = WorkerProcess.spawn, 0

        async def refuse_once(on_event: Callable[[MediaEvent], None]) -> WorkerProcess:
            nonlocal refused
            if not refused:
                refused += 1
                raise BlockingIOError("Resource temporarily unavailable")
            return await spawn(on_event)

        monkeypatch.setattr(WorkerProcess, "spawn", refuse_once)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: engine.worker_pid not in (None, pid) and engine.healthy, "another worker came", 60)
        assert refused == 1
    finally:
        await engine.stop()


async def test_a_worker_that_connects_as_its_start_is_called_off_leaves_no_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[asyncio.StreamWriter] = []
    wait = asyncio.wait

    async def called_off(these: set[asyncio.Future[Any]], *, timeout: float) -> None:  # noqa: ASYNC109 - asyncio's own
        await wait(these, timeout=timeout)
        written.append(next(iter(these)).result()[1])
        raise asyncio.CancelledError

    monkeypatch.setattr("webrtc.worker_process.asyncio.wait", called_off)
    with pytest.raises(asyncio.CancelledError):
        await WorkerProcess.spawn(lambda _: None)
    assert written[0].is_closing()
