"""Who is in which call: one leg per page, wired to the other side while a clerk serves a visit.

The database says which clerk serves which visit; this room only carries their pictures and sound, and forgets
everything when the counter restarts.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from counter_server.errors import CounterError
from webrtc.engine import (
    LegClosed,
    LegConnected,
    LegOffer,
    LineBack,
    LineLost,
    MediaEngine,
    PictureSampled,
    RecordedTrack,
    WorkerDied,
)
from webrtc.errors import LegsApartError, MediaError
from webrtc.wire import ErrorCode, Line

log = logging.getLogger(__name__)

CUSTOMER, CLERK = "customer", "clerk"
# Legs of a page beside its own: an engine carries one voice and one picture a leg each way, and mixes nothing.
MAIN, THIRD = "main", "third"  # THIRD: where customer or clerk hear and see whoever joined them
WATCH_CUSTOMER, WATCH_CLERK = "watch-customer", "watch-clerk"  # a supervisor's two; the first carries their own voice
SUPERVISOR = "supervisor"


class Supervision(StrEnum):
    """How a supervisor takes part in a call."""

    LISTEN = "listen"  # hears and sees both
    WHISPER = "whisper"  # and speaks to the clerk alone
    JOIN = "join"  # and speaks to both, and is recorded


@dataclass(slots=True)
class Seat:
    """One page's place in a call. `owner` is a visit id or a clerk id."""

    owner: str
    role: str
    part: str = MAIN
    leg_id: str | None = None
    joining: str | None = None  # a leg that was offered and is not up yet
    fingerprints: dict[str, str] = field(default_factory=dict)  # leg → hash of the certificate its page must hold
    line: Line = Line.NONE
    watched: bool = False
    called_anew: int = 0  # how often this page was asked for a new leg; its live channel tells it when this grows
    pictures_per_s: float = 0.0  # while it is watched
    old_legs: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Recording:
    """Where a visit's two sides are being sealed."""

    folder: Path
    recipient: str
    part: int  # 1 for the first clerk; a visit that lost its clerk begins a new part with the next
    begun: set[str] = field(default_factory=set)  # rooms of sides that have been recorded


class Calls:
    """Seats, wires and recordings over one media engine."""

    def __init__(
        self,
        engine: MediaEngine,
        on_line: Callable[[Seat], None],
        on_picture: Callable[[str, PictureSampled], None],
    ) -> None:
        self._engine = engine
        self._on_line = on_line
        self._on_picture = on_picture
        self._seats: dict[tuple[str, str, str], Seat] = {}
        self._by_leg: dict[str, Seat] = {}
        self._pairs: dict[str, str] = {}  # visit id → clerk id
        self._held: set[str] = set()  # visits whose clerk asked them to wait
        self._supervised: dict[str, tuple[str, Supervision]] = {}  # visit id → supervisor's clerk id, how
        self._recordings: dict[str, Recording] = {}

    @property
    def healthy(self) -> bool:
        """Whether a call could begin now."""
        return self._engine.healthy

    async def start(self) -> None:
        """Start the engine; somebody must `listen` to it then."""
        await self._engine.start()

    async def stop(self) -> None:
        """End every call."""
        await self._engine.stop()

    def line(self, role: str, owner: str) -> Line:
        """How this side's packets arrive."""
        seat = self._seat(role, owner)
        return Line.NONE if seat is None else seat.line

    def _seat(self, role: str, owner: str, part: str = MAIN) -> Seat | None:
        return self._seats.get((role, owner, part))

    def part_of(self, leg_id: str) -> str:
        """Which of its page's legs this is."""
        seat = self._by_leg.get(leg_id)
        return MAIN if seat is None else seat.part

    def called_anew(self, role: str, owner: str) -> dict[str, int]:
        """By part, a number that grows when that leg is gone or is needed elsewhere: then the page joins again."""
        return {
            seat.part: seat.called_anew for seat in self._seats.values() if (seat.role, seat.owner) == (role, owner)
        }

    async def join(self, role: str, owner: str, part: str = MAIN) -> LegOffer:
        """A leg for this page, first or again; the one before is closed when the new one is up.

        Raises:
            CounterError: MEDIA_UNAVAILABLE; NOT_ALLOWED for a part this page has no part in.
        """
        if part != MAIN and part not in self._parts_of(role, owner):
            raise CounterError(ErrorCode.NOT_ALLOWED)
        seat = self._seats.setdefault((role, owner, part), Seat(owner, role, part))
        leg_role = SUPERVISOR if part == WATCH_CUSTOMER else role
        try:
            offer = await self._engine.create_leg(_room(seat), leg_role, near=self._other_room(seat))
        except MediaError as error:
            raise CounterError(ErrorCode.MEDIA_UNAVAILABLE, str(error)) from error
        if self._seats.get((role, owner, part)) is not seat:  # hung up meanwhile: nobody would close this leg
            await self._quietly(self._engine.close_leg(offer.leg_id))
            raise CounterError(ErrorCode.WRONG_STEP, "the call has ended")
        if seat.joining is not None:
            seat.old_legs.append(seat.joining)
        seat.joining = offer.leg_id
        self._by_leg[offer.leg_id] = seat
        if seat.line is Line.NONE:
            seat.line = Line.CONNECTING
            self._on_line(seat)
        return offer

    async def answer(self, role: str, owner: str, leg_id: str, sdp: str) -> None:
        """The page's answer to its own offer; anybody else's leg is refused."""
        await self._on_own_leg(role, owner, leg_id, lambda: self._engine.accept(leg_id, sdp))
        if (seat := self._by_leg.get(leg_id)) is not None:
            kept = {leg: of for leg, of in seat.fingerprints.items() if leg in (seat.leg_id, seat.joining)}
            # the first stays: a later answer only finds another way, no handshake holds the page to what it says there
            seat.fingerprints = kept | {leg_id: kept.get(leg_id) or _fingerprint(sdp)}

    async def restart(self, role: str, owner: str, leg_id: str) -> LegOffer:
        """An offer that finds another way for this page's own leg; everything else of the call goes on."""
        offers: list[LegOffer] = []

        async def ask() -> None:
            offers.append(await self._engine.restart(leg_id))

        await self._on_own_leg(role, owner, leg_id, ask)
        return offers[0]

    def fingerprint(self, visit_id: str) -> str:
        """Of the certificate at the other end of the customer's leg (DTLS holds the page to it); "" without a leg."""
        seat = self._seat(CUSTOMER, visit_id)
        return "" if seat is None or seat.leg_id is None else seat.fingerprints.get(seat.leg_id, "")

    async def candidate(
        self, role: str, owner: str, leg_id: str, candidate: str | None, mid: str | None, index: int | None
    ) -> None:
        """One trickled candidate of the page."""
        await self._on_own_leg(role, owner, leg_id, lambda: self._engine.add_candidate(leg_id, candidate, mid, index))

    async def _on_own_leg(self, role: str, owner: str, leg_id: str, act: Callable[[], Awaitable[None]]) -> None:
        seat = self._by_leg.get(leg_id)
        if seat is None or (seat.role, seat.owner) != (role, owner):
            raise CounterError(ErrorCode.NOT_ALLOWED)
        try:
            await act()
        except MediaError as error:
            raise CounterError(ErrorCode.MEDIA_UNAVAILABLE, str(error)) from error

    async def watch(self, visit_id: str, pictures_per_s: float) -> None:
        """Deliver the customer's pictures to `on_picture` from now on."""
        seat = self._seat(CUSTOMER, visit_id)
        if seat is None or seat.leg_id is None:
            raise CounterError(ErrorCode.MEDIA_UNAVAILABLE, "the camera's line is not up")
        seat.watched, seat.pictures_per_s = True, pictures_per_s
        await self._engine.watch(seat.leg_id, pictures_per_s=pictures_per_s)

    async def follow(self, visit_id: str, pictures_per_s: float) -> None:
        """As `watch`, for a call: a line that is not up yet, or comes again, is watched when it is."""
        seat = self._seats.setdefault((CUSTOMER, visit_id, MAIN), Seat(visit_id, CUSTOMER))
        seat.watched, seat.pictures_per_s = True, pictures_per_s
        if seat.leg_id is not None:
            await self._quietly(self._engine.watch(seat.leg_id, pictures_per_s=pictures_per_s))

    def leg(self, visit_id: str) -> str | None:
        """The customer's leg that is up, or was last."""
        seat = self._seat(CUSTOMER, visit_id)
        return None if seat is None else seat.leg_id

    async def unwatch(self, visit_id: str) -> None:
        """No more pictures."""
        seat = self._seat(CUSTOMER, visit_id)
        if seat is not None and seat.watched:
            seat.watched = False
            if seat.leg_id is not None:
                await self._quietly(self._engine.unwatch(seat.leg_id))

    async def bring_together(self, visit_id: str, clerk_id: str, recording: Recording) -> None:
        """Wire customer and clerk both ways and seal both sides from now on; a side that is not up yet follows."""
        self._pairs[visit_id] = clerk_id
        self._recordings[visit_id] = recording
        await self._wire(visit_id)

    async def part(self, visit_id: str) -> tuple[RecordedTrack, ...]:
        """Unwire both sides; returns what was recorded, durable on the disk."""
        self._held.discard(visit_id)
        await self.end_supervision(visit_id)
        clerk_id = self._pairs.pop(visit_id, None)
        recording = self._recordings.pop(visit_id, None)
        if recording is None or clerk_id is None:
            return ()
        tracks: tuple[RecordedTrack, ...] = ()
        failed: MediaError | None = None
        for room in sorted(recording.begun):
            try:
                tracks += await self._engine.end_recording(room)
            except MediaError as error:
                failed = error  # told at the end: the other side must not be seen and recorded on for this one's sake
        for role, owner in ((CUSTOMER, visit_id), (CLERK, clerk_id)):
            seat = self._seat(role, owner)
            if seat is not None and seat.leg_id is not None:
                await self._quietly(self._engine.detach(seat.leg_id))
        if failed is not None:
            raise CounterError(ErrorCode.MEDIA_UNAVAILABLE, f"not wholly recorded: {failed}") from failed
        return tracks

    async def leave(self, role: str, owner: str) -> None:
        """This page is gone for good."""
        supervised = self.supervised_by(owner) if role == CLERK else None
        if supervised is not None:
            await self.end_supervision(supervised[0])
        for part in [key[2] for key in self._seats if key[:2] == (role, owner)]:
            await self._leave(role, owner, part)

    async def _leave(self, role: str, owner: str, part: str) -> None:
        seat = self._seats.pop((role, owner, part), None)
        if seat is None:
            return
        for leg_id in (seat.leg_id, seat.joining, *seat.old_legs):
            if leg_id is not None:
                self._by_leg.pop(leg_id, None)
                await self._quietly(self._engine.close_leg(leg_id))

    async def _wire(self, visit_id: str) -> None:
        clerk_id, recording = self._pairs.get(visit_id), self._recordings.get(visit_id)
        if clerk_id is None or recording is None:
            return
        sides = [self._seat(CUSTOMER, visit_id), self._seat(CLERK, clerk_id)]
        legs = [None if seat is None else seat.leg_id for seat in sides]
        if visit_id in self._held:
            for leg_id in legs:
                if leg_id is not None:
                    await self._quietly(self._engine.detach(leg_id))
        elif legs[0] is not None and legs[1] is not None and not await self._attach_both(legs[0], legs[1]):
            # A warm leg on another worker than the customer's: the clerk's page makes one there. Nothing of this side
            # is recorded before, because two workers would write the same files.
            legs[1] = None
            self._call_anew(sides[1])
        for role, owner, leg_id in zip((CUSTOMER, CLERK), (visit_id, clerk_id), legs, strict=True):
            if leg_id is not None:
                recording.begun.add(_room(Seat(owner, role)))
                name = f"{role}-{recording.part}"
                await self._quietly(self._engine.record(leg_id, recording.folder, name, recording.recipient))

    # --- waiting, and a third person ---

    async def hold(self, visit_id: str, *, held: bool) -> None:
        """Neither side sees or hears the other until it is taken back; both go on being recorded."""
        (self._held.add if held else self._held.discard)(visit_id)
        await self._wire(visit_id)

    def _parts_of(self, role: str, owner: str) -> frozenset[str]:
        """Legs beside its own that this page may have now."""
        parts: set[str] = set()
        for visit_id, (supervisor, how) in self._supervised.items():
            if role == CLERK and owner == supervisor:
                parts |= {WATCH_CUSTOMER, WATCH_CLERK}
            if role == CLERK and owner == self._pairs.get(visit_id) and how is not Supervision.LISTEN:
                parts.add(THIRD)
            if role == CUSTOMER and owner == visit_id and how is Supervision.JOIN:
                parts.add(THIRD)
        return frozenset(parts)

    def supervision_of(self, visit_id: str) -> tuple[str, Supervision] | None:
        """Who supervises this call, by clerk id, and how."""
        return self._supervised.get(visit_id)

    def supervised_by(self, clerk_id: str) -> tuple[str, Supervision] | None:
        """The visit this clerk supervises, and how."""
        return next(((visit, how) for visit, (who, how) in self._supervised.items() if who == clerk_id), None)

    async def supervise(self, visit_id: str, clerk_id: str, how: Supervision) -> None:
        """Let the supervisor take part in this way from now on; the pages ask for their legs when their views say so.

        Raises:
            CounterError: WRONG_STEP when nobody serves the visit, or another supervisor or the clerk itself is there.
        """
        other = self._supervised.get(visit_id)
        if visit_id not in self._pairs or self._pairs[visit_id] == clerk_id or (other and other[0] != clerk_id):
            raise CounterError(ErrorCode.WRONG_STEP)
        before = self.supervised_by(clerk_id)
        if before is not None and before[0] != visit_id:
            await self.end_supervision(before[0])
        self._supervised[visit_id] = (clerk_id, how)
        await self._wire_supervisor(visit_id)

    async def end_supervision(self, visit_id: str) -> str | None:
        """Nobody takes part any more; who did."""
        clerk_id, _ = self._supervised.pop(visit_id, (None, None))
        if clerk_id is not None:
            await self._leave(CLERK, clerk_id, WATCH_CLERK)
            await self._leave(CLERK, clerk_id, WATCH_CUSTOMER)
            await self._leave(CLERK, self._pairs.get(visit_id, ""), THIRD)
            await self._leave(CUSTOMER, visit_id, THIRD)
        return clerk_id

    async def _wire_supervisor(self, visit_id: str) -> None:
        """Both sides to the supervisor's two legs; the supervisor to whom the manner says, and to nobody else."""
        supervised, recording = self._supervised.get(visit_id), self._recordings.get(visit_id)
        if supervised is None:
            return
        supervisor, how = supervised
        clerk_id = self._pairs.get(visit_id, "")
        voice = self._seat(CLERK, supervisor, WATCH_CUSTOMER)
        to_clerk, to_customer = self._seat(CLERK, clerk_id, THIRD), self._seat(CUSTOMER, visit_id, THIRD)
        speaks_to = {Supervision.LISTEN: [], Supervision.WHISPER: [to_clerk], Supervision.JOIN: [to_clerk, to_customer]}
        for seat in (to_clerk, to_customer):
            if seat is not None and seat.leg_id is not None and seat not in speaks_to[how]:
                await self._quietly(self._engine.detach(seat.leg_id))
        wires = [(self._seat(CUSTOMER, visit_id), voice)]
        wires += [(self._seat(CLERK, clerk_id), self._seat(CLERK, supervisor, WATCH_CLERK))]
        wires += [(voice, seat) for seat in speaks_to[how]]
        for publisher, subscriber in wires:
            if publisher and subscriber and publisher.leg_id and subscriber.leg_id:
                try:
                    await self._engine.attach(publisher.leg_id, subscriber.leg_id)
                except LegsApartError:
                    self._call_anew(subscriber)
                except MediaError as error:
                    log.info("media: %s", error)
        if how is Supervision.JOIN and recording is not None and voice is not None and voice.leg_id is not None:
            recording.begun.add(_room(voice))
            name = f"{SUPERVISOR}-{recording.part}"
            await self._quietly(self._engine.record(voice.leg_id, recording.folder, name, recording.recipient))

    async def _attach_both(self, customer_leg: str, clerk_leg: str) -> bool:
        """Whether one worker carries both."""
        try:
            await self._engine.attach(customer_leg, clerk_leg)
        except LegsApartError:
            return False
        except MediaError as error:
            log.info("media: %s", error)  # a leg may go while we speak of it; its own event tells the pages
        await self._quietly(self._engine.attach(clerk_leg, customer_leg))
        return True

    def _call_anew(self, seat: Seat | None) -> None:
        """Have the page join again, now rather than when it misses its line."""
        if seat is not None:
            seat.called_anew += 1
            self._on_line(seat)

    def _other_room(self, seat: Seat) -> str | None:
        """Of whoever this leg is wired to: no media cross workers, so it must stand beside theirs."""
        if seat.role == CUSTOMER and seat.part == MAIN:
            clerk_id = self._pairs.get(seat.owner)
            return None if clerk_id is None else _room(Seat(clerk_id, CLERK))
        visit_id = self._visit_at(seat)
        return None if visit_id is None else _room(Seat(visit_id, CUSTOMER))

    def _visit_at(self, seat: Seat) -> str | None:
        """The visit that this leg belongs to now."""
        if seat.role == CUSTOMER:
            return seat.owner
        if seat.part in (WATCH_CUSTOMER, WATCH_CLERK):
            return next((visit for visit, (who, _) in self._supervised.items() if who == seat.owner), None)
        return self._visit_of(seat.owner)

    async def listen(self) -> None:
        """Follow what the engine says, for as long as there are calls."""
        while True:
            event = await self._engine.next_event()
            match event:
                case PictureSampled():
                    seat = self._by_leg.get(event.leg_id)
                    if seat is not None and seat.watched:
                        self._on_picture(seat.owner, event)
                case LegConnected():
                    await self._connected(event.leg_id)
                case LineLost():
                    self._set_line(event.leg_id, Line.LOST)
                case LineBack():
                    self._set_line(event.leg_id, Line.OK)
                case LegClosed():
                    self._set_line(event.leg_id, Line.LOST)
                    seat = self._by_leg.pop(event.leg_id, None)
                    if seat is not None and seat.leg_id == event.leg_id:
                        seat.leg_id = None
                case WorkerDied():
                    self._lost(frozenset(event.rooms))

    async def _connected(self, leg_id: str) -> None:
        seat = self._by_leg.get(leg_id)
        if seat is None or seat.joining != leg_id:
            return
        before, seat.leg_id, seat.joining = seat.leg_id, leg_id, None
        for old in (before, *seat.old_legs):
            if old is not None:
                self._by_leg.pop(old, None)
                await self._quietly(self._engine.close_leg(old))
        seat.old_legs.clear()
        seat.line = Line.OK
        if seat.watched:
            await self._quietly(self._engine.watch(leg_id, pictures_per_s=seat.pictures_per_s))
        visit_id = self._visit_at(seat)
        if visit_id is not None:
            if seat.part == MAIN:
                await self._wire(visit_id)
            await self._wire_supervisor(visit_id)
        self._on_line(seat)

    def _visit_of(self, clerk_id: str) -> str | None:
        return next((visit for visit, clerk in self._pairs.items() if clerk == clerk_id), None)

    def _set_line(self, leg_id: str, line: Line) -> None:
        seat = self._by_leg.get(leg_id)
        if seat is not None and seat.leg_id == leg_id and seat.line is not line:
            seat.line = line
            self._on_line(seat)

    def _lost(self, rooms: frozenset[str]) -> None:
        """A worker took the legs of these rooms along; their pages join again at once, on another or on the next."""
        for seat in [seat for seat in self._seats.values() if _room(seat) in rooms]:
            for leg_id in [leg_id for leg_id, of in self._by_leg.items() if of is seat]:
                del self._by_leg[leg_id]
            seat.leg_id = seat.joining = None
            seat.old_legs.clear()
            seat.line = Line.LOST
            self._call_anew(seat)

    async def _quietly(self, act: Awaitable[None]) -> None:
        """A leg may go while we speak of it; its own event tells the pages."""
        try:
            await act
        except MediaError as error:
            log.info("media: %s", error)


def _fingerprint(sdp: str) -> str:
    """RFC 8122 §5: every one the answer names, whichever of them the DTLS handshake is then held to."""
    return " ".join(sorted({line[14:].strip() for line in sdp.splitlines() if line.startswith("a=fingerprint:")}))


def _room(seat: Seat) -> str:
    return f"{seat.role}-{seat.owner}" if seat.part == MAIN else f"{seat.role}-{seat.owner}-{seat.part}"
