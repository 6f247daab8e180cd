"""Who sees and hears whom, and what of it is sealed while they do."""

import logging

from counter_server.calls.seats import (
    CHECK,
    CLERK,
    CUSTOMER,
    MAIN,
    SHOWN,
    SUPERVISOR,
    WATCH_CLERK,
    WATCH_CUSTOMER,
    Recording,
    Seat,
    Seats,
    quietly,
)
from counter_server.calls.shown import ShownPictures
from counter_server.calls.third_person import Supervision, ThirdPersons
from counter_server.errors import CounterError
from webrtc.engine import MediaEngine, RecordedTrack
from webrtc.errors import LegsApartError, MediaError
from webrtc.wire.message import ErrorCode

log = logging.getLogger(__name__)


class Wires:
    """Customer and clerk of each visit, wired both ways, and whoever takes part beside them."""

    def __init__(self, engine: MediaEngine, seats: Seats) -> None:
        self._engine = engine
        self._seats = seats
        self._third = ThirdPersons(engine, seats)
        self._shown = ShownPictures(engine, seats)
        self._pairs: dict[str, str] = {}  # visit id → clerk id
        self._held: set[str] = set()  # visits whose clerk asked them to wait
        self._recordings: dict[str, Recording] = {}

    async def bring_together(self, visit_id: str, clerk_id: str, recording: Recording) -> None:
        """Wire customer and clerk both ways and seal both sides from now on; a side that is not up yet follows."""
        self._pairs[visit_id] = clerk_id
        self._recordings[visit_id] = recording
        await self._seats.leave(CUSTOMER, visit_id, CHECK)
        await self._wire(visit_id)

    async def part(self, visit_id: str) -> tuple[RecordedTrack, ...]:
        """Unwire both sides; returns what was recorded, durable on the disk."""
        self._held.discard(visit_id)
        self._third.invite(visit_id, None)
        await self.end_supervision(visit_id)
        await self._shown.end(visit_id, self._pairs.get(visit_id, ""))
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
            seat = self._seats.of(role, owner)
            if seat is not None and seat.leg_id is not None:
                await quietly(self._engine.detach(seat.leg_id))
        if failed is not None:
            raise CounterError(ErrorCode.MEDIA_UNAVAILABLE, f"not wholly recorded: {failed}") from failed
        return tracks

    async def hold(self, visit_id: str, *, held: bool) -> None:
        """Neither side sees or hears the other until it is taken back; both go on being recorded."""
        (self._held.add if held else self._held.discard)(visit_id)
        await self._wire(visit_id)
        await self._wire_shown(visit_id)

    # --- a second picture ---

    def shown(self, visit_id: str) -> str | None:
        """What this visit's customer shows beside themselves."""
        return self._shown.of(visit_id)

    async def show(self, visit_id: str, what: str | None) -> None:
        """Let the customer show this, or nothing more; the pages ask for their legs when their views say so.

        Raises:
            CounterError: WRONG_STEP when nobody serves the visit.
        """
        if what is None:
            await self._shown.end(visit_id, self._pairs.get(visit_id, ""))
            return
        if visit_id not in self._pairs:
            raise CounterError(ErrorCode.WRONG_STEP)
        self._shown.begin(visit_id, what)

    # --- a third person ---

    def supervision_of(self, visit_id: str) -> tuple[str, Supervision] | None:
        """Who supervises this call, by clerk id, and how."""
        return self._third.of(visit_id)

    def supervised_by(self, clerk_id: str) -> tuple[str, Supervision] | None:
        """The visit this clerk supervises, and how."""
        return self._third.visit_of(clerk_id)

    async def supervise(self, visit_id: str, clerk_id: str, how: Supervision, kind: str = SUPERVISOR) -> None:
        """Let the supervisor take part in this way from now on; the pages ask for their legs when their views say so.

        Raises:
            CounterError: WRONG_STEP when nobody serves the visit, or another supervisor or the clerk itself is there.
        """
        other = self._third.of(visit_id)
        if visit_id not in self._pairs or self._pairs[visit_id] == clerk_id or (other and other[0] != clerk_id):
            raise CounterError(ErrorCode.WRONG_STEP)
        before = self._third.visit_of(clerk_id)
        if before is not None and before[0] != visit_id:
            await self.end_supervision(before[0])
        self._third.enter(visit_id, clerk_id, how, kind)
        await self._wire_third(visit_id)

    async def end_supervision(self, visit_id: str) -> str | None:
        """Nobody takes part any more; who did."""
        return await self._third.leave(visit_id, self._pairs.get(visit_id, ""))

    def invite(self, visit_id: str, clerk_id: str | None) -> None:
        """Ask this clerk into the call; None takes it back."""
        self._third.invite(visit_id, clerk_id)

    def invited(self, visit_id: str) -> str | None:
        """Who was asked into this call and has not answered."""
        return self._third.invited(visit_id)

    def invitation_of(self, clerk_id: str) -> str | None:
        """The visit this clerk was asked into."""
        return self._third.invitation_of(clerk_id)

    # --- for the pages' doors ---

    def _parts_of(self, role: str, owner: str) -> frozenset[str]:
        """Legs beside its own that this page may have now."""
        serving = self._visit_of(owner) if role == CLERK else None
        parts = set(self._third.parts_of(role, owner, serving))
        if role == CUSTOMER and owner not in self._pairs:
            parts.add(CHECK)
        if self._shown.of((owner if role == CUSTOMER else serving) or "") is not None:
            parts.add(SHOWN)
        return frozenset(parts)

    def _other_room(self, seat: Seat) -> str | None:
        """Of whoever this leg is wired to: no media cross workers, so it must stand beside theirs."""
        if seat.role == CUSTOMER and seat.part == MAIN:
            clerk_id = self._pairs.get(seat.owner)
            return None if clerk_id is None else Seat(clerk_id, CLERK).room
        visit_id = self._visit_at(seat)
        return None if visit_id is None else Seat(visit_id, CUSTOMER).room

    def _visit_at(self, seat: Seat) -> str | None:
        """The visit that this leg belongs to now."""
        if seat.role == CUSTOMER:
            return seat.owner
        if seat.part in (WATCH_CUSTOMER, WATCH_CLERK):
            supervised = self._third.visit_of(seat.owner)
            return None if supervised is None else supervised[0]
        return self._visit_of(seat.owner)

    def _visit_of(self, clerk_id: str) -> str | None:
        return next((visit for visit, clerk in self._pairs.items() if clerk == clerk_id), None)

    async def _wire_leg(self, seat: Seat) -> None:
        """A leg of this seat has come up: whatever it takes part in."""
        if seat.part == CHECK and seat.leg_id is not None:
            await quietly(self._engine.attach(seat.leg_id, seat.leg_id))
            return
        visit_id = self._visit_at(seat)
        if visit_id is not None:
            if seat.part == MAIN:
                await self._wire(visit_id)
            if seat.part == SHOWN:
                await self._wire_shown(visit_id)
            else:
                await self._wire_third(visit_id)

    async def _wire_shown(self, visit_id: str) -> None:
        clerk_id, recording = self._pairs.get(visit_id, ""), self._recordings.get(visit_id)
        await self._shown.wire(visit_id, clerk_id, recording, held=visit_id in self._held)

    async def _wire_third(self, visit_id: str) -> None:
        await self._third.wire(visit_id, self._pairs.get(visit_id, ""), self._recordings.get(visit_id))

    async def _wire(self, visit_id: str) -> None:
        clerk_id, recording = self._pairs.get(visit_id), self._recordings.get(visit_id)
        if clerk_id is None or recording is None:
            return
        sides = [self._seats.of(CUSTOMER, visit_id), self._seats.of(CLERK, clerk_id)]
        legs = [None if seat is None else seat.leg_id for seat in sides]
        if visit_id in self._held:
            for leg_id in legs:
                if leg_id is not None:
                    await quietly(self._engine.detach(leg_id))
        elif legs[0] is not None and legs[1] is not None and not await self._attach_both(legs[0], legs[1]):
            # A warm leg on another worker than the customer's: the clerk's page makes one there. Nothing of this side
            # is recorded before, because two workers would write the same files.
            legs[1] = None
            self._seats.call_anew(sides[1])
        for role, owner, leg_id in zip((CUSTOMER, CLERK), (visit_id, clerk_id), legs, strict=True):
            if leg_id is not None:
                recording.begun.add(Seat(owner, role).room)
                name = f"{role}-{recording.part}"
                await quietly(self._engine.record(leg_id, recording.folder, name, recording.recipient))

    async def _attach_both(self, customer_leg: str, clerk_leg: str) -> bool:
        """Whether one worker carries both."""
        try:
            await self._engine.attach(customer_leg, clerk_leg)
        except LegsApartError:
            return False
        except MediaError as error:
            log.info("media: %s", error)  # a leg may go while we speak of it; its own event tells the pages
        await quietly(self._engine.attach(clerk_leg, customer_leg))
        return True
