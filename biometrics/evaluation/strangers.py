"""How close strangers come: a model of the impostor distances that says how sure so few people make us.

People who look alike to an engine do so as a group, so the strangers of each group are one block, those across groups
another. Inside a block the *square roots* of distances between embeddings of length one are normal. Three large blocks
(14 416, 4 760 and 1 560 comparisons): the modelled thousandth lies at 0.386, 0.379, 0.352, the counted one at 0.387,
0.378, 0.353. Few people leave a block's mean in doubt; that doubt, by leaving out one person after the other, is added
to its spread, so that the rate among *other* people comes out right on average instead of too low. How well that holds
for a group of seven is tried on the largest group (`splits.small_group_check`).
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.evaluation.scores import EVERYBODY, Distances, Scores

MIN_GROUP: Final = 5
"""People a group needs before its rate is worth naming; smaller ones count among the strangers across groups."""

BORROWED: Final = 5.0
"""People's worth of the common spread mixed into each group's own, which five people show badly."""

DOUBT_OF_TWO: Final = 0.05
"""Doubt of a mean of too few people to leave one out: twice what groups of five to seven had."""

ONE_SIDED: Final = NormalDist().inv_cdf(0.95)

_Z = np.linspace(-9, 9, 7201)
_PHI = np.array([NormalDist().cdf(float(z)) for z in _Z])


def normal_share(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of a normal distribution below z, from a table: 1e-6 of the truth, relatively 1e-4 at 1e-6."""
    return np.asarray(np.interp(z, _Z, _PHI), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Block:
    """Strangers of one kind; mean, spread and doubt are of the roots of their distances."""

    group: str | None
    """None for those across groups."""
    mean: float
    spread: float
    doubt: float
    """Standard error of the mean, by leaving out one person after the other."""
    comparisons: int
    people: int

    def rate(self, distances: Distances) -> NDArray[np.float64]:
        """Expected share of other strangers of this kind at or below each distance."""
        return normal_share((np.sqrt(distances) - self.mean) / np.hypot(self.spread, self.doubt))

    def upper(self, distances: Distances) -> NDArray[np.float64]:
        """That share where the mean lies as low as one in twenty such samples would hide; never below `rate`."""
        bound = normal_share((np.sqrt(distances) - self.mean + ONE_SIDED * self.doubt) / self.spread)
        return np.maximum(bound, self.rate(distances))

    def distance_at(self, fmr: float) -> float:
        """Where `rate` reaches `fmr`; 0 where no distance keeps it."""
        root = self.mean + NormalDist().inv_cdf(fmr) * float(np.hypot(self.spread, self.doubt))
        return max(0.0, root) ** 2


@dataclass(frozen=True, slots=True)
class Strangers:
    """All blocks; rates among everybody weigh each by its comparisons."""

    blocks: tuple[Block, ...]

    def rate(self, distances: Distances) -> NDArray[np.float64]:
        """Expected false match rate among other people, mixed as these are."""
        return self._mixed([block.rate(distances) for block in self.blocks])

    def upper(self, distances: Distances) -> NDArray[np.float64]:
        """Its upper bound."""
        return self._mixed([block.upper(distances) for block in self.blocks])

    def worst(self, fmr: float) -> Block:
        """The group that must be held farthest off to keep a rate; everybody where no group is known."""
        groups = [block for block in self.blocks if block.group is not None] or list(self.blocks)
        return min(groups, key=lambda block: block.distance_at(fmr))

    def distance_at(self, fmr: float) -> float:
        """Where the rate among everybody reaches `fmr`."""
        low, high = 0.0, max(block.mean for block in self.blocks) ** 2
        for _ in range(40):  # halves the interval to far below what a distance means
            middle = (low + high) / 2
            low, high = (middle, high) if self.rate(np.array([middle]))[0] <= fmr else (low, middle)
        return low

    def _mixed(self, rates: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        weights = np.array([block.comparisons for block in self.blocks], dtype=np.float64)
        return np.asarray(np.average(np.stack(rates), axis=0, weights=weights), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class PairSums:
    """Sums of roots over the pictures of every two people, from which any choice of people is fitted quickly."""

    count: NDArray[np.float64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    groups: tuple[str | None, ...]

    @staticmethod
    def of(scores: Scores) -> "PairSums":
        """Of everybody; a person's comparisons with themselves are left out."""
        people = len(scores.groups)
        rows, columns = np.nonzero(~np.isnan(scores.distances) & (scores.person[:, None] != scores.person[None, :]))
        values = np.sqrt(scores.distances[rows, columns])
        pair = scores.person[rows] * people + scores.person[columns]
        count, first, second = (
            np.asarray(np.bincount(pair, weights, people * people).reshape(people, people), dtype=np.float64)
            for weights in (None, values, values**2)
        )
        return PairSums(count, first, second, scores.groups)


def fit_strangers(sums: PairSums, who: NDArray[np.int64]) -> Strangers:
    """The model of how close strangers among these people come."""
    names = np.array([sums.groups[person] or "" for person in who])
    inside = np.ix_(who, who)
    count, first, second = sums.count[inside], sums.first[inside], sums.second[inside]
    same = names[:, None] == names[None, :]
    large = [str(name) for name in np.unique(names) if name and (names == name).sum() >= MIN_GROUP]
    masks: list[tuple[str | None, NDArray[np.bool_]]] = [(name, same & (names == name)[:, None]) for name in large]
    across = ~np.any([mask for _, mask in masks], axis=0) if masks else np.ones_like(same)
    masks.append((None, across))
    fitted = [
        _block(name, np.where(mask, count, 0), np.where(mask, first, 0), np.where(mask, second, 0))
        for name, mask in masks
        if count[mask].sum() >= 2
    ]
    people = np.array([block.people for block in fitted], dtype=np.float64)
    common = float(np.sqrt(np.average([block.spread**2 for block in fitted], weights=people)))
    return Strangers(tuple(_borrow(block, common) for block in fitted))


def _borrow(block: Block, common: float) -> Block:
    mixed = (block.people * block.spread**2 + BORROWED * common**2) / (block.people + BORROWED)
    return Block(block.group, block.mean, float(np.sqrt(mixed)), block.doubt, block.comparisons, block.people)


def _block(
    group: str | None, count: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> Block:
    total, mean = count.sum(), first.sum() / count.sum()
    spread = float(np.sqrt(max(second.sum() / total - mean**2, 1e-12)))
    without_count = total - count.sum(0) - count.sum(1)
    without_first = first.sum() - first.sum(0) - first.sum(1)
    present = (count.sum(0) + count.sum(1)) > 0
    people = int(present.sum())
    left = present & (without_count > 0)
    if left.sum() < 3:
        return Block(group, float(mean), spread, DOUBT_OF_TWO, int(total), people)
    means = without_first[left] / without_count[left]
    doubt = float(np.sqrt((people - 1) / people * np.sum((means - means.mean()) ** 2)))
    return Block(group, float(mean), spread, doubt, int(total), people)


def name_of(block: Block) -> str:
    """What a block's people are called in a report."""
    return block.group or EVERYBODY
