"""Error rates of the face comparison, counted the way a session compares: one portrait, several fused frames.

A still picture stands in for a live face (`degradation`). That leaves out ageing, another day and real turning, so
misses (FNMR) are optimistic. False matches are not: strangers look no more alike on another day.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from biometrics.decision import Calibration
from biometrics.evaluation.enrolment import FRAMES, Enrolment, enrol
from biometrics.evaluation.intervals import exact_interval, upper_bound
from biometrics.evaluation.misses import Misses, misses_at
from biometrics.evaluation.people import people_in
from biometrics.evaluation.scores import EVERYBODY, Distances, Scores, compare_all, distance_at
from biometrics.evaluation.splits import Kept, promise_kept, rate_worth_claiming, small_group_check
from biometrics.evaluation.strangers import MIN_GROUP
from biometrics.face.calibration import load_calibration
from biometrics.face.engine import FaceEngine
from biometrics.face.gallery import NEEDED

FMR: Final = 1e-3

Curves = dict[str, tuple[Distances, Distances]]
"""Genuine and impostor distances by what was compared, for `det_picture`."""


def evaluate_face(
    data_dir: Path,
    *,
    engine: FaceEngine,
    calibration: Calibration | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[dict[str, Any], Curves]:
    """Counts and rates on a folder of people (layout: `people.people_in`), ready for JSON; and what a DET curve shows.

    About 0.2 s per picture. Intervals are of 95 %, over people; a rate that cannot be counted is None, with its
    reason under "notes".

    Raises:
        EvaluationDataError: Too few people, or too few with a face.
        CalibrationError: There is none for this engine.
    """
    calibration = calibration or load_calibration(engine)
    enrolled = enrol(people_in(data_dir), engine, progress)
    try:
        return _figures(enrolled, engine, calibration)
    finally:
        for one in enrolled.taken:
            one.forget()


def _figures(enrolled: Enrolment, engine: FaceEngine, calibration: Calibration) -> tuple[dict[str, Any], Curves]:
    portraits, chips = [one.portrait for one in enrolled.taken], [one.chip for one in enrolled.taken]
    person, groups = [one.person for one in enrolled.taken], tuple(one.group for one in enrolled.people)
    by_frames = {
        frames: compare_all(portraits, [one.fused[frames] for one in enrolled.taken], person, groups)
        for frames in FRAMES
    }
    single, fused = by_frames[1], by_frames[NEEDED]
    chip = compare_all(chips, [one.fused[NEEDED] for one in enrolled.taken], person, groups)
    misses = {frames: misses_at(scores, FMR) for frames, scores in by_frames.items()}
    chip_misses = misses_at(chip, FMR)
    notes: list[str] = []
    kept = promise_kept(fused, rate_worth_claiming(len(fused.who)))
    figures: dict[str, Any] = {
        "engine": engine.id,
        "calibration": calibration.id,
        "people": len(enrolled.people),
        "pictures": enrolled.pictures,
        "genuine": len(fused.genuine),
        "impostor": len(fused.impostor),
        "frames_fused": NEEDED,
        "fnmr_at_fmr_1e3": _rate(misses[1]),
        "fnmr_at_fmr_1e3_interval": _interval(misses[1]),
        "fnmr_at_fmr_1e3_fused": _rate(misses[NEEDED]),
        "fnmr_at_fmr_1e3_fused_interval": _interval(misses[NEEDED]),
        "fnmr_at_fmr_1e3_chip_8kb": _rate(chip_misses),
        "fnmr_at_fmr_1e3_chip_8kb_interval": _interval(chip_misses),
        "fnmr_at_fmr_1e3_by_frames": {str(frames): _rate(one) for frames, one in misses.items()},
        **_realised(kept, notes),
        **_at_shipped_thresholds(fused, chip, calibration, notes),
        "fnmr_at_fmr_1e3_by_group": misses_by_group(single, fused, notes),
        "failure_to_acquire": enrolled.failures / enrolled.pictures,
        "failure_to_acquire_upper": upper_bound(enrolled.failures, enrolled.pictures),
        "failure_to_acquire_chip_8kb": sum(one is None for one in chips) / max(1, len(chips)),
        "calibration_measured_on": calibration.measured_on,
        "notes": notes,
    }
    if misses[1] is None:
        notes.append("fnmr_at_fmr_1e3: fewer than 1000 strangers' comparisons, or nobody with two pictures")
    check = small_group_check(fused, calibration.worst_group_people, fmr=FMR)
    figures["small_group_check"] = None if check is None else asdict(check)
    curves = {"1 frame": single, f"{NEEDED} frames": fused, f"{NEEDED} frames, chip of 60 px and 8 KB": chip}
    return figures, {name: (scores.genuine, scores.impostor) for name, scores in curves.items()}


def _realised(kept: Kept | None, notes: list[str]) -> dict[str, Any]:
    if kept is None:
        notes.append("realised_over_claimed_fmr: too few people to split")
        return {"realised_over_claimed_fmr": None}
    notes.append(
        f"realised_over_claimed_fmr: modelled on two thirds of the people at a claimed {kept.claimed_fmr:g}, counted "
        f"on the others; mean of {kept.splits} splits, the interval is of single splits"
    )
    return {
        "realised_over_claimed_fmr": kept.realised_over_claimed,
        "realised_over_claimed_fmr_interval": [kept.low, kept.high],
        "claimed_fmr": kept.claimed_fmr,
    }


def _at_shipped_thresholds(fused: Scores, chip: Scores, calibration: Calibration, notes: list[str]) -> dict[str, Any]:
    """What the calibration in use does to these people, of each group and of all."""
    thresholds = calibration.of(NEEDED)
    if thresholds is None:
        notes.append(f"worst_group_fmr: the calibration has nothing for {NEEDED} frames")
        return {"worst_group_fmr": None}
    accept, refer = thresholds.accept_distance, thresholds.refer_distance
    named = [name for name in fused.groups if name]
    large = sorted({name for name in named if named.count(name) >= MIN_GROUP})
    by_group = {name: _at(fused.of_group(name), chip.of_group(name), accept, refer) for name in large}
    everybody = _at(fused, chip, accept, refer)
    if not large:
        notes.append("worst_group_fmr: no group of five is named in an info.csv, so it is everybody's")
    groups = {name: counts for name, counts in by_group.items() if counts["impostor"]} or {EVERYBODY: everybody}
    # the most false matches; of groups without any, the one whose strangers come closest
    worst = max(groups, key=lambda name: (groups[name]["fmr"], -groups[name]["impostor_mean"]))
    return {
        "worst_group": worst,
        "worst_group_fmr": groups[worst]["fmr"],
        "worst_group_fmr_upper": groups[worst]["fmr_upper"],
        "worst_group_impostor": groups[worst]["impostor"],
        "accept_distance": accept,
        "refer_distance": refer,
        "claimed_worst_group_fmr": thresholds.supported_fmr,
        "at_shipped_thresholds": everybody,
        "by_group": by_group,
    }


def _at(fused: Scores, chip: Scores, accept: float, refer: float) -> dict[str, Any]:
    """Counts at two distances. Bounds take comparisons as independent, which they are not: the truth is wider."""
    genuine, impostor = fused.genuine, fused.impostor
    false = int(np.sum(impostor <= accept))
    chip_genuine, chip_impostor = chip.genuine, chip.impostor
    return {
        "people": len(fused.who),
        "genuine": len(genuine),
        "impostor": len(impostor),
        "false_matches": false,
        "fmr": false / len(impostor) if len(impostor) else None,
        "fmr_upper": upper_bound(false, len(impostor)),
        "fmr_upper_pairs_of_people": upper_bound(false, len(fused.who) * (len(fused.who) - 1) // 2),
        "fmr_refer": float(np.mean(impostor <= refer)) if len(impostor) else None,
        "fnmr": float(np.mean(genuine > accept)) if len(genuine) else None,
        "fnmr_upper": upper_bound(int(np.sum(genuine > accept)), len(genuine)),
        "fnmr_refer": float(np.mean(genuine > refer)) if len(genuine) else None,
        "chip_8kb_false_matches": int(np.sum(chip_impostor <= accept)),
        "chip_8kb_fnmr": float(np.mean(chip_genuine > accept)) if len(chip_genuine) else None,
        "impostor_mean": float(impostor.mean()) if len(impostor) else None,
        "impostor_min": float(impostor.min()) if len(impostor) else None,
        "genuine_mean": float(genuine.mean()) if len(genuine) else None,
        "genuine_max": float(genuine.max()) if len(genuine) else None,
    }


def misses_by_group(single: Scores, fused: Scores, notes: list[str]) -> dict[str, Any] | None:
    """FNMR of each group at the distance where one in a thousand of *all* strangers is accepted; with 95 % intervals.

    Few groups have a thousand comparisons of their own; the bounds count people, of whom one may be missed often.
    """
    of_one, of_several = distance_at(single.impostor, FMR), distance_at(fused.impostor, FMR)
    if of_one is None or of_several is None:
        return None
    limits = {"single": (single, of_one), "fused": (fused, of_several)}
    notes.append("fnmr_at_fmr_1e3_by_group: at everybody's distance for that rate; intervals are exact, over people")
    by_group: dict[str, Any] = {}
    for name in sorted({group for group in fused.groups if group}):
        rows: dict[str, Any] = {}
        for form, (scores, limit) in limits.items():
            inside = scores.of_group(name)
            missed = inside.genuine >= limit
            whose, people = inside.genuine_people, len(np.unique(inside.genuine_people))
            if people:
                hit = len(np.unique(whose[missed]))
                low, high = exact_interval(hit, people)
                rows[form] = {"genuine": len(missed), "missed": int(missed.sum()), "fnmr": float(missed.mean())}
                rows[form] |= {"people": people, "people_missed": hit, "interval": [low, high]}
        if rows:
            by_group[name] = rows
    return by_group or None


def _rate(misses: Misses | None) -> float | None:
    return None if misses is None else misses.fnmr


def _interval(misses: Misses | None) -> list[float] | None:
    return None if misses is None else [misses.low, misses.high]
