"""From cylinders to one global score: local similarity, assignment with relaxation (LSA-R).

Cappelli, Ferrara, Maltoni, IEEE TPAMI 32(12), 2010, sections 4 and 5.3; constants from its table 1. The assignment is
the best-first one of their later SDK (Local Greedy Similarity) instead of the Hungarian algorithm: a fiftieth of the
time without SciPy, and on the four development sets no different error.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.fingerprint.cylinders import CELLS, Array, Cylinders, wrap

MIN_ME: Final = 0.60
DELTA_THETA: Final = math.pi / 2
MU_P, TAU_P, MIN_NP, MAX_NP = 20.0, 0.4, 4, 12
W_R: Final = 0.5
N_REL: Final = 5
MU_1, TAU_1 = 5.0, -8 / 5
MU_2, TAU_2 = math.pi / 12, -30.0
MU_3, TAU_3 = math.pi / 12, -30.0

SIFT_EVERY: Final = 192  # entries looked at in Python between two siftings by NumPy; any number gives the same pairs

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """What relaxation leaves: the score, and the pairs that agree best with all others."""

    score: float
    """0 to 1, the paper's global score."""
    similarity: Array
    """(cylinders, cylinders) local similarities, 0 where not matchable."""
    ours: Indices
    """(p,) minutiae of the one impression, by index into its minutiae."""
    theirs: Indices
    strength: Array
    """(p,) relaxed similarities."""
    agreement: Array
    """(p, p) ρ: how well two pairs keep their distance and directions."""


def relaxed_pairs(one: Cylinders, other: Cylinders) -> Relaxed:
    """The global comparison of two impressions that both have cylinders."""
    similarity = local_similarity(one, other)
    rows, columns = assign(similarity)
    count = pairs_counted(*similarity.shape)
    initial = similarity[rows, columns]
    ours, theirs = one.owners[rows], other.owners[columns]
    if len(rows) < 2:  # nothing to relax against
        return Relaxed(float(initial.sum()) / count, similarity, ours, theirs, initial, np.zeros((len(rows),) * 2))
    agreement = _agreement(one, other, ours, theirs)
    strength = initial.copy()
    for _ in range(N_REL):
        strength = W_R * strength + (1 - W_R) * (agreement @ strength) / (len(rows) - 1)
    best = np.argsort(-strength / initial, kind="stable")[:count]  # by efficiency, equation 20
    return Relaxed(
        score=float(strength[best].sum()) / count,
        similarity=similarity,
        ours=ours[best],
        theirs=theirs[best],
        strength=strength[best],
        agreement=agreement[np.ix_(best, best)],
    )


def local_similarity(one: Cylinders, other: Cylinders) -> Array:
    """Equation 16 for bit vectors: 1 - ‖a xor b‖ / (‖a‖ + ‖b‖) over the cells valid in both, of all pairs."""
    both = one.valid @ other.valid.T
    ours = (one.filled @ other.valid.T).astype(np.float64)  # counts: exact in either
    theirs = (one.valid @ other.filled.T).astype(np.float64)
    # words first: sums over the first axis run along whole rows
    mine, yours = np.ascontiguousarray(one.bits.T), np.ascontiguousarray(other.bits.T)
    shared = np.bitwise_count(mine[:, :, np.newaxis] & yours[:, np.newaxis]).sum(axis=0, dtype=np.uint16)
    different = ours + theirs - 2.0 * shared  # bits are clear where not valid: what is shared is valid in both
    total = np.sqrt(ours) + np.sqrt(theirs)
    turn = np.abs(wrap(one.angles[one.owners][:, np.newaxis] - other.angles[other.owners]))
    matchable = (both >= MIN_ME * CELLS) & (total > 0) & (turn <= DELTA_THETA)
    return np.asarray(matchable * (1 - np.sqrt(different) / np.maximum(total, 1e-9)), np.float64)


def assign(worth: Array) -> tuple[Indices, Indices]:
    """Rows and columns paired at most once, best first, among the positive entries."""
    flat = worth.ravel()
    places = np.flatnonzero(flat > 0)
    rows, columns = np.divmod(places[np.argsort(-flat[places], kind="stable")], worth.shape[1])
    row_free, column_free = np.ones(worth.shape[0], bool), np.ones(worth.shape[1], bool)
    chosen_rows: list[int] = []
    chosen_columns: list[int] = []
    while len(rows):
        taken_rows, taken_columns = set[int](), set[int]()
        for row, column in zip(rows[:SIFT_EVERY].tolist(), columns[:SIFT_EVERY].tolist(), strict=True):
            if row not in taken_rows and column not in taken_columns:
                taken_rows.add(row)
                taken_columns.add(column)
                chosen_rows.append(row)
                chosen_columns.append(column)
        rows, columns = rows[SIFT_EVERY:], columns[SIFT_EVERY:]
        if len(rows):  # most of the rest belongs to somebody taken by now: dropped at once instead of one by one
            row_free[chosen_rows] = False
            column_free[chosen_columns] = False
            left = row_free[rows] & column_free[columns]
            rows, columns = rows[left], columns[left]
    return np.array(chosen_rows, np.intp), np.array(chosen_columns, np.intp)


def pairs_counted(ours: int, theirs: int) -> int:
    """n_P of equation 19: how many pairs the score is the mean of."""
    return MIN_NP + round(_sigmoid(min(ours, theirs), MU_P, TAU_P) * (MAX_NP - MIN_NP))


def _agreement(one: Cylinders, other: Cylinders, ours: Indices, theirs: Indices) -> Array:
    """ρ of equations 21 to 23: distance, difference of direction, and bearing between every two pairs."""
    distance_one, bearing_one = _relations(one, ours)
    distance_other, bearing_other = _relations(other, theirs)
    turn = one.angles[ours] - other.angles[theirs]
    d1 = np.abs(distance_one - distance_other)
    d2 = np.abs(wrap(turn[:, np.newaxis] - turn))
    d3 = np.abs(wrap(bearing_one - bearing_other))
    rho = 1 / ((1 + _growing(d1, MU_1, TAU_1)) * (1 + _growing(d2, MU_2, TAU_2)) * (1 + _growing(d3, MU_3, TAU_3)))
    np.fill_diagonal(rho, 0)
    return np.asarray(rho, np.float64)


def _relations(impression: Cylinders, chosen: Indices) -> tuple[Array, Array]:
    """Distance and bearing from each chosen minutia to each other."""
    x, y = impression.points[chosen].T
    x_away, y_away = x[:, np.newaxis] - x, y[:, np.newaxis] - y
    bearing = impression.angles[chosen][:, np.newaxis] - np.arctan2(y_away, x_away)
    return np.sqrt(x_away * x_away + y_away * y_away), bearing


def _growing(difference: Array, mu: float, tau: float) -> Array:
    """What a falling sigmoid has below its line, beside 1."""
    return np.asarray(np.exp(np.minimum(-tau * (difference - mu), 60)), np.float64)


def _sigmoid(value: float, mu: float, tau: float) -> float:
    return 1 / (1 + math.exp(-tau * (value - mu)))
