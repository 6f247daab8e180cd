"""How much a publisher may send, so that its viewer can follow.

Judged by what congestion does and chance does not: a queue that stands, or loss that goes away when less is sent. Loss
alone says nothing (3 % on a radio line is weather), and obeying it took the publisher to 0.23 Mbit/s, measured.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter

from webrtc.aio.arrivals import Departure

# 2.5 Mbit/s is Chromium's own ceiling for one 720p camera; more is not seen at a counter.
CAP_BPS = 2_500_000
# Below 150 kbit/s a face at 640x480 is no longer good enough to compare.
FLOOR_BPS = 150_000

# A queue stands when even the luckiest packet of an interval waited: CoDel's measure (RFC 8289 §3.2). Its interval is
# 100 ms; video comes in bursts of one picture, so ours spans several. Its target for bulk data is 5 ms; scheduling on
# a busy receiver looks like 20.
QUEUE_INTERVAL_S = 0.3
QUEUE_TARGET_S = 0.04
# The shortest way ever seen is forgotten after this: routes change and clocks drift (100 ppm: 2 ms).
BASE_WINDOW_S = 10.0
RATE_WINDOW_S = 1.0
LATELY_S = 0.4
# Fewer say nothing about a line: a still picture sends two or three a second.
PACKETS_TO_JUDGE = 5
# Below 10 % loss is repaired without being seen (10 % each way: no freeze, tests/webrtc/netlab).
LOSS_TO_ANSWER = 0.10
# GCC backs off to 0.85 of what arrives (draft-ietf-rmcat-gcc-02 §5.5).
BACK_OFF = 0.85
# A publisher follows a new bound within half a second, then the queue must drain.
BETWEEN_CUTS_S = 1.0
JUDGE_QUEUE_AFTER_S = 0.9
JUDGE_LOSS_AFTER_S = 2.0
HOLD_AFTER_CUT_S = 1.5
# Per second: fast far below the last known capacity, slow close to it (as CUBIC, RFC 9438 §4).
GROWTH_FAR = 0.12
GROWTH_NEAR = 0.025
GROWTH_FIRST_S = 0.2

_delay = itemgetter(1)


@dataclass(slots=True)
class _Cut:
    """A reduction on trial: what was wrong before it, to see whether it helped."""

    at_s: float
    bound_before_bps: float | None
    loss_before: float
    queue_before_s: float
    judged: bool = False


@dataclass(slots=True)
class ViewerLimit:
    """The bound a viewer's line puts on its publisher in bit/s; None means the line carries all there is."""

    limit_bps: float | None = None
    loss: float = 0.0
    queue_s: float = 0.0
    delivered_bps: float = 0.0
    _delays: deque[tuple[float, float]] = field(default_factory=deque)  # (sent, delay)
    _fates: deque[Departure] = field(default_factory=deque)
    _arrivals_s: deque[float] = field(default_factory=deque)  # of those of them that arrived, in the same order
    _arrived_bytes: int = 0
    _base: tuple[float, float] = (float("inf"), float("inf"))  # smallest delay of the window before, of this one
    _base_turned_s: float = float("-inf")
    _weather_loss: float = 0.0
    _cut: _Cut | None = None
    _capacity_bps: float = 0.0
    _grown_at_s: float = float("-inf")

    @property
    def line_bps(self) -> float:
        """What the line should carry, pictures and repairs together."""
        return 2 * CAP_BPS if self.limit_bps is None else self.limit_bps / BACK_OFF

    def heard(self, fates: Iterable[Departure], now_s: float) -> float | None:
        """The bound after a feedback."""
        self._remember(fates, now_s)
        if self.delivered_bps <= 0:
            return self.limit_bps
        self._judge(now_s)
        queued = self.queue_s > QUEUE_TARGET_S
        if queued or self.loss > self._weather_loss + LOSS_TO_ANSWER:
            # a queue speaks for itself; of loss alone the last trial must have been judged before the next
            on_trial = self._cut is not None and not (queued or self._cut.judged)
            if not on_trial and (self._cut is None or now_s - self._cut.at_s > BETWEEN_CUTS_S):
                self._reduce(now_s)
        elif self.limit_bps is not None:
            self._grow(now_s)
        return self.limit_bps

    def estimated(self, estimate_bps: float, arriving_bps: float, now_s: float) -> float | None:
        """The bound after a REMB of a viewer that knows nothing better.

        Followed only where it speaks of overuse: a young stream's estimate would pin the publisher at 180 kbit/s.
        """
        self.delivered_bps = arriving_bps
        if 0 < estimate_bps < BACK_OFF * arriving_bps:
            if self._cut is None or now_s - self._cut.at_s > BETWEEN_CUTS_S:
                self._cut = _Cut(now_s, self.limit_bps, 0.0, 0.0, judged=True)
                self.limit_bps = max(FLOOR_BPS, min(estimate_bps, self.limit_bps or CAP_BPS))
                self._capacity_bps, self._grown_at_s = estimate_bps, now_s
        elif self.limit_bps is not None:
            self._grow(now_s)
        return self.limit_bps

    def _remember(self, fates: Iterable[Departure], now_s: float) -> None:
        """Move the windows on and measure queue, loss and throughput in them."""
        if now_s - self._base_turned_s > BASE_WINDOW_S:
            self._base = (self._base[1], float("inf"))
            self._base_turned_s = now_s
        before, lowest = self._base
        for fate in fates:
            self._fates.append(fate)
            if fate.arrived_s is not None:
                delay_s = fate.arrived_s - fate.sent_s
                self._delays.append((fate.sent_s, delay_s))
                lowest = min(lowest, delay_s)
                self._arrivals_s.append(fate.arrived_s)
                self._arrived_bytes += fate.size
        self._base = (before, lowest)
        while self._fates and self._fates[0].sent_s < self._fates[-1].sent_s - RATE_WINDOW_S:
            gone = self._fates.popleft()
            if gone.arrived_s is not None:
                self._arrivals_s.popleft()
                self._arrived_bytes -= gone.size
        while self._delays and self._delays[0][0] < self._delays[-1][0] - QUEUE_INTERVAL_S:
            self._delays.popleft()
        if len(self._arrivals_s) < PACKETS_TO_JUDGE:
            self.delivered_bps = 0.0
            return
        passed_s = max(self._arrivals_s) - min(self._arrivals_s)
        self.delivered_bps = 8 * self._arrived_bytes / max(passed_s, RATE_WINDOW_S / 2)
        self.loss = 1 - len(self._arrivals_s) / len(self._fates)
        self.queue_s = min(self._delays, key=_delay)[1] - min(self._base) if self._delays else 0.0

    def _judge(self, now_s: float) -> None:
        """Learn from the last cut: what stays although less is sent was not our doing."""
        cut = self._cut
        if cut is None or cut.judged or self.limit_bps is None:
            return
        passed_s = now_s - cut.at_s
        if cut.queue_before_s > QUEUE_TARGET_S:
            # a line that empties a queue delivers all it can, more than now may be sent; one that does not has none
            idle = passed_s > JUDGE_QUEUE_AFTER_S and self._delivered_lately() < 1.1 * self.limit_bps
            if idle and self.queue_s > 0.9 * cut.queue_before_s:
                self._base = (float("inf"), min(self._base) + self.queue_s)  # the way itself has become longer
                self.limit_bps = cut.bound_before_bps
                cut.judged = True
        elif passed_s > JUDGE_LOSS_AFTER_S and self.delivered_bps < 1.15 * self.limit_bps:
            if self.loss > 0.7 * cut.loss_before and self.queue_s < QUEUE_TARGET_S:
                self._weather_loss = self.loss
                self.limit_bps = cut.bound_before_bps
            else:
                self._weather_loss = min(self._weather_loss, self.loss)
            cut.judged = True

    def _reduce(self, now_s: float) -> None:
        """Go below what the line delivers, so that its queue empties."""
        line_bps = min(self.delivered_bps, self._delivered_lately())
        bound = max(FLOOR_BPS, min(BACK_OFF * line_bps, self.limit_bps or CAP_BPS))
        self._capacity_bps = line_bps
        self._cut = _Cut(now_s, self.limit_bps, self.loss, self.queue_s)
        self.limit_bps, self._grown_at_s = bound, now_s

    def _delivered_lately(self) -> float:
        """Throughput of the last stretch alone: a line that has just become narrow had a good second before."""
        since_s = max(self._arrivals_s) - LATELY_S
        lately = (fate.size for fate in self._fates if fate.arrived_s is not None and fate.arrived_s > since_s)
        return 8 * sum(lately) / LATELY_S

    def _grow(self, now_s: float) -> None:
        """Try more, as long as the publisher makes use of what it may."""
        cut_s = self._cut.at_s if self._cut is not None else float("-inf")
        passed_s = now_s - self._grown_at_s
        if self.limit_bps is None or now_s - cut_s < HOLD_AFTER_CUT_S or passed_s < GROWTH_FIRST_S:
            return
        self._grown_at_s = now_s
        if self.delivered_bps < 0.6 * self.limit_bps:
            return
        near = 0.8 * self._capacity_bps < self.limit_bps < 1.1 * self._capacity_bps
        self.limit_bps *= 1 + (GROWTH_NEAR if near else GROWTH_FAR) * min(passed_s, 1.0)
        if self.limit_bps >= CAP_BPS:
            self.limit_bps = None
