"""Who is in which call: one leg per page, wired to the other side while a clerk serves a visit.

The database says which clerk serves which visit; this room only carries their pictures and sound, and forgets
everything when the counter restarts. Places are in `seats`, who sees whom in `wires`.
"""

from collections.abc import Awaitable, Callable

from counter_server.calls.seats import (
    CLERK,
    CUSTOMER,
    MAIN,
    SHOWN,
    WATCH_CUSTOMER,
    Seat,
    Seats,
    fingerprint_in,
    quietly,
)
from counter_server.calls.wires import Wires
from counter_server.errors import CounterError
from webrtc.engine import (
    LegClosed,
    LegConnected,
    LegOffer,
    LineBack,
    LineLost,
    MediaEngine,
    PictureSampled,
    WorkerDied,
)
from webrtc.errors import MediaError
from webrtc.wire.call import Line
from webrtc.wire.message import ErrorCode


class Calls(Wires):
    """The pages' doors and the engine's events, over seats and wires."""

    def __init__(
        self,
        engine: MediaEngine,
        on_line: Callable[[Seat], None],
        on_picture: Callable[[str, PictureSampled], None],
    ) -> None:
        super().__init__(engine, Seats(engine, on_line))
        self._on_picture = on_picture

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
        seat = self._seats.of(role, owner)
        return Line.NONE if seat is None else seat.line

    def part_of(self, leg_id: str) -> str:
        """Which of its page's legs this is."""
        seat = self._seats.at(leg_id)
        return MAIN if seat is None else seat.part

    def called_anew(self, role: str, owner: str) -> dict[str, int]:
        """By part, a number that grows when that leg is gone or is needed elsewhere: then the page joins again."""
        return {seat.part: seat.called_anew for seat in self._seats.of_page(role, owner)}

    async def join(self, role: str, owner: str, part: str = MAIN) -> LegOffer:
        """A leg for this page, first or again; the one before is closed when the new one is up.

        Raises:
            CounterError: MEDIA_UNAVAILABLE; NOT_ALLOWED for a part this page has no part in.
        """
        if part != MAIN and part not in self._parts_of(role, owner):
            raise CounterError(ErrorCode.NOT_ALLOWED)
        seat = self._seats.take(role, owner, part)
        # the role names the track this leg may fill
        leg_role = {WATCH_CUSTOMER: self._third.kind_of(owner), SHOWN: SHOWN}.get(part, role)
        try:
            offer = await self._engine.create_leg(seat.room, leg_role, near=self._other_room(seat))
        except MediaError as error:
            raise CounterError(ErrorCode.MEDIA_UNAVAILABLE, str(error)) from error
        if self._seats.of(role, owner, part) is not seat:  # hung up meanwhile: nobody would close this leg
            await quietly(self._engine.close_leg(offer.leg_id))
            raise CounterError(ErrorCode.WRONG_STEP, "the call has ended")
        if seat.joining is not None:
            seat.old_legs.append(seat.joining)
        seat.joining = offer.leg_id
        self._seats.seat_leg(offer.leg_id, seat)
        if seat.line is Line.NONE:
            seat.line = Line.CONNECTING
            self._seats.changed(seat)
        return offer

    async def answer(self, role: str, owner: str, leg_id: str, sdp: str) -> None:
        """The page's answer to its own offer; anybody else's leg is refused."""
        await self._on_own_leg(role, owner, leg_id, lambda: self._engine.accept(leg_id, sdp))
        if (seat := self._seats.at(leg_id)) is not None:
            kept = {leg: of for leg, of in seat.fingerprints.items() if leg in (seat.leg_id, seat.joining)}
            # the first stays: a later answer only finds another way, no handshake holds the page to what it says there
            seat.fingerprints = kept | {leg_id: kept.get(leg_id) or fingerprint_in(sdp)}

    async def restart(self, role: str, owner: str, leg_id: str) -> LegOffer:
        """An offer that finds another way for this page's own leg; everything else of the call goes on."""
        offers: list[LegOffer] = []

        async def ask() -> None:
            offers.append(await self._engine.restart(leg_id))

        await self._on_own_leg(role, owner, leg_id, ask)
        return offers[0]

    def fingerprint(self, visit_id: str) -> str:
        """Of the certificate at the other end of the customer's leg (DTLS holds the page to it); "" without a leg."""
        seat = self._seats.of(CUSTOMER, visit_id)
        return "" if seat is None or seat.leg_id is None else seat.fingerprints.get(seat.leg_id, "")

    async def candidate(
        self, role: str, owner: str, leg_id: str, candidate: str | None, mid: str | None, index: int | None
    ) -> None:
        """One trickled candidate of the page."""
        await self._on_own_leg(role, owner, leg_id, lambda: self._engine.add_candidate(leg_id, candidate, mid, index))

    async def _on_own_leg(self, role: str, owner: str, leg_id: str, act: Callable[[], Awaitable[None]]) -> None:
        seat = self._seats.at(leg_id)
        if seat is None or (seat.role, seat.owner) != (role, owner):
            raise CounterError(ErrorCode.NOT_ALLOWED)
        try:
            await act()
        except MediaError as error:
            raise CounterError(ErrorCode.MEDIA_UNAVAILABLE, str(error)) from error

    async def watch(self, visit_id: str, pictures_per_s: float) -> None:
        """Deliver the customer's pictures to `on_picture` from now on."""
        seat = self._seats.of(CUSTOMER, visit_id)
        if seat is None or seat.leg_id is None:
            raise CounterError(ErrorCode.MEDIA_UNAVAILABLE, "the camera's line is not up")
        seat.watched, seat.pictures_per_s = True, pictures_per_s
        await self._engine.watch(seat.leg_id, pictures_per_s=pictures_per_s)

    async def follow(self, visit_id: str, pictures_per_s: float) -> None:
        """As `watch`, for a call: a line that is not up yet, or comes again, is watched when it is."""
        seat = self._seats.take(CUSTOMER, visit_id)
        seat.watched, seat.pictures_per_s = True, pictures_per_s
        if seat.leg_id is not None:
            await quietly(self._engine.watch(seat.leg_id, pictures_per_s=pictures_per_s))

    def leg(self, visit_id: str) -> str | None:
        """The customer's leg that is up, or was last."""
        seat = self._seats.of(CUSTOMER, visit_id)
        return None if seat is None else seat.leg_id

    async def unwatch(self, visit_id: str) -> None:
        """No more pictures."""
        seat = self._seats.of(CUSTOMER, visit_id)
        if seat is not None and seat.watched:
            seat.watched = False
            if seat.leg_id is not None:
                await quietly(self._engine.unwatch(seat.leg_id))

    async def leave(self, role: str, owner: str) -> None:
        """This page is gone for good."""
        supervised = self.supervised_by(owner) if role == CLERK else None
        if supervised is not None:
            await self.end_supervision(supervised[0])
        for seat in self._seats.of_page(role, owner):
            await self._seats.leave(role, owner, seat.part)

    async def leave_part(self, role: str, owner: str, part: str) -> None:
        """This page needs one of its legs no more."""
        await self._seats.leave(role, owner, part)

    async def listen(self) -> None:
        """Follow what the engine says, for as long as there are calls."""
        while True:
            event = await self._engine.next_event()
            match event:
                case PictureSampled():
                    seat = self._seats.at(event.leg_id)
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
                    seat = self._seats.forget_leg(event.leg_id)
                    if seat is not None and seat.leg_id == event.leg_id:
                        seat.leg_id = None
                case WorkerDied():
                    self._lost(frozenset(event.rooms))

    async def _connected(self, leg_id: str) -> None:
        seat = self._seats.at(leg_id)
        if seat is None or seat.joining != leg_id:
            return
        before, seat.leg_id, seat.joining = seat.leg_id, leg_id, None
        await self._seats.close_legs((before, *seat.old_legs))
        seat.old_legs.clear()
        seat.line = Line.OK
        if seat.watched:
            await quietly(self._engine.watch(leg_id, pictures_per_s=seat.pictures_per_s))
        await self._wire_leg(seat)
        self._seats.changed(seat)

    def _set_line(self, leg_id: str, line: Line) -> None:
        seat = self._seats.at(leg_id)
        if seat is not None and seat.leg_id == leg_id and seat.line is not line:
            seat.line = line
            self._seats.changed(seat)

    def _lost(self, rooms: frozenset[str]) -> None:
        """A worker took the legs of these rooms along; their pages join again at once, on another or on the next."""
        for seat in self._seats.in_rooms(rooms):
            self._seats.forget_legs_of(seat)
            seat.line = Line.LOST
            self._seats.call_anew(seat)
