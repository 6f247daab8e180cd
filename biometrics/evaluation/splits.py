"""Whether a promised false match rate is kept among people it was not measured on: split by person, many times."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.evaluation.scores import Scores
from biometrics.evaluation.strangers import PairSums, fit_strangers

REPEATS: Final = 200
UNSEEN: Final = 1 / 3
MIN_PEOPLE: Final = 12
"""Below, a third of them are not even four people."""

PAIRS_NEEDED: Final = 10.0
"""Pairs of people expected within the claimed rate: of fewer, the counted share is chance (rule of three and more)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Realised over claimed: 1 is a promise kept, above it one broken, below it one too cautious."""

    claimed_fmr: float
    realised_over_claimed: float
    low: float
    high: float
    """2.5 % and 97.5 % of single splits: how far one evaluation on so few people may lie off."""
    splits: int


def rate_worth_claiming(people: int) -> float:
    """The smallest round rate of which so many people can show whether it is kept."""
    pairs = people * (people - 1) / 2
    return next((rate for rate in (1e-4, 1e-3) if pairs * rate >= PAIRS_NEEDED), 1e-2)


def promise_kept(scores: Scores, claimed_fmr: float, *, seed: int = 1) -> Kept | None:
    """Model two thirds of the people, take the distance for the claimed rate, count strangers in the other third.

    Each group is split alike, so that both parts are mixed as the whole. None of too few people.
    """
    who = scores.who
    if len(who) < MIN_PEOPLE:
        return None
    sums, rng = PairSums.of(scores), np.random.default_rng(seed)
    groups = np.array([scores.groups[person] or "" for person in who])
    shares = []
    for _ in range(REPEATS):
        unseen = _third(groups, rng)
        limit = fit_strangers(sums, who[~unseen]).distance_at(claimed_fmr)
        shares.append(float(np.mean(scores.among(who[unseen]).impostor <= limit)))
    ratios = np.array(shares) / claimed_fmr
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Kept(claimed_fmr, float(ratios.mean()), float(low), float(high), REPEATS)


def small_group_check(scores: Scores, size: int, *, fmr: float, seed: int = 1) -> Kept | None:
    """The same for the promise to a small group: as many people drawn from the largest group answer for its others.

    None where the largest group has not three times as many people.
    """
    named = [name for name in scores.groups if name]
    largest = max(set(named), key=named.count, default=None)
    if largest is None or named.count(largest) < 3 * size:
        return None
    inside = scores.of_group(largest)
    who, sums, rng = inside.who, PairSums.of(inside), np.random.default_rng(seed)
    shares = []
    for _ in range(REPEATS):
        drawn = rng.permutation(who)
        limit = fit_strangers(sums, drawn[:size]).worst(fmr).distance_at(fmr)
        shares.append(float(np.mean(inside.among(drawn[size:]).impostor <= limit)))
    ratios = np.array(shares) / fmr
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Kept(fmr, float(ratios.mean()), float(low), float(high), REPEATS)


def _third(groups: NDArray[np.str_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random third of each group; which group gives the odd one is drawn too."""
    order = np.lexsort((rng.random(len(groups)), groups))
    steps = (np.arange(len(groups)) + rng.random()) * UNSEEN
    chosen = np.zeros(len(groups), dtype=np.bool_)
    chosen[order[np.floor(steps + UNSEEN) != np.floor(steps)]] = True
    return chosen
