"""A calibration file for fingers: what each distance means, by number of enrolled impressions, in the worst group.

A group is here what one scanner took, once whole prints and once parts of them: what fingers of one sensor make worse,
those of another hide, and whoever lays down a part must not get a promise that only whole prints keep. Rates are
counted, not fitted: none is written below one false match in all that were compared, so a set of ten fingers promises
no more than it can.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.calibration_file import calibration_file
from biometrics.evaluation.error_rates import Distances
from biometrics.evaluation.finger_parts import LEAST_MM2, MOST_MM2, PartScores, decidable
from biometrics.evaluation.finger_scores import ENROLLED, ENROLMENTS, PairScores, Progress, several_enrolled, together
from biometrics.evaluation.finger_sets import finger_set_in
from biometrics.evaluation.fingerprint import compare_sets, pooled
from biometrics.evaluation.intervals import upper_bound
from biometrics.fingerprint.engine import Extractor
from biometrics.fingerprint.policy import engine_name

TARGET_FMR: Final = 1e-3
"""At the accept distance, in the worst group: the point at which figures are compared (FVC's FMR1000)."""

REFER_FMR: Final = 2e-2
"""Among all strangers. Wide on purpose: a referred customer is served, a rejected one is sent away."""

STEPS: Final = 60
MIN_FINGERS: Final = 10
MARGIN: Final = 0.95


def calibrate_fingerprint(
    folders: Sequence[Path],
    extractor: Extractor,
    *,
    foreign: bool = False,
    measured_on: str,
    measured_at: date,
    progress: Progress = lambda done, of: None,
) -> str:
    """The text of a calibration file; of another vendor's templates against this extractor's when `foreign`.

    Raises:
        EvaluationDataError: Too few fingers, no templates of another vendor, or no distance keeps the target rate.
    """
    sets = [finger_set_in(folder) for folder in folders]
    extracted, own, others = compare_sets(sets, extractor, progress, own=not foreign, foreign=foreign)
    parts = PartScores.of(sets, extracted, extractor, foreign=foreign, progress=progress)
    return calibration_text(
        others if foreign else own,
        parts,
        extractor,
        foreign=foreign,
        measured_on=measured_on,
        measured_at=measured_at,
    )


def calibration_text(
    scores: Sequence[PairScores],
    parts: PartScores,
    extractor: Extractor,
    *,
    foreign: bool,
    measured_on: str,
    measured_at: date,
) -> str:
    """As `calibrate_fingerprint`, of comparisons already made; whole prints and parts of equally many sets."""
    fingers = sum(len(np.unique(one.reference[:, 0])) for one in scores)
    if fingers < MIN_FINGERS:
        raise EvaluationDataError(f"{fingers} fingers, at least {MIN_FINGERS} are needed")
    groups = _groups(scores, parts.single)
    accept = _accept_distance(groups)
    tables = [_table(1, scores, groups, accept)]
    if not foreign:
        several = [together([several_enrolled(one, three) for three in ENROLMENTS]) for one in scores]
        groups_of_three = _groups(several, parts.nearest)
        tables.append(_table(ENROLLED, several, groups_of_three, _accept_distance(groups_of_three)))
    engine = engine_name(extractor.id, foreign=foreign)
    worst = max(groups, key=lambda one: float(np.mean(one.impostor <= accept)))
    head: dict[str, object] = {
        "calibration": f"{engine} {measured_at.isoformat()} {fingers} fingers",
        "engine": engine,
        "measured_on": f"{measured_on}; {parts.count} parts of {LEAST_MM2:.0f} to {MOST_MM2:.0f} mm2 cut from them",
        "measured_at": measured_at,
        "people": fingers,
        "pictures": sum(len(np.unique(np.concatenate([one.reference, one.probe]), axis=0)) for one in scores),
        "worst_group": worst.name,
        "worst_group_people": len(np.unique(worst.reference[:, 0])),
        "target_fmr": TARGET_FMR,
    }
    return calibration_file(
        head, extractor.sha256, tables, digits=9
    )  # accept and refer must be found again on the grid


def _table(
    enrolled: int, scores: Sequence[PairScores], groups: Sequence[PairScores], accept: float
) -> dict[str, object]:
    """One table of the file; rates hold at and below their distance. Misses are those of whole prints."""
    genuine, impostor = pooled(scores)[0], pooled(groups)[1]
    refer = _refer_distance(impostor)
    grid = np.unique(np.concatenate([np.geomspace(refer / 1000, refer, STEPS), [accept, refer]]))
    false = np.searchsorted(np.sort(impostor), grid, side="right")
    fmr = np.maximum(false, 1) / len(impostor)
    fnmr = np.maximum(1 - np.searchsorted(np.sort(genuine), grid, side="right") / len(genuine), 0.5 / len(genuine))
    worst = _worst(groups, grid)
    return {
        "frames": enrolled,
        "accept_distance": accept,
        "refer_distance": float(grid[-1]),
        "comparisons": len(impostor),
        "worst_group_comparisons": min(len(one.impostor) for one in groups),
        "genuine": len(genuine),
        "distances": grid.tolist(),
        "fmr": fmr.tolist(),
        "fmr_upper": [upper_bound(int(count), len(impostor)) for count in false],
        "fmr_worst_group": worst.tolist(),
        "fmr_upper_worst_group": _worst_upper(groups, grid),
        "fnmr": fnmr.tolist(),
        # of everything at most so far, not of the distance itself: a density of so few would be invented
        "likelihood_ratio": _falling((1 - fnmr) / np.maximum(worst, 1e-9)),
    }


def _groups(scores: Sequence[PairScores], parts: Sequence[PairScores]) -> list[PairScores]:
    """Whole prints of each scanner, and its parts that a machine may decide: all scanners' together where too few."""
    cut = [decidable(one) for one in parts]
    if any(len(one.impostor) * TARGET_FMR < 1 for one in cut):
        cut = [together(cut, "parts")]  # one false match in fewer would already break the promise
    return [*scores, *(one for one in cut if len(one.impostor))]


def _accept_distance(scores: Sequence[PairScores]) -> float:
    """The loosest that keeps the target in every group."""
    strangers = np.unique(np.concatenate([one.impostor for one in scores]))
    # halfway between two strangers, not on one; and nearer than all of them, should the nearest be counted twice
    below = np.concatenate([strangers[:1] * MARGIN, (strangers[1:] + strangers[:-1]) / 2])
    held = below[_worst(scores, below) <= TARGET_FMR]
    if not len(held):
        raise EvaluationDataError(f"no distance keeps {TARGET_FMR:g} in the worst group: compare more fingers")
    return float(held[-1])


def _refer_distance(impostor: Distances) -> float:
    return float(np.sort(impostor)[int(REFER_FMR * len(impostor))])


def _worst(scores: Sequence[PairScores], at: Distances) -> Distances:
    """The greatest of the groups' false match rates; of no event, as if there had been one."""
    rates = [
        np.maximum(np.searchsorted(np.sort(one.impostor), at, side="right"), 1) / len(one.impostor) for one in scores
    ]
    return np.asarray(np.max(rates, axis=0), np.float64)


def _worst_upper(scores: Sequence[PairScores], at: Distances) -> list[float]:
    bounds = []
    for distance in at:
        counts = [(int(np.count_nonzero(one.impostor <= distance)), len(one.impostor)) for one in scores]
        bounds.append(max(upper_bound(false, of) for false, of in counts))
    return bounds


def _falling(values: Distances) -> list[float]:
    return [float(value) for value in np.maximum.accumulate(values[::-1])[::-1]]
