"""A calibration file from a folder of people: what each distance of an engine means, by number of fused frames.

Strangers are compared with good portraits, the same people with their chip portraits: whichever is worse. Frames are
imitated (`degradation`), all of one day; ageing is not in the misses, so a calibration on an operator's own visits is
better than the shipped one.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.calibration_file import calibration_file
from biometrics.evaluation.enrolment import FRAMES, Enrolment, enrol
from biometrics.evaluation.intervals import upper_bound
from biometrics.evaluation.people import people_in
from biometrics.evaluation.scores import Distances, Scores, compare_all
from biometrics.evaluation.strangers import Block, PairSums, Strangers, fit_strangers, name_of, normal_share
from biometrics.face.engine import FaceEngine

TARGET_FMR: Final = 1e-3
"""Promised at the accept distance to the group told apart worst."""

REFER_FMR: Final = 3e-3
"""Among all strangers: farther off, nobody is worth a clerk's doubt. Wide on purpose, since a referred customer is
served and a rejected one is not: pictures of celebrities taken years apart lie at up to 0.55 with dlib's network."""

BEYOND: Final = 10.0
"""How far a fitted tail is believed: to a tenth of the smallest share that its comparisons can count."""

STEPS, FINE_STEPS = 81, 4001
MARGIN: Final = 0.99  # of the target: room for rounding up what is written
MIN_PEOPLE: Final = 20
MIN_GENUINE: Final = 20


def calibrate_face(
    data_dir: Path,
    engine: FaceEngine,
    *,
    measured_on: str,
    measured_at: date,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> str:
    """The text of a calibration file for this engine.

    Args:
        data_dir: People with two pictures or more, and as many strangers as can be had; `people.people_in`.
        engine: Whose distances are measured.
        measured_on: Where the pictures come from, for whoever reads the file.
        measured_at: Today.
        progress: Called with people done and people in all.

    Raises:
        EvaluationDataError: Too few people or pairs, or the engine cannot keep the target rate on them at any distance.
    """
    enrolled = enrol(people_in(data_dir), engine, progress)
    try:
        return calibration_text(enrolled, engine, measured_on=measured_on, measured_at=measured_at)
    finally:
        for one in enrolled.taken:
            one.forget()


def calibration_text(enrolled: Enrolment, engine: FaceEngine, *, measured_on: str, measured_at: date) -> str:
    """As `calibrate_face`, of people already enrolled."""
    person = [one.person for one in enrolled.taken]
    groups = tuple(one.group for one in enrolled.people)
    tables, worst = [], None
    for frames in FRAMES:
        probes = [one.fused[frames] for one in enrolled.taken]
        strangers = compare_all([one.portrait for one in enrolled.taken], probes, person, groups)
        genuine = compare_all([one.chip for one in enrolled.taken], probes, person, groups).genuine
        if len(strangers.who) < MIN_PEOPLE or len(genuine) < MIN_GENUINE:
            raise EvaluationDataError(
                f"{len(strangers.who)} people with {len(genuine)} genuine comparisons, "
                f"at least {MIN_PEOPLE} and {MIN_GENUINE} are needed"
            )
        model = fit_strangers(PairSums.of(strangers), strangers.who)
        worst = model.worst(TARGET_FMR)
        tables.append(_fused(frames, strangers, genuine, model, worst))
    if worst is None:
        raise EvaluationDataError("nothing was fused")
    head = {
        "calibration": f"{engine.id} {measured_at.isoformat()} {len(set(person))} people",
        "engine": engine.id,
        "measured_on": measured_on,
        "measured_at": measured_at,
        "people": len(set(person)),
        "pictures": len(person),
        "worst_group": name_of(worst),
        "worst_group_people": worst.people,
        "target_fmr": TARGET_FMR,
    }
    return calibration_file(head, engine.sha256, tables, digits=6)


def _fused(
    frames: int, strangers: Scores, genuine: Distances, model: Strangers, worst: Block
) -> dict[str, int | float | list[float]]:
    """One table of the file. Rates are rounded up, and stay above what so few comparisons can show."""
    counted = len(strangers.impostor)
    floor_all, floor_worst = 1 / counted, 1 / worst.comparisons / BEYOND
    roots = np.sqrt(genuine)
    mean, spread = float(roots.mean()), float(roots.std(ddof=1))
    refer = model.distance_at(REFER_FMR)
    fine = np.linspace(max(0.0, mean - 3 * spread) ** 2, refer, FINE_STEPS)
    held = fine[np.maximum(worst.rate(fine), floor_worst) <= TARGET_FMR * MARGIN]
    if not len(held):
        raise EvaluationDataError(f"no distance of this engine keeps {TARGET_FMR:g} in the worst group of these people")
    grid = np.unique(np.concatenate([np.linspace(fine[0], refer, STEPS), held[-1:]]))
    worst_rate = np.maximum(worst.rate(grid), floor_worst)
    fnmr = np.maximum(1 - normal_share((np.sqrt(grid) - mean) / spread), upper_bound(0, len(genuine), confidence=0.5))
    ratio = np.exp(
        _log_density(grid, mean, spread) - _log_density(grid, worst.mean, float(np.hypot(worst.spread, worst.doubt)))
    )
    falling = np.maximum.accumulate(ratio[::-1])[::-1]
    shown_worst = _up(worst_rate)
    return {
        "frames": frames,
        "accept_distance": float(held[-1]),
        "refer_distance": float(grid[-1]),
        "comparisons": counted,
        "worst_group_comparisons": worst.comparisons,
        "genuine": len(genuine),
        "distances": [float(value) for value in grid],
        "fmr": _up(np.maximum(model.rate(grid), floor_all)),
        "fmr_upper": _up(np.maximum(model.upper(grid), upper_bound(0, counted))),
        "fmr_worst_group": shown_worst,
        "fmr_upper_worst_group": _up(np.maximum(worst.upper(grid), worst_rate)),
        "fnmr": _up(fnmr),
        "likelihood_ratio": [float(f"{value:.4g}") for value in np.minimum(falling, 0.999 / np.array(shown_worst))],
    }


def _log_density(at: Distances, mean: float, spread: float) -> NDArray[np.float64]:
    return np.asarray(-(((np.sqrt(at) - mean) / spread) ** 2) / 2 - np.log(spread), dtype=np.float64)


def _up(rates: NDArray[np.float64]) -> list[float]:
    """Three digits, rounded up, at most 1."""
    digits = 10.0 ** (2 - np.floor(np.log10(rates)))
    return [float(f"{min(1.0, value):.6g}") for value in np.ceil(rates * digits - 1e-9) / digits]
