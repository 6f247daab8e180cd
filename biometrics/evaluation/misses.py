"""FNMR at a false match rate, with the interval that so few people leave open."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.evaluation.intervals import bootstrap_weights, upper_bound
from biometrics.evaluation.scores import Scores, distance_at

REPEATS: Final = 200
TAIL: Final = 20.0  # times the wanted rate: how much of the closest strangers a resample can need


@dataclass(frozen=True, slots=True)
class Misses:
    """How often the same person is missed where strangers are accepted at most at a given rate."""

    fmr: float
    distance: float
    fnmr: float
    low: float
    high: float
    """95 %: people resampled, for strangers and for themselves; never below what no miss among so few can exclude."""
    genuine: int


def misses_at(scores: Scores, fmr: float) -> Misses | None:
    """FNMR at the loosest distance that keeps the rate among these people; None of too few strangers or no genuine."""
    genuine, whose = scores.genuine, scores.genuine_people
    limit = distance_at(scores.impostor, fmr)
    if limit is None or not len(genuine):
        return None
    missed = genuine >= limit
    weights = bootstrap_weights(len(scores.groups), repeats=REPEATS)
    limits = _limits(scores, fmr, weights)
    rates = [
        float(np.average(genuine >= one, weights=drawn[whose]))
        for one, drawn in zip(limits, weights, strict=True)
        if drawn[whose].any()
    ]
    low, high = np.quantile(rates, [0.025, 0.975]) if rates else (0.0, 1.0)
    of_people = upper_bound(len(np.unique(whose[missed])), len(np.unique(whose)), confidence=0.975)
    rate = float(missed.mean())
    return Misses(fmr, limit, rate, min(rate, float(low)), max(rate, float(high), of_people), len(genuine))


def _limits(scores: Scores, fmr: float, weights: NDArray[np.float64]) -> list[float]:
    """The distance that keeps the rate, in each resample of people."""
    rows, columns = np.nonzero(scores.person[:, None] != scores.person[None, :])
    distances, one, other = scores.distances[rows, columns], scores.person[rows], scores.person[columns]
    known = ~np.isnan(distances)
    distances, one, other = distances[known], one[known], other[known]
    closest = np.argsort(distances)[: max(1000, int(TAIL * fmr * len(distances)))]
    limits = []
    for drawn in weights:
        total = float(np.sum(drawn[one] * drawn[other]))
        counted = np.cumsum(drawn[one[closest]] * drawn[other[closest]])
        step = int(np.searchsorted(counted, fmr * total, side="right"))
        limits.append(float(distances[closest[min(step, len(closest) - 1)]]))
    return limits
