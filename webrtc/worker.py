"""A media worker: one process, one event loop, legs of its rooms and nothing else.

`python -m webrtc.worker --socket PATH` is started by `webrtc.supervisor`; it ends when the socket does, so it never
outlives the counter. Neither web handlers nor decoding run here: a busy thread in this process would raise the
latency of every call (p95 from 43 to 175 ms, measured).
"""

import argparse
import asyncio
import gc
import logging
import signal
import sys
from pathlib import Path
from typing import Any

import uvloop

from webrtc.engine import EngineKind, VideoCodec
from webrtc.engines import open_engine
from webrtc.errors import EngineUnfitError, MediaError
from webrtc.leg_engine import LegEngine
from webrtc.logs import write_to_stderr
from webrtc.pipe import Object, failure_to_json, pack_event, pack_frame, read_frame, track_to_json

# When the counter is gone, recordings get this long to become durable; then the kernel ends us (SIGALRM).
_FAREWELL_S = 10
_log = logging.getLogger("webrtc.worker")


class _StopRequestedError(Exception):
    """The supervisor asked us to end; carries the number of its call."""


class Desk:
    """Answers the supervisor's calls with the engine, each in a task of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader = reader
        self._writer = writer
        self._engine: LegEngine[Any] | None = None

    async def serve(self) -> None:
        """Work until the supervisor says stop or is gone; then make what was recorded durable."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    message, _ = await read_frame(self._reader)
                    if message["do"] == "stop":
                        raise _StopRequestedError(message["call"])
                    if message["do"] == "start":
                        await self._answer(message)
                        if self._engine is not None:
                            tasks.create_task(self._send_events(self._engine))
                    else:
                        tasks.create_task(self._answer(message))
        except* _StopRequestedError as group:
            await self._farewell()
            for stop in group.exceptions:
                self._writer.write(pack_frame({"call": stop.args[0], "gives": None}))
            await self._writer.drain()
        except* (asyncio.IncompleteReadError, ConnectionError):
            _log.warning("the counter is gone")
            await self._farewell()
        finally:
            self._writer.close()

    async def _farewell(self) -> None:
        """Close legs and recordings, within a time the kernel enforces."""
        signal.alarm(_FAREWELL_S)
        if self._engine is not None:
            await self._engine.stop()

    async def _send_events(self, engine: LegEngine[Any]) -> None:
        """Pass events on; a supervisor that does not read holds this back, and the engine's queue is bounded."""
        while True:
            self._writer.write(pack_event(await engine.next_event()))
            await self._writer.drain()

    async def _answer(self, message: Object) -> None:
        """Do one call and send what it gives, or why it failed."""
        try:
            outcome: Object = {"gives": await self._do(message)}
        except MediaError as error:
            outcome = failure_to_json(error)
        self._writer.write(pack_frame({"call": message["call"], **outcome}))
        await self._writer.drain()

    async def _do(self, message: Object) -> Any:
        """One call of the `MediaEngine` interface."""
        if message["do"] == "start":
            kind = EngineKind(message["kind"])
            codec = VideoCodec(message["codec"])
            self._engine, echo_s = await open_engine(kind, message["host_addresses"], codec)
            gc.collect()
            gc.freeze()  # what never goes need not be looked through at every turn: 35 ms in which no packet moves
            return echo_s
        if self._engine is None:
            raise EngineUnfitError("the first call must be start")
        engine = self._engine
        match message["do"]:
            case "ping":
                return engine.healthy
            case "create_leg":
                offer = await engine.create_leg(message["room"], message["role"])
                return {"leg_id": offer.leg_id, "sdp": offer.sdp}
            case "restart":
                offer = await engine.restart(message["leg_id"])
                return {"leg_id": offer.leg_id, "sdp": offer.sdp}
            case "accept":
                return await engine.accept(message["leg_id"], message["sdp"])
            case "add_candidate":
                place = message["sdp_mid"], message["sdp_mline_index"]
                return await engine.add_candidate(message["leg_id"], message["candidate"], *place)
            case "attach":
                return await engine.attach(message["publisher"], message["subscriber"])
            case "detach":
                return await engine.detach(message["subscriber"])
            case "watch":
                return await engine.watch(message["leg_id"], pictures_per_s=message["pictures_per_s"])
            case "unwatch":
                return await engine.unwatch(message["leg_id"])
            case "ask_key":
                return engine.ask_key(message["leg_id"])
            case "record":
                folder = Path(message["folder"])
                return await engine.record(message["leg_id"], folder, message["name"], message["recipient"])
            case "end_recording":
                return [track_to_json(track) for track in await engine.end_recording(message["room"])]
            case "close_leg":
                return await engine.close_leg(message["leg_id"])
            case "close_room":
                return await engine.close_room(message["room"])
            case unknown:
                raise MediaError(f"no call is named {unknown}")


async def work(socket_path: str) -> None:
    """Connect to the supervisor and serve it."""
    reader, writer = await asyncio.open_unix_connection(socket_path)
    await Desk(reader, writer).serve()


def main() -> int:
    """Start of the process; the exit status is 1 when something unforeseen ended it."""
    parser = argparse.ArgumentParser(description="media worker, started by the counter's supervisor")
    parser.add_argument("--socket", required=True, help="Unix socket the supervisor listens on")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # they reach the whole group: the supervisor ends us in order
        signal.signal(number, signal.SIG_IGN)
    write_to_stderr(logging.WARNING, "%(asctime)s media worker %(levelname)s %(name)s %(message)s")
    # aiortc and aioice log addresses of customers
    logging.getLogger("aiortc").setLevel(logging.ERROR)
    logging.getLogger("aioice").setLevel(logging.ERROR)
    try:
        uvloop.run(work(arguments.socket))
    except Exception:
        _log.exception("the worker ends on an unforeseen error")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
