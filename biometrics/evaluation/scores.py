"""Every portrait against every probe: distances with the people behind them. ISO/IEC 19795-1: genuine, impostor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.face.engine import Embedding

Distances = NDArray[np.float64]

EVERYBODY: Final = "everybody"
"""The group of people of whom no group is known, where nobody's is."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Distances between portraits (rows) and probes (columns), one of each per picture.

    A picture is never compared with itself: those distances are not numbers.
    """

    distances: Distances
    person: NDArray[np.int64]
    """Whose picture a row, and the column of the same number, is; counts from 0."""
    groups: tuple[str | None, ...]
    """By person."""

    @property
    def genuine(self) -> Distances:
        """Different pictures of one person, all of them, both ways."""
        chosen = self.distances[self.person[:, None] == self.person[None, :]]
        return np.asarray(chosen[~np.isnan(chosen)], dtype=np.float64)

    @property
    def genuine_people(self) -> NDArray[np.int64]:
        """Whose each of `genuine` is."""
        same = self.person[:, None] == self.person[None, :]
        rows, _ = np.nonzero(same & ~np.isnan(self.distances))
        return np.asarray(self.person[rows], dtype=np.int64)

    @property
    def impostor(self) -> Distances:
        """Pictures of different people, both ways."""
        chosen = self.distances[self.person[:, None] != self.person[None, :]]
        return np.asarray(chosen[~np.isnan(chosen)], dtype=np.float64)

    def among(self, people: Sequence[int] | NDArray[np.int64]) -> "Scores":
        """The same of these people only."""
        kept = np.isin(self.person, people)
        return Scores(self.distances[np.ix_(kept, kept)], self.person[kept], self.groups)

    def of_group(self, group: str) -> "Scores":
        """The same among the people of one group."""
        return self.among([index for index, name in enumerate(self.groups) if name == group])

    @property
    def who(self) -> NDArray[np.int64]:
        """Everybody in it, once."""
        return np.unique(self.person)


def compare_all(
    portraits: Sequence[Embedding | None],
    probes: Sequence[Embedding],
    person: Sequence[int],
    groups: tuple[str | None, ...],
) -> Scores:
    """Distances of every portrait to every probe; the i-th of both are of one picture. A None compares to nothing."""
    size = len(probes[0])
    rows = np.stack([np.full(size, np.nan) if one is None else one for one in portraits])
    columns = np.stack(probes)
    squares = (rows**2).sum(1)[:, None] + (columns**2).sum(1)[None, :] - 2 * rows @ columns.T
    distances = np.sqrt(np.maximum(squares, 0))
    np.fill_diagonal(distances, np.nan)
    return Scores(distances, np.asarray(person, dtype=np.int64), groups)


def distance_at(impostor: Distances, fmr: float) -> float | None:
    """The loosest distance at which no larger share of strangers is accepted; None of too few strangers.

    Accept what lies *below* it: the stranger at that distance would be one too many.
    """
    allowed = int(fmr * len(impostor))
    if allowed < 1:
        return None
    return float(np.partition(impostor, allowed)[allowed])
