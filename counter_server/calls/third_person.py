"""Whoever takes part in a call beside its two sides: who hears them, and which legs that takes."""

import logging
from enum import StrEnum

from counter_server.calls.seats import (
    CLERK,
    CUSTOMER,
    SUPERVISOR,
    THIRD,
    WATCH_CLERK,
    WATCH_CUSTOMER,
    Recording,
    Seats,
    quietly,
)
from webrtc.engine import MediaEngine
from webrtc.errors import LegsApartError, MediaError

log = logging.getLogger(__name__)


class Supervision(StrEnum):
    """How a supervisor takes part in a call."""

    LISTEN = "listen"  # hears and sees both
    WHISPER = "whisper"  # and speaks to the clerk alone
    JOIN = "join"  # and speaks to both, and is recorded


class ThirdPersons:
    """At most one for each visit, and one visit for each of them."""

    def __init__(self, engine: MediaEngine, seats: Seats) -> None:
        self._engine = engine
        self._seats = seats
        self._present: dict[str, tuple[str, Supervision]] = {}  # visit id → their clerk id, how
        self._kinds: dict[str, str] = {}  # visit id → what they are there for, in the names of their tracks
        self._invited: dict[str, str] = {}  # visit id → clerk id of who was asked and has not answered

    def of(self, visit_id: str) -> tuple[str, Supervision] | None:
        """Who takes part in this call, by clerk id, and how."""
        return self._present.get(visit_id)

    def visit_of(self, clerk_id: str) -> tuple[str, Supervision] | None:
        """The visit this clerk takes part in as a third person, and how."""
        return next(((visit, how) for visit, (who, how) in self._present.items() if who == clerk_id), None)

    def enter(self, visit_id: str, clerk_id: str, how: Supervision, kind: str) -> None:
        """From now on in this way."""
        self._present[visit_id] = (clerk_id, how)
        self._kinds[visit_id] = kind

    def kind_of(self, clerk_id: str) -> str:
        """What this clerk is there for, where they take part."""
        present = self.visit_of(clerk_id)
        return SUPERVISOR if present is None else self._kinds[present[0]]

    def invite(self, visit_id: str, clerk_id: str | None) -> None:
        """Ask this clerk in, and nobody else; None asks nobody."""
        self._invited.pop(visit_id, None)
        if clerk_id is not None:
            self._invited[visit_id] = clerk_id

    def invited(self, visit_id: str) -> str | None:
        """Who was asked into this call."""
        return self._invited.get(visit_id)

    def invitation_of(self, clerk_id: str) -> str | None:
        """The visit this clerk was asked into, the first if several."""
        return next((visit for visit, who in self._invited.items() if who == clerk_id), None)

    def parts_of(self, role: str, owner: str, serving: str | None) -> frozenset[str]:
        """Legs this page may have for it; `serving` is the visit whose clerk the owner is."""
        parts: set[str] = set()
        if role == CLERK and self.visit_of(owner) is not None:
            parts |= {WATCH_CUSTOMER, WATCH_CLERK}
        _, heard_as_clerk = self._present.get(serving or "", (None, Supervision.LISTEN))
        if role == CLERK and heard_as_clerk is not Supervision.LISTEN:
            parts.add(THIRD)
        _, heard_as_customer = self._present.get(owner, (None, Supervision.LISTEN))
        if role == CUSTOMER and heard_as_customer is Supervision.JOIN:
            parts.add(THIRD)
        return frozenset(parts)

    async def leave(self, visit_id: str, clerk_id: str) -> str | None:
        """Nobody takes part beside this clerk any more; who did."""
        who, _ = self._present.pop(visit_id, (None, None))
        if who is not None:
            await self._seats.leave(CLERK, who, WATCH_CLERK)
            await self._seats.leave(CLERK, who, WATCH_CUSTOMER)
            await self._seats.leave(CLERK, clerk_id, THIRD)
            await self._seats.leave(CUSTOMER, visit_id, THIRD)
        return who

    async def wire(self, visit_id: str, clerk_id: str, recording: Recording | None) -> None:
        """Both sides to the third person's two legs; the third person to whom the manner says, and to nobody else."""
        if visit_id not in self._present:
            return
        who, how = self._present[visit_id]
        voice = self._seats.of(CLERK, who, WATCH_CUSTOMER)
        to_clerk, to_customer = self._seats.of(CLERK, clerk_id, THIRD), self._seats.of(CUSTOMER, visit_id, THIRD)
        speaks_to = {Supervision.LISTEN: [], Supervision.WHISPER: [to_clerk], Supervision.JOIN: [to_clerk, to_customer]}
        for seat in (to_clerk, to_customer):
            if seat is not None and seat.leg_id is not None and seat not in speaks_to[how]:
                await quietly(self._engine.detach(seat.leg_id))
        wires = [(self._seats.of(CUSTOMER, visit_id), voice)]
        wires += [(self._seats.of(CLERK, clerk_id), self._seats.of(CLERK, who, WATCH_CLERK))]
        wires += [(voice, seat) for seat in speaks_to[how]]
        for publisher, subscriber in wires:
            if publisher and subscriber and publisher.leg_id and subscriber.leg_id:
                try:
                    await self._engine.attach(publisher.leg_id, subscriber.leg_id)
                except LegsApartError:
                    self._seats.call_anew(subscriber)
                except MediaError as error:
                    log.info("media: %s", error)
        if how is Supervision.JOIN and recording is not None and voice is not None and voice.leg_id is not None:
            recording.begun.add(voice.room)
            name = f"{self._kinds[visit_id]}-{recording.part}"
            await quietly(self._engine.record(voice.leg_id, recording.folder, name, recording.recipient))
