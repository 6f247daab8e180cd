"""What a customer shows beside themselves, a document camera or a screen: a second picture, sealed as its own track."""

import logging

from counter_server.calls.seats import CLERK, CUSTOMER, SHOWN, Recording, Seats, quietly
from webrtc.engine import MediaEngine
from webrtc.errors import LegsApartError, MediaError

log = logging.getLogger(__name__)


class ShownPictures:
    """At most one for each visit; seen by the clerk who serves it."""

    def __init__(self, engine: MediaEngine, seats: Seats) -> None:
        self._engine = engine
        self._seats = seats
        self._shown: dict[str, str] = {}  # visit id → what it is

    def of(self, visit_id: str) -> str | None:
        """What this visit's customer shows now."""
        return self._shown.get(visit_id)

    def begin(self, visit_id: str, what: str) -> None:
        """From now on both pages may have a leg for it."""
        self._shown[visit_id] = what

    async def end(self, visit_id: str, clerk_id: str) -> bool:
        """Nothing is shown any more; whether something was. What was sealed of it stays."""
        if self._shown.pop(visit_id, None) is None:
            return False
        await self._seats.leave(CUSTOMER, visit_id, SHOWN)
        await self._seats.leave(CLERK, clerk_id, SHOWN)
        return True

    async def wire(self, visit_id: str, clerk_id: str, recording: Recording | None, *, held: bool) -> None:
        """To the clerk, unless the customer waits; into the record in any case."""
        camera, screen = self._seats.of(CUSTOMER, visit_id, SHOWN), self._seats.of(CLERK, clerk_id, SHOWN)
        if visit_id not in self._shown or camera is None or camera.leg_id is None:
            return
        if screen is not None and screen.leg_id is not None:
            try:
                if held:
                    await self._engine.detach(screen.leg_id)
                else:
                    await self._engine.attach(camera.leg_id, screen.leg_id)
            except LegsApartError:
                self._seats.call_anew(screen)
            except MediaError as error:
                log.info("media: %s", error)
        if recording is not None:
            recording.begun.add(camera.room)
            name = f"{SHOWN}-{recording.part}"
            await quietly(self._engine.record(camera.leg_id, recording.folder, name, recording.recipient))
