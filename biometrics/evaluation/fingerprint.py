"""Error rates of finger comparison on sets of several scanners, all under one threshold.

Per set every two impressions are compared once: FVC's 280 genuine pairs and all pairs of different fingers, of which
FVC's own protocol takes the 45 of first impressions. Fingers are few (10 in a set), so intervals are drawn by
resampling fingers, and a rate below one error in all pairs is not to be believed.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from biometrics.decision import Calibration
from biometrics.errors import EvaluationDataError
from biometrics.evaluation.error_rates import Distances, Trade
from biometrics.evaluation.finger_parts import PartScores
from biometrics.evaluation.finger_promise import promise_figures
from biometrics.evaluation.finger_scores import (
    ENROLLED,
    ExtractedSet,
    PairScores,
    Progress,
    compare_all,
    extract_set,
    several_enrolled,
)
from biometrics.evaluation.finger_sets import FingerSet, finger_set_in
from biometrics.evaluation.intervals import bootstrap_weights, upper_bound
from biometrics.fingerprint.engine import Extractor
from biometrics.fingerprint.match import MATCHER

REPEATS: Final = 300
Curves = dict[str, tuple[Distances, Distances]]
Peer = Callable[[FingerSet], PairScores]
"""Another system on the same pictures; its distances may have any scale."""


def evaluate_fingerprint(
    folders: Sequence[Path],
    extractor: Extractor,
    *,
    peers: Mapping[str, Peer] | None = None,
    parts: Calibration | None = None,
    progress: Progress = lambda done, of: None,
) -> tuple[dict[str, Any], Curves]:
    """Figures ready for JSON, and curves ready for a picture. About 75 s for four FVC sets, with parts 180 s.

    Args:
        folders: A set each.
        extractor: Finds the minutiae.
        peers: Other systems to measure beside, by name.
        parts: Also cut the prints to parts, and say how this calibration's promises hold for them.
        progress: Told how far it is.

    Raises:
        EvaluationDataError: A folder is absent or holds no two fingers, or two bear one name.
    """
    sets = [finger_set_in(folder) for folder in folders]
    if not sets or len({one.name for one in sets}) < len(sets):
        raise EvaluationDataError("give at least one folder, each of another name")
    extracted, scores, foreign = compare_sets(sets, extractor, progress)

    pictures = sum(len(one.taken) for one in sets)
    figures: dict[str, Any] = {
        "engine": f"{extractor.id}+{MATCHER}",
        "sets": {one.name: len(one.taken) for one in sets},
        "fingers": sum(len({taken.finger for taken in one.taken}) for one in sets),
        "failure_to_extract": sum(one.too_little for one in extracted) / pictures,
        "failure_to_extract_upper": upper_bound(sum(one.too_little for one in extracted), pictures),
        "pictures_refused": sum(one.refused for one in extracted),
    }
    figures |= rates_of(scores)
    figures["three_impressions"] = {"enrolled": ENROLLED, **rates_of([several_enrolled(one) for one in scores])}
    curves = {"one impression": pooled(scores), "three impressions": pooled([several_enrolled(one) for one in scores])}
    if foreign:
        figures["foreign_templates"] = {"sets": [one.name for one in foreign], **rates_of(foreign)}
        curves["another vendor's template"] = pooled(foreign)
    if parts is not None:
        cut = PartScores.of(sets, extracted, extractor, progress=progress)
        figures["parts"] = promise_figures(scores, cut, parts)
    for name, peer in (peers or {}).items():
        theirs = [peer(one) for one in sets]
        figures[name] = rates_of(theirs)
        curves[name] = pooled(theirs)
    return figures, curves


def compare_sets(
    sets: Sequence[FingerSet], extractor: Extractor, progress: Progress, *, own: bool = True, foreign: bool = True
) -> tuple[list[ExtractedSet], list[PairScores], list[PairScores]]:
    """Extracted, compared with themselves, and compared with another vendor's templates where there are any."""
    counts = [len(one.taken) for one in sets]
    with_templates = [sum(taken.foreign_template is not None for taken in one.taken) for one in sets]
    of = sum(counts)
    of += own * sum(n * (n - 1) // 2 for n in counts) + foreign * sum(n * (n - 1) // 2 for n in with_templates)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if done % 100 == 0 or done == of:
            progress(done, of)

    extracted = [extract_set(one, extractor, step) for one in sets]
    scores = [compare_all(one.name, one.own, one.own, step) for one in extracted if own]
    against = [compare_all(one.name, one.foreign, one.own, step) for one in extracted if foreign and one.foreign]
    return extracted, scores, against


def rates_of(scores: Sequence[PairScores]) -> dict[str, Any]:
    """Rates by set and under one threshold for all, with 95 % intervals over fingers."""
    genuine, impostor = pooled(scores)
    if not len(genuine) or not len(impostor):
        return {"genuine": len(genuine), "impostor": len(impostor), "eer_mean": None, "notes": "nothing to count"}
    together = Trade.counted(genuine, impostor)
    by_set = {one.name: Trade.counted(one.genuine, one.impostor).equal_error for one in scores}
    fvc = {
        one.name: Trade.counted(one.genuine, one.fvc_impostor).equal_error for one in scores if len(one.fvc_impostor)
    }
    figures: dict[str, Any] = {
        "genuine": len(genuine),
        "impostor": len(impostor),
        "eer_mean": float(np.mean(list(by_set.values()))),
        "eer": by_set,
        "eer_fvc_protocol": fvc,
        "eer_pooled": together.equal_error,
        "fnmr_at_fmr_1e2": together.fnmr_at(1e-2),
        "fnmr_at_fmr_1e3": together.fnmr_at(1e-3),
        "fnmr_at_fmr_1e4": together.fnmr_at(1e-4) if len(impostor) >= 10_000 else None,
        "fnmr_at_zero_fmr": together.fnmr_at(0),
    }
    return figures | _intervals(scores)


def pooled(scores: Sequence[PairScores]) -> tuple[Distances, Distances]:
    """Genuine and impostor distances of all sets together."""
    return np.concatenate([one.genuine for one in scores]), np.concatenate([one.impostor for one in scores])


def _intervals(scores: Sequence[PairScores]) -> dict[str, list[float]]:
    """2.5 and 97.5 % of what other fingers on the same scanners would have shown."""
    means: list[float] = []
    at_1e3: list[float] = []
    draws = [_drawn(one, seed) for seed, one in enumerate(scores)]
    genuine, impostor = pooled(scores)
    for repeat in range(REPEATS):
        weights = [(both[repeat][one.same], both[repeat][~one.same]) for one, both in zip(scores, draws, strict=True)]
        if any(not ours.sum() or not theirs.sum() for ours, theirs in weights):
            continue  # one finger drawn every time: no strangers
        means.append(
            float(
                np.mean(
                    [
                        Trade.of(one.genuine, one.impostor, *weight).equal_error
                        for one, weight in zip(scores, weights, strict=True)
                    ]
                )
            )
        )
        ours, theirs = (np.concatenate(side) for side in zip(*weights, strict=True))
        at_1e3.append(Trade.of(genuine, impostor, ours, theirs).fnmr_at(1e-3))
    return {"eer_mean_95": _middle(means), "fnmr_at_fmr_1e3_95": _middle(at_1e3)}


def _drawn(scores: PairScores, seed: int) -> Distances:
    """(repeats, comparisons): how often each comparison is in the draw; of two fingers, the product of both."""
    fingers, place = np.unique(np.concatenate([scores.reference[:, 0], scores.probe[:, 0]]), return_inverse=True)
    times = bootstrap_weights(len(fingers), repeats=REPEATS, seed=seed)
    ours, theirs = place[: len(scores.distance)], place[len(scores.distance) :]
    return np.asarray(np.where(ours == theirs, times[:, ours], times[:, ours] * times[:, theirs]))


def _middle(values: Sequence[float]) -> list[float]:
    return [float(value) for value in np.quantile(np.array(values), [0.025, 0.975])] if values else []
