"""Viewings of recordings that are open now: each in one clerk's hands and in memory only, each ends by itself."""

import secrets
import time
from dataclasses import dataclass, field

from counter_server.errors import CounterError
from counter_server.records.watching import TrackReader
from webrtc.wire.message import ErrorCode

# A viewing that nobody asks anything of for so long has ended; the next one is noted anew.
IDLE_S = 15 * 60.0
MOST_VIEWINGS = 50


@dataclass(slots=True)
class Viewing:
    """One person's look at one record."""

    clerk_id: str
    tracks: tuple[TrackReader, ...]
    asked_s: float


@dataclass(slots=True)
class Viewings:
    """Those that are open now, by their unguessable number."""

    open: dict[str, Viewing] = field(default_factory=dict)

    def add(self, viewing: Viewing) -> str:
        """Keep it; the longest unused go first when there are too many."""
        for old, _ in sorted(self.open.items(), key=lambda item: item[1].asked_s)[: -MOST_VIEWINGS + 1]:
            del self.open[old]
        viewing_id = secrets.token_urlsafe(24)
        self.open[viewing_id] = viewing
        return viewing_id

    def of(self, viewing_id: str, clerk_id: str) -> Viewing:
        """The clerk's own viewing.

        Raises:
            CounterError: NOT_FOUND for another's, or when it has ended.
        """
        now_s = time.monotonic()
        for old in [key for key, viewing in self.open.items() if now_s - viewing.asked_s > IDLE_S]:
            del self.open[old]
        viewing = self.open.get(viewing_id)
        if viewing is None or viewing.clerk_id != clerk_id:
            raise CounterError(ErrorCode.NOT_FOUND, "this viewing has ended")
        viewing.asked_s = now_s
        return viewing
