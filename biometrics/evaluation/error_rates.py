"""Rates at which a verification errs, of distances with weights. ISO/IEC 19795-1 words; FVC's figures.

A weight says how often a comparison was drawn when fingers are drawn with replacement: the bootstrap over fingers
needs no copies.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Distances = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trade:
    """False matches against misses at every distance that changes one of them."""

    fmr: Distances
    """Share of strangers below each candidate distance, rising from 0 to 1."""
    fnmr: Distances
    """Share of genuine comparisons not below it."""

    @classmethod
    def of(cls, genuine: Distances, impostor: Distances, genuine_weight: Distances, impostor_weight: Distances) -> Self:
        """Accepting means lying strictly below the candidate."""
        at = np.append(np.unique(np.concatenate([genuine, impostor])), np.inf)
        return cls(_below(impostor, impostor_weight, at), 1 - _below(genuine, genuine_weight, at))

    @classmethod
    def counted(cls, genuine: Distances, impostor: Distances) -> Self:
        """Every comparison once."""
        return cls.of(genuine, impostor, np.ones(len(genuine)), np.ones(len(impostor)))

    @property
    def equal_error(self) -> float:
        """Where both are the same; where they jump past each other, the smaller mean (FVC2000 report)."""
        crossing = int(np.argmax(self.fmr >= self.fnmr))
        means = (self.fmr + self.fnmr) / 2
        if crossing == 0 or np.isclose(self.fmr[crossing], self.fnmr[crossing]):
            return float(means[crossing])
        return float(min(means[crossing], means[crossing - 1]))

    def fnmr_at(self, fmr: float) -> float:
        """Misses at the loosest distance where no larger share of strangers is accepted."""
        return float(self.fnmr[self.fmr <= fmr + 1e-12].min())


def _below(distances: Distances, weight: Distances, at: Distances) -> Distances:
    order = np.argsort(distances)
    summed = np.concatenate([[0.0], np.cumsum(weight[order])])
    return np.asarray(summed[np.searchsorted(distances[order], at, side="left")] / max(summed[-1], 1e-12))
