"""The media engine as the counter holds it: the worker in its own process, watched, restarted, ended with the counter.

One worker so far; more of them (rooms sharded over processes) fit behind the same interface.
"""

import asyncio
import contextlib
import logging
import time
from pathlib import Path
from typing import Any

from webrtc.engine import LegClosed, LegOffer, MediaEvent, RecordedTrack, WorkerDied
from webrtc.errors import EngineUnfitError, MediaError, WorkerGoneError
from webrtc.events import EventQueue
from webrtc.pipe import track_from_json
from webrtc.record import leftover_tracks
from webrtc.worker_process import WorkerProcess

_log = logging.getLogger("webrtc.supervisor")

# A crash is answered at once; one that repeats, ever more slowly, so that a broken machine does not burn its cores.
BACK_OFF_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
# A worker that lived this long has earned a fresh start.
PROVEN_S = 60.0
# How long a call waits for a worker that is being restarted (about 1 s).
WORKER_PATIENCE_S = 8.0


class SupervisedEngine:
    """`webrtc.engine.MediaEngine` in another process."""

    def __init__(self, *, host_addresses: list[str] | None = None):
        self._host_addresses = host_addresses
        self._events = EventQueue(self._ask_key)
        self._worker: WorkerProcess | None = None
        self._living: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._stopping = False
        self._life: asyncio.Task[None] | None = None
        self._places: dict[str, tuple[str, str]] = {}  # leg → (room, role)
        self._recorded: dict[str, set[tuple[str, Path, str]]] = {}  # room → (role, folder, name)
        self._handed_over: dict[str, set[tuple[Path, str]]] = {}  # room → (folder, stem) already returned
        self._key_asks: set[asyncio.Task[None]] = set()

    # --- life ---

    async def start(self) -> None:
        """See `MediaEngine.start`."""
        worker = await self._spawn()
        self._life = asyncio.create_task(self._keep_alive(worker))

    async def stop(self) -> None:
        """See `MediaEngine.stop`."""
        self._stopping = True
        worker, life = self._worker, self._life
        if life is None:
            return
        if worker is None:  # between two workers: nothing to end in order
            life.cancel()
        else:
            with contextlib.suppress(WorkerGoneError):
                await worker.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await life

    @property
    def healthy(self) -> bool:
        """See `MediaEngine.healthy`."""
        return self._ready.is_set()

    @property
    def worker_pid(self) -> int | None:
        """Process number of the worker, for figures and tests."""
        return self._worker.pid if self._worker is not None else None

    async def _spawn(self) -> WorkerProcess:
        """A worker that passed its self-check, with its reader running; raise `EngineUnfitError`."""
        worker = await WorkerProcess.spawn(self._on_event)
        living = asyncio.create_task(worker.live())
        echo_s = None
        try:
            echo_s = await worker.call("start", host_addresses=self._host_addresses)
        except MediaError as error:
            raise EngineUnfitError(f"media self-check failed: {error}") from error
        finally:
            if echo_s is None:  # unfit, or we were told to stop meanwhile
                worker.kill()
                await living
        _log.info("media worker %d ready, echo in %.2f s", worker.pid, echo_s)
        self._worker, self._living = worker, living
        self._ready.set()
        return worker

    async def _keep_alive(self, worker: WorkerProcess) -> None:
        """Wait for the worker's end, tell it, start the next."""
        failures = 0
        while True:
            began_s = time.monotonic()
            if self._living is not None:
                await self._living
            self._ready.clear()
            self._worker = None
            if self._stopping:
                return
            rooms = tuple(sorted({*(room for room, _ in self._places.values()), *self._recorded}))
            self._places.clear()
            _log.error("media worker %d died, %d rooms must join again", worker.pid, len(rooms))
            self._events.put(WorkerDied(rooms))
            failures = 0 if time.monotonic() - began_s > PROVEN_S else failures
            while not self._ready.is_set():
                await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
                failures += 1
                try:
                    worker = await self._spawn()
                except (EngineUnfitError, OSError) as error:  # no process or no socket to be had: go on trying
                    _log.error("no new media worker: %s", error)

    def _on_event(self, event: MediaEvent) -> None:
        """Pass an event on and forget legs that ended."""
        if isinstance(event, LegClosed):
            self._places.pop(event.leg_id, None)
        self._events.put(event)

    def _ask_key(self, leg_id: str) -> None:
        """The reader of events fell behind and needs a key picture to go on."""

        async def ask() -> None:
            with contextlib.suppress(MediaError):
                await self._call("ask_key", leg_id=leg_id)

        if not self._key_asks:
            task = asyncio.create_task(ask())
            self._key_asks.add(task)
            task.add_done_callback(self._key_asks.discard)

    async def _call(self, do: str, **arguments: Any) -> Any:
        """Call the worker, waiting for the next one when it is being restarted."""
        try:
            async with asyncio.timeout(WORKER_PATIENCE_S):
                await self._ready.wait()
        except TimeoutError as error:
            raise WorkerGoneError("no media worker is running") from error
        if self._worker is None:
            raise WorkerGoneError("no media worker is running")
        return await self._worker.call(do, **arguments)

    # --- MediaEngine ---

    async def create_leg(self, room: str, role: str) -> LegOffer:
        """See `MediaEngine.create_leg`."""
        offer = await self._call("create_leg", room=room, role=role)
        self._places[offer["leg_id"]] = (room, role)
        return LegOffer(offer["leg_id"], offer["sdp"])

    async def accept(self, leg_id: str, sdp: str) -> None:
        """See `MediaEngine.accept`."""
        await self._call("accept", leg_id=leg_id, sdp=sdp)

    async def restart(self, leg_id: str) -> LegOffer:
        """See `MediaEngine.restart`."""
        offer = await self._call("restart", leg_id=leg_id)
        return LegOffer(offer["leg_id"], offer["sdp"])

    async def add_candidate(
        self, leg_id: str, candidate: str | None, sdp_mid: str | None, sdp_mline_index: int | None
    ) -> None:
        """See `MediaEngine.add_candidate`."""
        place = {"sdp_mid": sdp_mid, "sdp_mline_index": sdp_mline_index}
        await self._call("add_candidate", leg_id=leg_id, candidate=candidate, **place)

    async def attach(self, publisher: str, subscriber: str) -> None:
        """See `MediaEngine.attach`."""
        await self._call("attach", publisher=publisher, subscriber=subscriber)

    async def detach(self, subscriber: str) -> None:
        """See `MediaEngine.detach`."""
        await self._call("detach", subscriber=subscriber)

    async def watch(self, leg_id: str, *, pictures_per_s: float) -> None:
        """See `MediaEngine.watch`."""
        await self._call("watch", leg_id=leg_id, pictures_per_s=pictures_per_s)

    async def unwatch(self, leg_id: str) -> None:
        """See `MediaEngine.unwatch`."""
        await self._call("unwatch", leg_id=leg_id)

    async def record(self, leg_id: str, folder: Path, name: str, recipient: str) -> None:
        """See `MediaEngine.record`."""
        await self._call("record", leg_id=leg_id, folder=str(folder), name=name, recipient=recipient)
        if leg_id in self._places:
            room, role = self._places[leg_id]
            self._recorded.setdefault(room, set()).add((role, folder, name))

    async def end_recording(self, room: str) -> tuple[RecordedTrack, ...]:
        """See `MediaEngine.end_recording`; parts left by a worker that died come first, marked incomplete."""
        try:
            fresh = [track_from_json(track) for track in await self._call("end_recording", room=room)]
        except WorkerGoneError:
            fresh = []  # what it wrote is on disk, found below
        handed_over = self._handed_over.setdefault(room, set())
        tracks: list[RecordedTrack] = []
        for role, folder, name in sorted(self._recorded.pop(room, set())):
            own = [track for track in fresh if track.role == role and track.name.split(".")[0] == name]
            known = {stem for at, stem in handed_over if at == folder} | {track.name for track in own}
            tracks += await asyncio.to_thread(leftover_tracks, folder, name, role, frozenset(known))
            tracks += own
            handed_over |= {(folder, track.name) for track in tracks}
        return tuple(tracks)

    async def close_leg(self, leg_id: str) -> None:
        """See `MediaEngine.close_leg`."""
        self._places.pop(leg_id, None)
        await self._call("close_leg", leg_id=leg_id)

    async def close_room(self, room: str) -> None:
        """See `MediaEngine.close_room`."""
        self._places = {leg_id: place for leg_id, place in self._places.items() if place[0] != room}
        await self._call("close_room", room=room)

    async def next_event(self) -> MediaEvent:
        """See `MediaEngine.next_event`."""
        return await self._events.get()
