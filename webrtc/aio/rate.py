"""How much a publisher may send, so that its one viewer can follow."""

from dataclasses import dataclass

# 2.5 Mbit/s is Chromium's own ceiling for one 720p camera; more is not seen at a counter.
CAP_BPS = 2_500_000
# Below 150 kbit/s a face at 640x480 is no longer good enough to compare.
FLOOR_BPS = 150_000
# A REMB under 85 % of what arrives, or 10 % loss, is overuse (GCC's thresholds, draft-ietf-rmcat-gcc-02 §5.5, §6).
OVERUSE_SHARE = 0.85
OVERUSE_LOSS = 0.10
GROWTH = 1.08
HOLD_AFTER_CUT_S = 2.0
BETWEEN_CUTS_S = 0.4


@dataclass(slots=True)
class ViewerLimit:
    """Additive-increase, multiplicative-decrease limit a viewer's line puts on its publisher; None means no limit.

    Following REMB blindly is wrong: Chromium's estimate for a young stream pinned the publisher at 180 kbit/s.
    """

    limit_bps: float | None = None
    estimate_bps: float = 0.0
    _cut_at_s: float = float("-inf")
    _grown_at_s: float = float("-inf")

    def heard(self, *, arriving_bps: float, loss: float, now_s: float) -> float | None:
        """The limit after a report: `loss` is the share lost since the last one, `arriving_bps` what comes in."""
        if not arriving_bps:
            return self.limit_bps
        overused = 0 < self.estimate_bps < OVERUSE_SHARE * arriving_bps
        if overused or loss > OVERUSE_LOSS:
            if now_s - self._cut_at_s > BETWEEN_CUTS_S:
                target = arriving_bps * (1 - 0.5 * loss) if loss > OVERUSE_LOSS else arriving_bps
                if overused:
                    target = min(target, self.estimate_bps)
                self.limit_bps = max(FLOOR_BPS, min(target, self.limit_bps or target))
                self._cut_at_s = self._grown_at_s = now_s
        elif self.limit_bps and now_s - self._cut_at_s > HOLD_AFTER_CUT_S and now_s - self._grown_at_s >= 1:
            self._grown_at_s = now_s
            self.limit_bps *= GROWTH
            if self.estimate_bps:
                self.limit_bps = min(self.limit_bps, max(self.estimate_bps, FLOOR_BPS))
            if self.limit_bps >= CAP_BPS:
                self.limit_bps = None
        return self.limit_bps
