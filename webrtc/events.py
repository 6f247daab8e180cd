"""Media events on their way to one reader: nothing is ever lost but pictures, and those only up to the next key."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from webrtc.engine import MediaEvent, PictureSampled

# Four seconds of one camera. A reader further behind than that wants to see now, not then.
WAITING_PICTURES = 120


class EventQueue:
    """A queue whose pictures are bounded per leg and whose other events are never dropped.

    When a leg's share is full its newest pictures are refused until the next key picture, so that what the reader gets
    stays decodable; `ask_key(leg_id)` is called to make that soon.
    """

    def __init__(self, ask_key: Callable[[str], None]):
        self._ask_key = ask_key
        self._events: deque[MediaEvent] = deque()
        self._pictures: Counter[str] = Counter()
        self._refusing: set[str] = set()
        self._arrived = asyncio.Event()

    def put(self, event: MediaEvent) -> None:
        """Add an event, or refuse a picture that nobody keeps up with."""
        if isinstance(event, PictureSampled):
            leg_id = event.leg_id
            if self._pictures[leg_id] >= WAITING_PICTURES:
                self._refusing.add(leg_id)
                return
            if leg_id in self._refusing:
                if not event.picture.key:
                    self._ask_key(leg_id)
                    return
                self._refusing.discard(leg_id)
            self._pictures[leg_id] += 1
        self._events.append(event)
        self._arrived.set()

    async def get(self) -> MediaEvent:
        """The next event, in the order they happened."""
        while not self._events:
            self._arrived.clear()
            await self._arrived.wait()
        event = self._events.popleft()
        if isinstance(event, PictureSampled):
            self._pictures[event.leg_id] -= 1
            if not self._pictures[event.leg_id]:
                del self._pictures[event.leg_id]
        return event
