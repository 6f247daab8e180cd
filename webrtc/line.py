"""What every leg tells about its line: connected once, lost and back as often as it happens, closed once."""

import time
from collections.abc import Callable

from webrtc.engine import LegClosed, LegConnected, LineBack, LineLost, MediaEvent

# Chromium sends sound 50 times a second without pause; 1.5 s is beyond any jitter (issue 2, research/media.md §1).
SILENCE_S = 1.5
# ICE gives up after 39.5 s (RFC 8445 §14.3 with 7 requests); a page that has not connected by 30 s has gone.
CONNECT_PATIENCE_S = 30.0


class LineWatch:
    """Turns what an engine notices into the events of `webrtc.engine`."""

    def __init__(self, leg_id: str, tell: Callable[[MediaEvent], None], on_back: Callable[[], None] | None = None):
        self._leg_id = leg_id
        self._tell = tell
        self._on_back = on_back
        self._packets_seen = 0
        self._heard_s = 0.0
        self._answered_s: float | None = None
        self._lost = False
        self.connected = False
        self.over = False

    @property
    def was_answered(self) -> bool:
        """Whether the page has answered the offer."""
        return self._answered_s is not None

    @property
    def coming_up(self) -> bool:
        """Whether the page has answered and media cannot flow yet."""
        return self.was_answered and not self.connected and not self.over

    def lost_s(self, now_s: float) -> float | None:
        """For how long nothing has come, while the line is lost."""
        return now_s - self._heard_s if self._lost and not self.over else None

    def answered(self) -> None:
        """The page's answer was applied: from now on it has `CONNECT_PATIENCE_S`."""
        self._answered_s = time.monotonic()

    def up(self) -> None:
        """Media can flow."""
        if not self.connected and not self.over:
            self.connected = True
            self._heard_s = time.monotonic()
            self._tell(LegConnected(self._leg_id))

    def end(self) -> None:
        """The leg is over without our doing: told once, and before that that its line is lost."""
        if self.over:
            return
        self.over = True
        if self.connected and not self._lost:
            self._tell(LineLost(self._leg_id))
        self._tell(LegClosed(self._leg_id))

    def tick(self, packets: int | None, now_s: float) -> None:
        """Compare arrivals with silence; `packets` counts all so far, None for a page that only looks on."""
        if self.over:
            return
        if not self.connected:
            if self._answered_s is not None and now_s - self._answered_s > CONNECT_PATIENCE_S:
                self.end()
        elif packets is None:
            return
        elif packets != self._packets_seen:
            self._packets_seen, self._heard_s = packets, now_s
            if self._lost:
                self._lost = False
                if self._on_back is not None:
                    self._on_back()
                self._tell(LineBack(self._leg_id))
        elif not self._lost and now_s - self._heard_s > SILENCE_S:
            self._lost = True
            self._tell(LineLost(self._leg_id))
