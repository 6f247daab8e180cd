"""Places in calls: whose page has which legs, and the number that grows when one must be made anew."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from webrtc.engine import MediaEngine
from webrtc.errors import MediaError
from webrtc.wire.call import Line

log = logging.getLogger(__name__)

CUSTOMER, CLERK = "customer", "clerk"
# Legs of a page beside its own: an engine carries one voice and one picture a leg each way, and mixes nothing.
MAIN, THIRD = "main", "third"  # THIRD: where customer or clerk hear and see whoever joined them
WATCH_CUSTOMER, WATCH_CLERK = "watch-customer", "watch-clerk"  # a supervisor's two; the first carries their own voice
SUPERVISOR = "supervisor"
SHOWN = "shown"  # the customer's second picture, and where the clerk sees it
CHECK = "check"  # of a customer before the queue: what it sends comes back


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

    @property
    def room(self) -> str:
        """The engine's name for it."""
        return f"{self.role}-{self.owner}" if self.part == MAIN else f"{self.role}-{self.owner}-{self.part}"


@dataclass(slots=True)
class Recording:
    """Where a visit's two sides are being sealed."""

    folder: Path
    recipient: str
    part: int  # 1 for the first clerk; a visit that lost its clerk begins a new part with the next
    begun: set[str] = field(default_factory=set)  # rooms of sides that have been recorded


class Seats:
    """Every seat, by whose it is and by its legs."""

    def __init__(self, engine: MediaEngine, on_line: Callable[[Seat], None]) -> None:
        self._engine = engine
        self._on_line = on_line
        self._taken: dict[tuple[str, str, str], Seat] = {}
        self._by_leg: dict[str, Seat] = {}

    def of(self, role: str, owner: str, part: str = MAIN) -> Seat | None:
        """This page's seat, if it has one."""
        return self._taken.get((role, owner, part))

    def take(self, role: str, owner: str, part: str = MAIN) -> Seat:
        """This page's seat, now if not before."""
        return self._taken.setdefault((role, owner, part), Seat(owner, role, part))

    def of_page(self, role: str, owner: str) -> tuple[Seat, ...]:
        """All of one page's seats."""
        return tuple(seat for seat in self._taken.values() if (seat.role, seat.owner) == (role, owner))

    def in_rooms(self, rooms: frozenset[str]) -> tuple[Seat, ...]:
        """Seats whose legs the engine keeps in these rooms."""
        return tuple(seat for seat in self._taken.values() if seat.room in rooms)

    def at(self, leg_id: str) -> Seat | None:
        """Whose leg this is."""
        return self._by_leg.get(leg_id)

    def seat_leg(self, leg_id: str, seat: Seat) -> None:
        """From now on the leg is this seat's."""
        self._by_leg[leg_id] = seat

    def forget_leg(self, leg_id: str) -> Seat | None:
        """The leg is nobody's any more; whose it was."""
        return self._by_leg.pop(leg_id, None)

    def forget_legs_of(self, seat: Seat) -> None:
        """All of its legs are gone without being closed."""
        for leg_id in [leg_id for leg_id, of in self._by_leg.items() if of is seat]:
            del self._by_leg[leg_id]
        seat.leg_id = seat.joining = None
        seat.old_legs.clear()

    async def close_legs(self, leg_ids: Iterable[str | None]) -> None:
        """Hang these up."""
        for leg_id in leg_ids:
            if leg_id is not None:
                self.forget_leg(leg_id)
                await quietly(self._engine.close_leg(leg_id))

    async def leave(self, role: str, owner: str, part: str) -> None:
        """The page needs this seat no more."""
        seat = self._taken.pop((role, owner, part), None)
        if seat is not None:
            await self.close_legs((seat.leg_id, seat.joining, *seat.old_legs))

    def changed(self, seat: Seat) -> None:
        """Tell whoever follows lines."""
        self._on_line(seat)

    def call_anew(self, seat: Seat | None) -> None:
        """Have the page join again, now rather than when it misses its line."""
        if seat is not None:
            seat.called_anew += 1
            self._on_line(seat)


async def quietly(act: Awaitable[None]) -> None:
    """A leg may go while we speak of it; its own event tells the pages."""
    try:
        await act
    except MediaError as error:
        log.info("media: %s", error)


def fingerprint_in(sdp: str) -> str:
    """RFC 8122 §5: every one the answer names, whichever of them the DTLS handshake is then held to."""
    return " ".join(sorted({line[14:].strip() for line in sdp.splitlines() if line.startswith("a=fingerprint:")}))
