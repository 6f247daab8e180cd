"""How sure a count makes us."""

import math

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95


def upper_bound(events: int, trials: int, *, confidence: float = CONFIDENCE) -> float:
    """Largest rate that would still show as few events with probability 1 - confidence (Clopper-Pearson, one-sided).

    With no events it is 1 - (1 - confidence)^(1/trials), about 3/trials: the rule of three. 1.0 without trials.
    """
    if trials <= 0 or events >= trials:
        return 1.0
    low, high = events / trials, 1.0
    for _ in range(60):  # halves the interval to below double precision
        middle = (low + high) / 2
        if _at_most(events, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def exact_interval(events: int, trials: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Both ends of the Clopper-Pearson interval."""
    each = (1 + confidence) / 2
    return 1 - upper_bound(trials - events, trials, confidence=each), upper_bound(events, trials, confidence=each)


def _at_most(events: int, trials: int, rate: float) -> float:
    """Probability of at most so many events."""
    if rate >= 1:
        return 0.0
    if rate <= 0:
        return 1.0
    total = 0.0
    for k in range(events + 1):
        log_ways = math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
        total += math.exp(log_ways + k * math.log(rate) + (trials - k) * math.log1p(-rate))
    return total


def bootstrap_weights(people: int, *, repeats: int, seed: int = 1) -> NDArray[np.float64]:
    """(repeats, people): how often each person is drawn when as many are drawn with replacement.

    Resampling people, not comparisons: comparisons of one person hang together (ISO/IEC 19795-1 annex B).
    """
    rng = np.random.default_rng(seed)
    return rng.multinomial(people, np.full(people, 1 / people), size=repeats).astype(np.float64)
