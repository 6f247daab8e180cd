"""The bound a viewer's line puts on its publisher, over a simulated bottleneck with a queue."""

import random
from dataclasses import dataclass, field

import pytest

from webrtc.aio.arrivals import Departure
from webrtc.aio.rate import CAP_BPS, FLOOR_BPS, ViewerLimit

PACKET = 1200
FEEDBACK_S = 0.1
REACTION_S = 0.4  # a publisher's encoder follows a new bound about so late


@dataclass
class Line:
    """A bottleneck: packets wait for their turn, what does not fit into the queue is lost, and some are lost anyway."""

    rate_bps: float
    queue_max_s: float = 0.1
    loss: float = 0.0
    way_s: float = 0.02
    free_at_s: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(3))  # noqa: S311 - repeatable

    def send(self, now_s: float) -> Departure:
        """Fate of a packet that leaves now."""
        waits_s = max(0.0, self.free_at_s - now_s)
        if self.dice.random() < self.loss or waits_s > self.queue_max_s:
            return Departure(now_s, None, PACKET)
        self.free_at_s = now_s + waits_s + 8 * PACKET / self.rate_bps
        return Departure(now_s, self.free_at_s + self.way_s + 1000.0, PACKET)  # the viewer's clock is another


@dataclass
class Call:
    """A publisher that sends all it may, late to obey, and a viewer that tells ten times a second."""

    line: Line
    wants_bps: float = 1_700_000
    limit: ViewerLimit = field(default_factory=ViewerLimit)
    now_s: float = 0.0
    bounds: list[tuple[float, float]] = field(default_factory=list)
    sent: list[tuple[float, float]] = field(default_factory=list)  # time, rate
    lost: int = 0

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end_s = self.now_s + seconds
        fates: list[Departure] = []
        told_s, rate_bps = self.now_s, self.wants_bps
        while self.now_s < end_s:
            obeyed = [bound for at_s, bound in self.bounds if at_s <= self.now_s - REACTION_S]
            rate_bps = min(self.wants_bps, obeyed[-1] if obeyed else CAP_BPS)
            fates.append(self.line.send(self.now_s))
            self.lost += fates[-1].arrived_s is None
            self.now_s += 8 * PACKET / rate_bps
            self.sent.append((self.now_s, rate_bps))
            if self.now_s - told_s > FEEDBACK_S:
                bound = self.limit.heard(fates, self.now_s)
                self.bounds.append((self.now_s, CAP_BPS if bound is None else bound))
                fates, told_s = [], self.now_s

    def mean_bps(self, last_s: float) -> float:
        """Rate sent over the last stretch."""
        rates = [rate for at_s, rate in self.sent if at_s > self.now_s - last_s]
        return 1 / (sum(1 / rate for rate in rates) / len(rates)) if rates else 0.0


def test_a_wide_line_puts_no_bound() -> None:
    call = Call(Line(rate_bps=10_000_000))
    call.run(20)
    assert call.limit.limit_bps is None


@pytest.mark.parametrize("loss", [0.03, 0.08, 0.10])
def test_random_loss_costs_the_publisher_little(loss: float) -> None:
    call = Call(Line(rate_bps=10_000_000, loss=loss))
    call.run(40)
    assert call.mean_bps(20) > 1_200_000


@pytest.mark.parametrize("queue_max_s", [0.02, 0.1, 0.4, 2.0])
def test_a_line_that_becomes_narrow_is_followed(queue_max_s: float) -> None:
    call = Call(Line(rate_bps=10_000_000, queue_max_s=queue_max_s))
    call.run(10)
    call.line.rate_bps = 700_000
    call.run(5)
    before = call.lost
    call.run(30)
    assert 350_000 < call.mean_bps(30) < 770_000
    assert (call.lost - before) / len([1 for at_s, _ in call.sent if at_s > 15]) < 0.05


def test_a_line_that_widens_again_is_used_again() -> None:
    call = Call(Line(rate_bps=700_000))
    call.run(15)
    assert call.limit.limit_bps is not None
    call.line.rate_bps = 10_000_000
    call.run(25)
    assert call.mean_bps(3) > 1_500_000


def test_narrow_and_lossy_at_once_is_both() -> None:
    call = Call(Line(rate_bps=700_000, loss=0.03))
    call.run(40)
    assert 300_000 < call.mean_bps(20) < 770_000


def test_a_longer_way_is_not_a_queue() -> None:
    call = Call(Line(rate_bps=10_000_000))
    call.run(15)
    call.line.way_s += 0.2
    call.run(30)
    assert call.mean_bps(10) > 1_200_000


def test_a_remb_is_obeyed_when_it_speaks_of_overuse_and_only_then() -> None:
    limit = ViewerLimit()
    assert limit.estimated(180_000, 150_000, 0.0) is None  # a young stream's estimate
    assert limit.estimated(600_000, 1_700_000, 1.0) == 600_000
    grown = [limit.estimated(5_000_000, 2_000_000, 4.0 + second) for second in range(60)]
    assert grown[-1] is None


def test_a_face_is_never_starved() -> None:
    call = Call(Line(rate_bps=40_000))
    call.run(60)
    assert call.limit.limit_bps is not None
    assert call.limit.limit_bps >= FLOOR_BPS
