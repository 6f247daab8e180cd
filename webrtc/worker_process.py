"""One media worker process as the supervisor holds it: started, called, pinged, ended."""

import asyncio
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import webrtc
from webrtc.engine import MediaEvent
from webrtc.errors import EngineUnfitError, WorkerGoneError
from webrtc.pipe import FRAME_MAX_BYTES, Object, failure_from_json, pack_frame, read_event, read_frame

# Importing aiortc takes 0.7 s and the echo call 0.3 s on an idle machine; one with ten others waiting for each of its
# cores took more than 30 s.
START_PATIENCE_S = 90.0
PING_EVERY_S = 1.0
# Longer than any fsync seen; a worker that does not answer for so long forwards no packets either.
PING_PATIENCE_S = 3.0
STOP_PATIENCE_S = 10.0


class WorkerProcess:
    """Made by `spawn`; `live` runs as long as the process does."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_event: Callable[[MediaEvent], None],
    ):
        self._process = process
        self._reader = reader
        self._writer = writer
        self._on_event = on_event
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._gone = False
        self._started = asyncio.Event()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @classmethod
    async def spawn(cls, on_event: Callable[[MediaEvent], None]) -> "WorkerProcess":
        """A connected process; raise `EngineUnfitError` when it does not come up."""
        folder = tempfile.mkdtemp(prefix="counter-media-")  # mode 0700: nobody else can connect
        path = str(Path(folder) / "worker.sock")
        arrived: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        arrived = asyncio.get_running_loop().create_future()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if arrived.done():
                writer.close()
            else:
                arrived.set_result((reader, writer))

        server = await asyncio.start_unix_server(connected, path, limit=FRAME_MAX_BYTES)
        process = None
        try:
            packages = str(Path(webrtc.__path__[0]).parent)
            search = os.pathsep.join(part for part in (packages, os.environ.get("PYTHONPATH")) if part)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "webrtc.worker", "--socket", path),
                stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": search},
            )
            ended = asyncio.create_task(process.wait())
            ended.add_done_callback(lambda _: arrived.cancel())
            await asyncio.wait({arrived}, timeout=START_PATIENCE_S)
            ended.cancel()
            if not arrived.done() or arrived.cancelled():
                raise EngineUnfitError(f"the media worker did not connect (exit status {process.returncode})")
        except BaseException:
            if arrived.done() and not arrived.cancelled():  # told to stop in the moment in which it connected
                arrived.result()[1].close()
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()
            raise
        finally:
            server.close()
            shutil.rmtree(folder, ignore_errors=True)
        return cls(process, *arrived.result(), on_event)

    async def call(self, do: str, **arguments: Any) -> Any:
        """What the worker gives; raise its `MediaError`, or `WorkerGoneError` when it dies before it answers."""
        if self._gone:
            raise WorkerGoneError("the media worker has ended")
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._writer.write(pack_frame({"call": number, "do": do, **arguments}))
            return await answer
        finally:
            self._waiting.pop(number, None)

    async def live(self) -> None:
        """Read answers and events until the worker is gone, however it goes; afterwards it is certainly dead."""
        pinging = asyncio.create_task(self._ping())
        try:
            while True:
                message, tail = await read_frame(self._reader)
                if "event" in message:
                    self._on_event(read_event(message, tail))
                else:
                    self._settle(message)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            return
        finally:
            self._gone = True
            pinging.cancel()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(WorkerGoneError("the media worker ended before it answered"))
            self._writer.close()
            if self._process.returncode is None:
                self.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Ask it to end in order; `live` then returns. Kill it when it takes too long."""
        try:
            async with asyncio.timeout(STOP_PATIENCE_S):
                await self.call("stop")
        except TimeoutError:
            self.kill()

    def kill(self) -> None:
        """End it now."""
        if self._process.returncode is None:
            self._process.kill()

    def _settle(self, message: Object) -> None:
        """Wake whoever waits for this answer."""
        self._started.set()
        answer = self._waiting.get(message["call"])
        if answer is None or answer.done():
            return
        if "fails" in message:
            answer.set_exception(failure_from_json(message))
        else:
            answer.set_result(message["gives"])

    async def _ping(self) -> None:
        """Kill a worker that is there but does not answer, so that it counts as dead."""
        await self._started.wait()  # the self-check keeps it from answering anything else
        while True:
            await asyncio.sleep(PING_EVERY_S)
            try:
                async with asyncio.timeout(PING_PATIENCE_S):
                    alive = await self.call("ping")
            except (TimeoutError, WorkerGoneError):
                alive = False
            if not alive:
                self.kill()
                return
