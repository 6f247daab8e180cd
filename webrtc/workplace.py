"""Where one media worker stands: started, watched, replaced when it dies and when it has worked long enough."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

from webrtc.engine import EngineKind, LegClosed, MediaEvent, VideoCodec
from webrtc.errors import EngineUnfitError, MediaError, WorkerGoneError
from webrtc.worker_process import WorkerProcess

_log = logging.getLogger("webrtc.workplace")

# A crash is answered at once; one that repeats, ever more slowly, so that a broken machine does not burn its cores.
BACK_OFF_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
# A worker that lived this long has earned a fresh start.
PROVEN_S = 60.0
# 60 calls cost a worker 5 MB for good (research/media.md §6): after so many legs it gets no new rooms and, empty, ends.
LEGS_OF_A_LIFE = 1000


class Workplace:
    """One worker at a time, and what it has in hand: legs with their rooms, and rooms being recorded."""

    def __init__(
        self,
        kind: EngineKind,
        codec: VideoCodec,
        host_addresses: list[str] | None,
        on_event: Callable[[MediaEvent], None],
        on_death: Callable[[], None],
    ):
        self._kind = kind
        self._codec = codec
        self._host_addresses = host_addresses
        self._on_event = on_event
        self._on_death = on_death
        self._worker: WorkerProcess | None = None
        self._living: asyncio.Task[None] | None = None
        self._life: asyncio.Task[None] | None = None
        self._stopping = False
        self._ending: asyncio.Task[None] | None = None
        self._made = 0
        self.ready = asyncio.Event()
        self.legs: dict[str, str] = {}  # leg → room
        self.recorded: set[str] = set()  # rooms
        self.expected: dict[str, int] = {}  # rooms a leg is being made for

    @property
    def pid(self) -> int | None:
        """Process number of the worker, for figures and tests."""
        return self._worker.pid if self._worker is not None else None

    @property
    def rooms(self) -> set[str]:
        """Rooms that cannot be elsewhere."""
        return {*self.legs.values(), *self.recorded, *self.expected}

    @property
    def draining(self) -> bool:
        """Whether it only finishes what it has."""
        return self._made >= LEGS_OF_A_LIFE

    async def start(self) -> None:
        """Up and watched; raise `EngineUnfitError`."""
        worker = await self._spawn()
        self._life = asyncio.create_task(self._keep_alive(worker))

    async def stop(self) -> None:
        """Worker and watch ended, recordings durable."""
        self._stopping = True
        if self._life is None:
            return
        if self._worker is None:  # between two workers: nothing to end in order
            self._life.cancel()
        else:
            with contextlib.suppress(WorkerGoneError):
                await self._worker.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await self._life

    async def call(self, do: str, **arguments: Any) -> Any:
        """What the worker gives; raise its `MediaError`."""
        if self._worker is None:
            raise WorkerGoneError("this media worker is being replaced")
        return await self._worker.call(do, **arguments)

    async def create_leg(self, room: str, role: str) -> Any:
        """A leg of this room, in hand from now on."""
        self.expected[room] = self.expected.get(room, 0) + 1
        try:
            offer = await self.call("create_leg", room=room, role=role)
            self.legs[offer["leg_id"]] = room
            self._made += 1
            return offer
        finally:
            self.expected[room] -= 1
            if not self.expected[room]:
                del self.expected[room]

    def forget_leg(self, leg_id: str) -> None:
        """It is closed."""
        self.legs.pop(leg_id, None)
        self._renew_if_done()

    def forget_recording(self, room: str) -> None:
        """It is finished."""
        self.recorded.discard(room)
        self._renew_if_done()

    def _renew_if_done(self) -> None:
        """End a worker that drains and has nothing left; the watch starts the next."""
        if self.draining and not self.rooms and self._worker is not None and self._ending is None:
            _log.info("media worker %d has served %d legs and is replaced", self._worker.pid, self._made)
            self.ready.clear()
            self._ending = asyncio.create_task(self._end(self._worker))

    async def _end(self, worker: WorkerProcess) -> None:
        with contextlib.suppress(MediaError):
            await worker.stop()

    async def _spawn(self) -> WorkerProcess:
        """A worker that passed its self-check, with its reader running; raise `EngineUnfitError`."""
        worker = await WorkerProcess.spawn(self._told)
        living = asyncio.create_task(worker.live())
        echo_s = None
        try:
            addresses = self._host_addresses
            echo_s = await worker.call("start", kind=self._kind, codec=self._codec, host_addresses=addresses)
        except MediaError as error:
            raise EngineUnfitError(f"media self-check failed: {error}") from error
        finally:
            if echo_s is None:  # unfit, or we were told to stop meanwhile
                worker.kill()
                await living
        _log.info("media worker %d ready, echo in %.2f s", worker.pid, echo_s)
        self._worker, self._living, self._made = worker, living, 0
        self.ready.set()
        return worker

    async def _keep_alive(self, worker: WorkerProcess) -> None:
        """Wait for the worker's end, tell it, start the next."""
        failures = 0
        while True:
            began_s = time.monotonic()
            if self._living is not None:
                await self._living
            self.ready.clear()
            self._worker = None
            if self._stopping:
                return
            if self._ending is None:
                _log.error("media worker %d died, %d rooms must join again", worker.pid, len(self.rooms))
                self._on_death()
            self._ending = None
            self.legs.clear()
            self.recorded.clear()
            failures = 0 if time.monotonic() - began_s > PROVEN_S else failures
            while not self.ready.is_set():
                await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                failures += 1
                try:
                    worker = await self._spawn()
                except (EngineUnfitError, OSError) as error:  # no process or no socket to be had: go on trying
                    _log.error("no new media worker: %s", error)

    def _told(self, event: MediaEvent) -> None:
        """Pass an event on and forget legs that ended."""
        self._on_event(event)
        if isinstance(event, LegClosed):
            self.forget_leg(event.leg_id)
