"""Two impressions compared: how unlike the finger of the one is to the finger of the other.

Two kinds of evidence, each strong where the other is weak: MCC's global score (a few neighbourhoods agree perfectly,
however much the skin was pushed) and, after the one is laid over the other, the share of minutiae that found a mate
(much agrees moderately, however small or noisy the print). They are weighed by a logistic regression of three terms.

From the weighed evidence is taken what crowding alone brings: a small part is laid over another finger in more ways the
more minutiae both show, and its own are soon all paired. Without that, strangers' parts came as near as one in a
thousand whole prints up to ten times as often; with it one distance means one rate for prints of any size.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from biometrics.fingerprint.alignment import overlay
from biometrics.fingerprint.cylinders import Cylinders, beyond_hull, convex_hull
from biometrics.fingerprint.lsar import relaxed_pairs

MATCHER: Final = "mcc-lsar-overlay-2"
"""Changes whenever a distance would: thresholds belong to one extractor and one matcher."""

WITHIN_PX: Final = 6.0  # how far outside the other's hull a minutia still lies in the common area
PRIOR_MINUTIAE: Final = 4.0  # missing ones assumed in every print, so that 2 of 2 is less than 20 of 22

# Logistic regression, balanced classes, l2 1e-3, on 4 FVC sets (FVC2002 DB1_B, DB3_B, FVC2004 DB1_B, DB3_B) as they are
# and degraded (cut to a part and bent; noisy, wet or dry, scratched and turned). With both fingers of every pair left
# out of the fit the sets' mean EER is 0.14 %, with the whole sensor left out 0.15 %, crowding still in it
# (docs/fingerprints.md).
CONSTANT: Final = -7.45
GLOBAL_SCORE: Final = 39.0
MATED: Final = 9.3
MATED_AT_BEST: Final = 5.1

# Strangers' evidence falls off by e^-2 a unit beyond its nearest twentieth (1.9 to 2.1 in the four sets), so a whole
# unit for each e-fold of density says: false matches are as many as pairs of minutiae that could meet, n·n'/area².
# Fitted to strangers alone, a weight of 0.8 to 0.9; powers of n, n' and area by themselves explained no more.
CROWDING: Final = 1.0
TYPICAL_PER_MM2: Final = 0.3  # certain minutiae in the hull of whole prints, middle of the four sets: nothing is taken
LEAST_MM2: Final = 5.0  # three minutiae a ridge apart; below that no rate was counted


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one comparison found. `distance` means nothing without thresholds of this matcher."""

    distance: float
    """0 to 1; smaller is more alike."""
    global_score: float
    """0 to 1, MCC's."""
    mated: float
    """0 to 1: share of minutiae, by certainty, with a mate in the common area; the mean of both impressions."""
    mated_at_best: float
    """The same of the impression with fewer left alone: what only the other shows may be dirt, or a finer sensor."""
    mates: int


NOTHING: Final = Comparison(distance=1.0, global_score=0.0, mated=0.0, mated_at_best=0.0, mates=0)
"""Of impressions with nothing to compare: as far apart as can be."""


def compare(probe: Cylinders, reference: Cylinders) -> Comparison:
    """Compare two impressions; `NOTHING` when one of them has too few minutiae."""
    if not (probe.comparable and reference.comparable):
        return NOTHING
    relaxed = relaxed_pairs(reference, probe)
    crowded = crowding(probe, reference)
    if len(relaxed.ours) < 2:  # one pair fixes no overlay
        return _comparison(relaxed.score, 0.0, 0.0, len(relaxed.ours), crowded)
    laid = overlay(reference, probe, relaxed)
    certainty = np.sqrt(reference.weights[laid.ours] * probe.weights[laid.theirs])
    mated = float((certainty * laid.closeness).sum())

    ours_alone = beyond_hull(convex_hull(laid.carried), reference.points) <= WITHIN_PX
    theirs_alone = beyond_hull(reference.hull, laid.carried) <= WITHIN_PX
    ours_alone[laid.ours] = False
    theirs_alone[laid.theirs] = False
    alone = float(reference.weights[ours_alone].sum()), float(probe.weights[theirs_alone].sum())
    return _comparison(
        relaxed.score,
        mated / (mated + sum(alone) / 2 + PRIOR_MINUTIAE),
        mated / (mated + min(alone) + PRIOR_MINUTIAE),
        len(laid.ours),
        crowded,
    )


def crowding(one: Cylinders, other: Cylinders) -> float:
    """How densely minutiae lie where both can overlap at most: 0 between whole prints, 1 an e-fold, as in parts."""
    certain = math.sqrt(max(one.certain, 1) * max(other.certain, 1))
    area_mm2 = max(min(one.area_mm2, other.area_mm2), LEAST_MM2)
    return math.log(certain / area_mm2 / TYPICAL_PER_MM2)


def _comparison(score: float, mated: float, mated_at_best: float, mates: int, crowded: float) -> Comparison:
    """Both kinds of evidence, less what crowding brings, as one distance: the logistic of their weighed sum."""
    evidence = CONSTANT + GLOBAL_SCORE * score + MATED * mated + MATED_AT_BEST * mated_at_best - CROWDING * crowded
    return Comparison(1 / (1 + math.exp(evidence)), score, mated, mated_at_best, mates)
