"""The media engine as the counter holds it: workers in processes of their own, watched, restarted, ended with it.

A room lives on one worker, chosen when its first leg is made: the one that carries fewest, or the one of the room it
is to be `near`. No media cross workers: legs that stand apart cannot be attached, and the caller makes one anew.
"""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Any

from webrtc.engine import EngineKind, LegOffer, MediaEvent, RecordedTrack, VideoCodec, WorkerDied
from webrtc.errors import EngineUnfitError, LegsApartError, MediaError, UnknownLegError, WorkerGoneError
from webrtc.events import EventQueue
from webrtc.pipe import track_from_json
from webrtc.record import leftover_tracks
from webrtc.workplace import Workplace

# How long a call waits for a worker that is being restarted (about 1 s).
WORKER_PATIENCE_S = 8.0


def spare_cores() -> int:
    """Workers this machine carries beside the counter itself: a worker is one thread (research/media.md §2)."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


class SupervisedEngine:
    """`webrtc.engine.MediaEngine` in other processes."""

    def __init__(
        self,
        *,
        host_addresses: list[str] | None = None,
        workers: int = 1,
        kind: EngineKind = EngineKind.OWN,
        codec: VideoCodec = VideoCodec.VP8,
    ):
        self._events = EventQueue(self._ask_key)
        self._places: list[Workplace] = []
        for _ in range(workers):
            self._places.append(self._new_place(kind, codec, host_addresses))
        self._recorded: dict[str, set[tuple[str, Path, str]]] = {}  # room → (role, folder, name)
        self._roles: dict[str, str] = {}  # leg → role
        self._handed_over: dict[str, set[tuple[Path, str]]] = {}  # room → (folder, stem) already returned
        self._key_asks: set[asyncio.Task[None]] = set()

    def _new_place(self, kind: EngineKind, codec: VideoCodec, host_addresses: list[str] | None) -> Workplace:
        def died() -> None:
            rooms = tuple(sorted(place.rooms))
            for leg_id in place.legs:
                self._roles.pop(leg_id, None)
            self._events.put(WorkerDied(rooms))

        place = Workplace(kind, codec, host_addresses, self._events.put, died)
        return place

    # --- life ---

    async def start(self) -> None:
        """See `MediaEngine.start`."""
        outcomes = await asyncio.gather(*(place.start() for place in self._places), return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if failures:
            await self.stop()
            unfit = next((failure for failure in failures if isinstance(failure, EngineUnfitError)), None)
            raise unfit or failures[0]

    async def stop(self) -> None:
        """See `MediaEngine.stop`."""
        await asyncio.gather(*(place.stop() for place in self._places))

    @property
    def healthy(self) -> bool:
        """See `MediaEngine.healthy`."""
        return any(place.ready.is_set() for place in self._places)

    @property
    def worker_pid(self) -> int | None:
        """Process number of the first worker, for figures and tests."""
        return self._places[0].pid

    def worker_of(self, room: str) -> int | None:
        """Process number of the worker that carries this room."""
        return next((place.pid for place in self._places if room in place.rooms), None)

    def _ask_key(self, leg_id: str) -> None:
        """The reader of events fell behind and needs a key picture to go on."""

        async def ask() -> None:
            with contextlib.suppress(MediaError):
                await self._call(leg_id, "ask_key")

        if not self._key_asks:
            task = asyncio.create_task(ask())
            self._key_asks.add(task)
            task.add_done_callback(self._key_asks.discard)

    # --- placement ---

    def _place_of(self, leg_id: str) -> Workplace | None:
        return next((place for place in self._places if leg_id in place.legs), None)

    async def _place_for(self, room: str, near: str | None) -> Workplace:
        """Where a leg of this room is made; waits while every worker is being replaced."""
        for wanted in (near, room):
            for place in self._places:
                if wanted is not None and wanted in place.rooms and place.ready.is_set():
                    return place
        waits = [asyncio.ensure_future(place.ready.wait()) for place in self._places]
        try:
            await asyncio.wait(waits, timeout=WORKER_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        ready = [place for place in self._places if place.ready.is_set()]
        if not ready:
            raise WorkerGoneError("no media worker is running")
        # asked again: while this one waited the other side may have found its place
        beside = [place for place in ready if near is not None and near in place.rooms]
        return min(beside or ready, key=lambda place: (place.draining, len(place.rooms)))

    async def _call(self, leg_id: str, do: str, **arguments: Any) -> Any:
        """Call the worker that carries this leg."""
        place = self._place_of(leg_id)
        if place is None:
            raise UnknownLegError("no open leg has this identifier")
        return await place.call(do, leg_id=leg_id, **arguments)

    # --- MediaEngine ---

    async def create_leg(self, room: str, role: str, near: str | None = None) -> LegOffer:
        """See `MediaEngine.create_leg`."""
        place = await self._place_for(room, near)
        offer = await place.create_leg(room, role)
        self._roles[offer["leg_id"]] = role
        return LegOffer(offer["leg_id"], offer["sdp"])

    async def accept(self, leg_id: str, sdp: str) -> None:
        """See `MediaEngine.accept`."""
        await self._call(leg_id, "accept", sdp=sdp)

    async def restart(self, leg_id: str) -> LegOffer:
        """See `MediaEngine.restart`."""
        offer = await self._call(leg_id, "restart")
        return LegOffer(offer["leg_id"], offer["sdp"])

    async def add_candidate(
        self, leg_id: str, candidate: str | None, sdp_mid: str | None, sdp_mline_index: int | None
    ) -> None:
        """See `MediaEngine.add_candidate`."""
        place = {"sdp_mid": sdp_mid, "sdp_mline_index": sdp_mline_index}
        await self._call(leg_id, "add_candidate", candidate=candidate, **place)

    async def attach(self, publisher: str, subscriber: str) -> None:
        """See `MediaEngine.attach`."""
        place, other = self._place_of(publisher), self._place_of(subscriber)
        if place is None or other is None:
            raise UnknownLegError("no open leg has this identifier")
        if place is not other:
            raise LegsApartError("the two legs are on different workers")
        await place.call("attach", publisher=publisher, subscriber=subscriber)

    async def detach(self, subscriber: str) -> None:
        """See `MediaEngine.detach`."""
        place = self._place_of(subscriber)
        if place is None:
            raise UnknownLegError("no open leg has this identifier")
        await place.call("detach", subscriber=subscriber)

    async def watch(self, leg_id: str, *, pictures_per_s: float) -> None:
        """See `MediaEngine.watch`."""
        await self._call(leg_id, "watch", pictures_per_s=pictures_per_s)

    async def unwatch(self, leg_id: str) -> None:
        """See `MediaEngine.unwatch`."""
        await self._call(leg_id, "unwatch")

    async def record(self, leg_id: str, folder: Path, name: str, recipient: str) -> None:
        """See `MediaEngine.record`."""
        place = self._place_of(leg_id)
        if place is None:
            raise UnknownLegError("no open leg has this identifier")
        room = place.legs[leg_id]
        place.recorded.add(room)
        self._recorded.setdefault(room, set()).add((self._roles.get(leg_id, ""), folder, name))
        await place.call("record", leg_id=leg_id, folder=str(folder), name=name, recipient=recipient)

    async def end_recording(self, room: str) -> tuple[RecordedTrack, ...]:
        """See `MediaEngine.end_recording`; parts left by a worker that died come first, marked incomplete."""
        fresh: list[RecordedTrack] = []
        for place in [place for place in self._places if room in place.recorded]:
            try:
                fresh += [track_from_json(track) for track in await place.call("end_recording", room=room)]
            except WorkerGoneError:
                continue  # what it wrote is on disk, found below
            finally:
                place.forget_recording(room)
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
        self._roles.pop(leg_id, None)
        if (place := self._place_of(leg_id)) is not None:
            try:
                await place.call("close_leg", leg_id=leg_id)
            finally:
                place.forget_leg(leg_id)

    async def close_room(self, room: str) -> None:
        """See `MediaEngine.close_room`."""
        for place in self._places:
            if room in place.rooms:
                with contextlib.suppress(WorkerGoneError):
                    await place.call("close_room", room=room)
                for leg_id in [leg_id for leg_id, of in place.legs.items() if of == room]:
                    self._roles.pop(leg_id, None)
                    place.forget_leg(leg_id)

    async def next_event(self) -> MediaEvent:
        """See `MediaEngine.next_event`."""
        return await self._events.get()
