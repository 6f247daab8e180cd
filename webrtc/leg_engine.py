"""What all media engines have in common: legs by identifier, their recordings, watchers and events.

An engine says how one leg is made (`_new_leg`) and what must run before the first (`_prepare`); everything that a call
means beyond its packets is here, once.
"""

import asyncio
import functools
import logging
import secrets
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

from webrtc.engine import EncodedPicture, LegOffer, MediaEvent, PictureSampled, RecordedTrack
from webrtc.errors import MediaError, RecordingFailedError, UnknownLegError
from webrtc.events import EventQueue
from webrtc.record import Recording
from webrtc.rtp import VP8, PayloadFormat
from webrtc.sealed import SegmentWriter
from webrtc.snapshot import PictureSampler

_log = logging.getLogger("webrtc.engine")

# Silence is told within 1.5 s + one tick.
TICK_S = 0.25


def _log_failure(task: asyncio.Task[None]) -> None:
    """A task of ours that ends on an error stops the engine being healthy; say why."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("the engine's task failed", exc_info=error)


class Tap(Protocol):
    """Somebody who listens to a leg without being a participant: a recording or a watcher."""

    def take(
        self, kind: PayloadFormat, source: object, sequence: int, timestamp: int, marker: int, payload: bytes
    ) -> None:
        """One packet, repairs included; `source` differs after every change of stream."""

    def hear(self, kind: PayloadFormat, source: object, ntp: int, timestamp: int) -> None:
        """The page's clock (64-bit NTP) at this RTP timestamp of the same source, where an engine is told."""


class EngineLeg(Protocol):
    """One participant's connection, whoever carries it."""

    @property
    def room(self) -> str:
        """Where it belongs."""

    @property
    def role(self) -> str:
        """Whose it is."""

    @property
    def over(self) -> bool:
        """Whether it ended for good."""

    async def offer(self) -> str:
        """The session description the page must answer."""

    async def restart(self) -> str:
        """An offer that finds another way."""

    async def accept(self, sdp: str) -> None:
        """Apply the page's answer; raise `BadDescriptionError`."""

    async def add_candidate(self, candidate: str, sdp_mid: str | None, sdp_mline_index: int | None) -> None:
        """Apply a trickled candidate; raise `BadDescriptionError`."""

    async def attach(self, publisher: Self) -> None:
        """Show this leg's participant the publisher."""

    async def detach(self) -> None:
        """Show nothing."""

    def listen(self, tap: Tap) -> None:
        """Give the tap every packet from now on."""

    def ignore(self, tap: Tap) -> None:
        """Give the tap nothing more."""

    def ask_key(self) -> None:
        """Ask the page for a key picture."""

    def tick(self, now_s: float) -> None:
        """Let time pass; called four times a second."""

    async def close(self) -> None:
        """Hang up without an event."""


L = TypeVar("L", bound=EngineLeg)


class LegEngine(ABC, Generic[L]):
    """`webrtc.engine.MediaEngine` without a process border, for legs of one kind."""

    def __init__(self, video: PayloadFormat = VP8) -> None:
        self._video = video  # one codec per deployment: what every leg is offered
        self._legs: dict[str, L] = {}
        self._recordings: dict[tuple[str, str, Path, str], Recording] = {}
        self._recorded_by: dict[str, Recording] = {}
        self._watched: dict[str, PictureSampler] = {}
        self._events = EventQueue(self.ask_key)
        self._writer = SegmentWriter()
        self._ticking: asyncio.Task[None] | None = None
        self._closing: dict[str, asyncio.Task[None]] = {}

    @abstractmethod
    async def _prepare(self) -> None:
        """What must hold before the first leg; raise `EngineUnfitError`."""

    @abstractmethod
    def _new_leg(self, leg_id: str, room: str, role: str) -> L:
        """A leg that has not offered yet."""

    async def _end(self) -> None:
        """What must be ended after the last leg; nothing unless an engine says so."""
        return

    async def start(self) -> None:
        """See `MediaEngine.start`."""
        await self._prepare()
        self._ticking = asyncio.create_task(self._tick_for_ever())
        self._ticking.add_done_callback(_log_failure)

    async def stop(self) -> None:
        """Close every leg, make every recording durable, end the threads."""
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        for leg_id in list(self._legs):
            await self.close_leg(leg_id)
        failures: list[MediaError] = []
        for room in {room for room, *_ in self._recordings}:
            try:
                await self.end_recording(room)
            except RecordingFailedError as error:
                failures.append(error)
        await asyncio.to_thread(self._writer.close)
        await self._end()
        if failures:
            raise failures[0]

    @property
    def healthy(self) -> bool:
        """Whether the engine ticks."""
        return self._ticking is not None and not self._ticking.done()

    async def create_leg(self, room: str, role: str, near: str | None = None) -> LegOffer:
        """See `MediaEngine.create_leg`."""
        leg_id = secrets.token_hex(8)
        leg = self._new_leg(leg_id, room, role)
        self._legs[leg_id] = leg
        try:
            return LegOffer(leg_id, await leg.offer())
        except MediaError:  # nobody will ever know its identifier
            await self.close_leg(leg_id)
            raise

    async def accept(self, leg_id: str, sdp: str) -> None:
        """See `MediaEngine.accept`."""
        await self._leg(leg_id).accept(sdp)

    async def restart(self, leg_id: str) -> LegOffer:
        """See `MediaEngine.restart`."""
        return LegOffer(leg_id, await self._leg(leg_id).restart())

    async def add_candidate(
        self, leg_id: str, candidate: str | None, sdp_mid: str | None, sdp_mline_index: int | None
    ) -> None:
        """See `MediaEngine.add_candidate`. The end mark (None) is not passed on: late checks still find the way."""
        if candidate is not None:
            await self._leg(leg_id).add_candidate(candidate, sdp_mid, sdp_mline_index)

    async def attach(self, publisher: str, subscriber: str) -> None:
        """See `MediaEngine.attach`."""
        await self._leg(subscriber).attach(self._leg(publisher))

    async def detach(self, subscriber: str) -> None:
        """See `MediaEngine.detach`."""
        await self._leg(subscriber).detach()

    async def watch(self, leg_id: str, *, pictures_per_s: float) -> None:
        """See `MediaEngine.watch`. Watching again changes the pace."""
        leg = self._leg(leg_id)
        await self.unwatch(leg_id)

        def deliver(picture: EncodedPicture) -> None:
            self._events.put(PictureSampled(leg_id, picture))

        sampler = PictureSampler(pictures_per_s=pictures_per_s, deliver=deliver, ask_key=leg.ask_key)
        self._watched[leg_id] = sampler
        leg.listen(sampler)  # it asks for a key picture itself unless one is just coming

    async def unwatch(self, leg_id: str) -> None:
        """See `MediaEngine.unwatch`."""
        sampler = self._watched.pop(leg_id, None)
        leg = self._legs.get(leg_id)
        if sampler is not None and leg is not None:
            leg.ignore(sampler)

    async def record(self, leg_id: str, folder: Path, name: str, recipient: str) -> None:
        """See `MediaEngine.record`."""
        leg = self._leg(leg_id)
        key = (leg.room, leg.role, folder, name)
        recording = self._recordings.get(key)
        if recording is None:
            try:
                await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
                recording = Recording(leg.role, folder, name, recipient, self._writer, time.monotonic, self._video)
            except OSError as error:
                raise RecordingFailedError(f"the folder cannot be used: {type(error).__name__}") from error
            self._recordings[key] = recording
        for other_id, other in self._legs.items():
            if self._recorded_by.get(other_id) is recording and other is not leg:
                other.ignore(recording)
                del self._recorded_by[other_id]
                break
        before = self._recorded_by.get(leg_id)
        if before is not None and before is not recording:  # one leg fills one recording at a time
            leg.ignore(before)
        recording.ask_key = leg.ask_key
        self._recorded_by[leg_id] = recording
        leg.listen(recording)  # it asks for a key picture itself unless one is just coming

    async def end_recording(self, room: str) -> tuple[RecordedTrack, ...]:
        """See `MediaEngine.end_recording`."""
        recordings = [(key, recording) for key, recording in self._recordings.items() if key[0] == room]
        tracks: list[RecordedTrack] = []
        failures: list[RecordingFailedError] = []
        for key, recording in recordings:
            for leg_id in [leg_id for leg_id, other in self._recorded_by.items() if other is recording]:
                del self._recorded_by[leg_id]
                if leg_id in self._legs:
                    self._legs[leg_id].ignore(recording)
            del self._recordings[key]
            try:
                tracks.append(await recording.finish())
            except RecordingFailedError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return tuple(tracks)

    async def close_leg(self, leg_id: str) -> None:
        """See `MediaEngine.close_leg`."""
        await self.unwatch(leg_id)
        self._recorded_by.pop(leg_id, None)
        leg = self._legs.pop(leg_id, None)
        if leg is not None:
            await leg.close()

    async def close_room(self, room: str) -> None:
        """See `MediaEngine.close_room`."""
        for leg_id in [leg_id for leg_id, leg in self._legs.items() if leg.room == room]:
            await self.close_leg(leg_id)

    async def next_event(self) -> MediaEvent:
        """See `MediaEngine.next_event`."""
        return await self._events.get()

    def _leg(self, leg_id: str) -> L:
        """The open leg, or `UnknownLegError`."""
        leg = self._legs.get(leg_id)
        if leg is None or leg.over:
            raise UnknownLegError("no open leg has this identifier")
        return leg

    def ask_key(self, leg_id: str) -> None:
        """Ask the page for a key picture: for a reader of pictures that fell behind."""
        if leg_id in self._legs:
            self._legs[leg_id].ask_key()

    def _closed(self, leg_id: str, task: asyncio.Task[None]) -> None:
        """A leg that was over is hung up."""
        _log_failure(task)
        self._closing.pop(leg_id, None)

    async def _tick_for_ever(self) -> None:
        """Reports, silence and the cutting of recordings; legs that are over are hung up here."""
        while True:
            now_s = time.monotonic()
            for recording in self._recordings.values():
                recording.tick(now_s)
            for leg_id, leg in list(self._legs.items()):
                leg.tick(now_s)
                if leg.over and leg_id not in self._closing:
                    task = asyncio.create_task(self.close_leg(leg_id))  # apart: a slow end must not stop the clock
                    self._closing[leg_id] = task
                    task.add_done_callback(functools.partial(self._closed, leg_id))
            await asyncio.sleep(TICK_S)
