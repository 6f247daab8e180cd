"""Whether a promised false match rate is kept by prints of every size, of fingers that the calibration has not seen.

Counted twice. *Split by finger*: the distance for a rate is read off all strangers but those of two fingers, and only
the strangers of those two are counted at it; so for every two fingers of a set. *At the accept distance* in use: what
it lets through here, beside what it claims.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from biometrics.decision import Calibration
from biometrics.errors import CalibrationError
from biometrics.evaluation.finger_parts import PartScores, decidable
from biometrics.evaluation.finger_scores import PairScores, together
from biometrics.evaluation.intervals import upper_bound
from biometrics.fingerprint.quality import MIN_SURE

CLAIMS: Final = (1e-2, 1e-3)
SIZES: Final = (MIN_SURE, 15, 18, 23)
"""Certain minutiae of the smaller print from which a band begins: a quarter to a half more than the one before."""


def promise_figures(whole: Sequence[PairScores], parts: PartScores, calibration: Calibration) -> dict[str, Any]:
    """Ready for JSON.

    Raises:
        CalibrationError: It says nothing of one enrolled impression.
    """
    thresholds = calibration.of(1)
    if thresholds is None:
        raise CalibrationError("nothing was measured with one enrolled impression")
    cut = [decidable(one) for one in parts.single]
    accept = thresholds.accept_distance
    claimed = thresholds.judge(accept)[1]
    return {
        "count": parts.count,
        "realised_over_claimed_fmr": {f"{claim:g}": kept_by_size(whole, cut, claim) for claim in CLAIMS},
        "at_accept_distance": {
            "claimed_fmr_worst_group": claimed.fmr_worst_group,
            "claimed_fmr_upper": claimed.fmr_upper,
            **{name: _rates(of, accept) for name, of in by_size(together(whole), together(cut))},
        },
    }


def kept_by_size(whole: Sequence[PairScores], parts: Sequence[PairScores], claim: float) -> dict[str, Any]:
    """Realised over claimed, with its counts: 1 is a promise kept, above it one broken; null with too few strangers.

    Args:
        whole: Comparisons of each scanner.
        parts: Of the same scanners in the same order.
        claim: Share of all strangers, whole and cut, at the distance of which the left out are counted.
    """
    found: dict[str, tuple[int, int]] = {}
    for number, (one, cut) in enumerate(zip(whole, parts, strict=True)):
        others = [each.impostor for which in (whole, parts) for each in (*which[:number], *which[number + 1 :])]
        bands = [*by_size(one, cut)]
        found = {name: found.get(name, (0, 0)) for name, _ in bands}
        for fingers in combinations(np.unique(one.reference[:, 0]).tolist(), 2):
            rest = [each.distance[~each.same & ~_with(each, fingers).any(axis=1)] for each in (one, cut)]
            seen = np.concatenate([*others, *rest])
            if len(seen) * claim < 1:
                continue  # too few to read that rate off
            limit = np.quantile(seen, claim)
            for name, of in bands:
                unseen = of.distance[~of.same & _with(of, fingers).all(axis=1)]
                false, strangers = found[name]
                found[name] = false + int(np.count_nonzero(unseen <= limit)), strangers + len(unseen)
    return {
        name: {
            "realised_over_claimed": false / strangers / claim if strangers else None,
            "false_matches": false,
            "strangers": strangers,
        }
        for name, (false, strangers) in found.items()
    }


def by_size(whole: PairScores, parts: PairScores) -> Iterator[tuple[str, PairScores]]:
    """Whole prints, all parts, and parts by their size."""
    yield "whole", whole
    yield "parts", parts
    for least, beyond in zip(SIZES, (*SIZES[1:], None), strict=True):
        inside = (parts.size >= least) & (parts.size < (beyond or np.inf))
        yield f"{least} to {beyond - 1}" if beyond else f"{least} and more", parts.where(inside)


def _with(scores: PairScores, fingers: tuple[int, int]) -> NDArray[np.bool_]:
    """(n, 2): which sides are of these fingers."""
    return np.isin(np.column_stack((scores.reference[:, 0], scores.probe[:, 0])), fingers)


def _rates(scores: PairScores, accept: float) -> dict[str, Any]:
    """What an accept distance does."""
    genuine, impostor = scores.genuine, scores.impostor
    false, missed = int(np.count_nonzero(impostor <= accept)), int(np.count_nonzero(genuine > accept))
    return {
        "strangers": len(impostor),
        "false_matches": false,
        "fmr": false / len(impostor) if len(impostor) else None,
        "fmr_upper": upper_bound(false, len(impostor)),
        "genuine": len(genuine),
        "missed": missed,
        "fnmr": missed / len(genuine) if len(genuine) else None,
    }
