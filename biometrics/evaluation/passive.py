"""From which value on a passive detector's check passes, and how often that is wrong (ISO/IEC 30107-3).

The limit comes from people alone: so many of them may lie below it that a stated share of people is not exceeded with
95 % confidence. Whether that holds is counted on people it has not seen, five times over; the most lenient of the five
limits is the one written. Attacks never move it: they say what it is worth.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count, takewhile
from typing import Any, Final

import numpy as np

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.calibration_file import toml_value
from biometrics.evaluation.intervals import upper_bound
from biometrics.evaluation.passive_values import Shown, Species, Values
from biometrics.face.engines.passive_calibration import LEAST_CLIPS, parse_passive_calibration

FOLDS: Final = 5
DIGITS: Final = 4  # of a limit, always rounded down: nobody is refused by rounding
MARKS: Final = (0.05, 0.5, 0.95)  # of the values told about each kind

DRAWN_SAY_LITTLE: Final = (
    "drawn attacks have no paper's grain and no real screen's pixels: "
    "they say little about this cue, whatever they come to"
)


@dataclass(frozen=True, slots=True)
class Split:
    """A limit, and how often people were refused by limits found without them."""

    accept_from: float
    refused: int
    """Presentations."""
    people_refused: int
    people: int

    @property
    def bpcer_upper(self) -> float:
        """Of people, of whom one may be refused again and again."""
        return _up(upper_bound(self.people_refused, self.people))


def split_by_person(values: Values, bound: float, seed: int) -> Split:
    """Five limits, each from four fifths of the people, held against the other fifth.

    Raises:
        EvaluationDataError: Too few people for that bound.
    """
    lowest = values.lowest
    if not _shows(len(lowest), bound):
        needed = next(people for people in count(FOLDS) if _shows(people, bound))
        raise EvaluationDataError(
            f"{len(lowest)} people cannot show that at most {bound:.1%} are refused: at least {needed} are needed"
        )
    order = np.random.default_rng([seed, FOLDS]).permutation(sorted(lowest))
    limits: dict[str, float] = {}
    for fold in range(FOLDS):
        unseen = {str(name) for name in order[fold::FOLDS]}
        limit = limit_for([value for name, value in lowest.items() if name not in unseen], bound)
        limits |= dict.fromkeys(unseen, limit)
    below = [one.by for one in values.people if one.value is not None and one.value < limits[one.by]]
    return Split(min(limits.values()), len(below), len(set(below)), len(lowest))


def _shows(people: int, bound: float) -> bool:
    """Whether so many people could keep the bound at all, if none of the four fifths lay below a limit."""
    return upper_bound(0, people - math.ceil(people / FOLDS)) <= bound


def limit_for(lowest: Sequence[float], bound: float) -> float:
    """The highest limit below which so few of these people lie that the bound holds with 95 % confidence.

    The lowest of them where they are too few to hold it.
    """
    held = [0, *takewhile(lambda below: upper_bound(below, len(lowest)) <= bound, range(1, len(lowest)))]
    limit = sorted(lowest)[held[-1]]
    return min(math.floor(limit * 10**DIGITS), 10**DIGITS - 1) / 10**DIGITS


def passive_figures(
    values: Values, *, engine_id: str, bound: float, seed: int, calibrated_from: float | None
) -> dict[str, Any]:
    """Counts and rates, ready for JSON; what cannot be counted is None, with its reason under "notes".

    Args:
        values: Of `show_all`.
        engine_id: The detector's.
        bound: The share of people that may be refused.
        seed: Of the split.
        calibrated_from: The limit of the operator's calibration, where there is one: counted too.
    """
    notes = [DRAWN_SAY_LITTLE] if any(not one.recorded for one in values.attacks.values()) else []
    try:
        split = split_by_person(values, bound, seed)
    except EvaluationDataError as error:
        split = None
        notes.append(f"bpcer, apcer: {error}")
    counted = [one for one in values.people if one.value is not None]
    figures: dict[str, Any] = {
        "engine": engine_id,
        "people": len(values.lowest),
        "bona_fide": len(counted),
        "bona_fide_imitated": sum(one.imitated for one in counted),
        "bona_fide_not_possible": len(values.people) - len(counted),
        "bona_fide_values": _marks(counted),
        "bpcer_bound": bound,
        "accept_from": split and split.accept_from,
        "bona_fide_refused": split and split.refused,
        "bpcer": split and split.refused / len(counted),
        "bpcer_upper": split and split.bpcer_upper,
        "bpcer_by_group": split and _by_group(counted, split.accept_from),
        "apcer": {name: _counted(one, split) for name, one in values.attacks.items()},
    }
    if split:
        notes += [
            f"{name} is not told apart from people" for name, one in values.attacks.items() if not _apart(one, split)
        ]
    if calibrated_from is not None:
        below = sum(one.value < calibrated_from for one in counted if one.value is not None)
        figures["at_calibration"] = {
            "accept_from": calibrated_from,
            "bona_fide_refused": below,
            "bpcer": below / len(counted) if counted else None,
            "bpcer_upper": upper_bound(below, len(counted)),
            "apcer": {name: _errors(one, calibrated_from) for name, one in values.attacks.items()},
        }
    return figures | {"notes": notes}


def calibration_text(
    values: Values,
    *,
    engine_id: str,
    weights: Mapping[str, str],
    bound: float,
    seed: int,
    measured_on: str,
    measured_at: date,
) -> str:
    """The calibration file, which refuses nobody unless the operator's own recordings earn it (`_told_only`).

    Raises:
        EvaluationDataError: Too few people for the bound, too few attacks of a species, or people have no values.
    """
    few = [name for name, one in values.attacks.items() if len(one.shown) < LEAST_CLIPS]
    if few or not values.attacks:
        raise EvaluationDataError(f"{', '.join(few) or 'attacks'}: at least {LEAST_CLIPS} of each species are needed")
    split = split_by_person(values, bound, seed)
    if split.accept_from <= 0:
        raise EvaluationDataError("this network gives people values of 0: no limit would refuse an attack")
    counted = [one for one in values.people if one.value is not None]
    told_only = _told_only(values, split, bound)
    head: dict[str, object] = {
        "passive_calibration": 2,
        "engine": engine_id,
        "measured_on": measured_on,
        "measured_at": measured_at,
        "data_sha256": values.sha256,
        "seed": seed,
        "refuses": not told_only,
        "told_only_because": told_only,
        "accept_from": split.accept_from,
        "bpcer_bound": bound,
        "bpcer_upper": split.bpcer_upper,
        "people": split.people,
        "people_refused": split.people_refused,
        "bona_fide": len(counted),
        "bona_fide_refused": split.refused,
        "bona_fide_imitated": sum(one.imitated for one in counted),
        "bona_fide_not_possible": len(values.people) - len(counted),
    }
    lines = [f"{name} = {toml_value(value, DIGITS)}" for name, value in head.items()]
    lines += ["", "[weights]", *(f'"{name}" = "{digest}"' for name, digest in sorted(weights.items()))]
    for name, one in values.attacks.items():
        told: dict[str, object] = {
            "clips": len(one.shown),
            "recorded": one.as_seen,
            "accepted": _accepted(one, split.accept_from),
            "not_possible": sum(shown.value is None for shown in one.shown),
            "apcer_upper": _apcer_upper(one, split.accept_from),
        }
        lines += ["", f'[attacks."{name}"]', *(f"{word} = {toml_value(value, DIGITS)}" for word, value in told.items())]
    text = "\n".join(lines) + "\n"
    parse_passive_calibration(text, "the calibration", engine_id)  # what would be refused is not written
    return text


def _told_only(values: Values, split: Split, bound: float) -> list[str]:
    """Why the value may refuse nobody; nothing where the recordings say that refusing is worth its price."""
    why = []
    if split.bpcer_upper > bound:
        why.append(f"{split.people_refused} of {split.people} unseen people were refused: not shown to keep the bound")
    if any(one.imitated for one in values.people):
        why.append("people were shown as pictures made to look like a webcam's, not as the counter's camera sees them")
    recorded = [one for one in values.attacks.values() if one.as_seen]
    if not recorded:
        why.append("no attack was recorded: all were drawn or made of pictures, which say little about this cue")
    elif not any(_apart(one, split) for one in recorded):
        why.append("no recorded species of attack is told apart from people")
    return why


def _apart(species: Species, split: Split) -> bool:
    """Whether attacks of a kind pass less often than people do, at the worse end of both bounds."""
    return _apcer_upper(species, split.accept_from) < 1 - split.bpcer_upper


def _apcer_upper(species: Species, limit: float) -> float:
    return _up(upper_bound(_accepted(species, limit), len(species.shown)))


def _accepted(species: Species, limit: float) -> int:
    """An attack of which nothing can be told passes this cue: it refuses nobody."""
    return sum(not (one.value is not None and one.value < limit) for one in species.shown)


def _errors(species: Species, limit: float) -> dict[str, Any]:
    accepted, attacks = _accepted(species, limit), len(species.shown)
    return {"accepted": accepted, "apcer": accepted / attacks, "apcer_upper": _apcer_upper(species, limit)}


def _counted(species: Species, split: Split | None) -> dict[str, Any]:
    seen = [one for one in species.shown if one.value is not None]
    told = {
        "attacks": len(species.shown),
        "recorded": species.recorded,
        "not_possible": len(species.shown) - len(seen),
        "values": _marks(seen),
    }
    if split is None:
        return told | {"accepted": None, "apcer": None, "apcer_upper": None, "told_apart": None}
    return told | _errors(species, split.accept_from) | {"told_apart": _apart(species, split)}


def _by_group(people: Sequence[Shown], limit: float) -> dict[str, Any] | None:
    """At the limit that is written, which has seen these people: for comparing groups, not for promising."""
    rows = {}
    for group in sorted({one.group for one in people if one.group}):
        inside = [one for one in people if one.group == group]
        refused = sum(one.value < limit for one in inside if one.value is not None)
        rows[group] = {"bona_fide": len(inside), "refused": refused, "bpcer_upper": upper_bound(refused, len(inside))}
    return rows or None


def _marks(shown: Sequence[Shown]) -> list[float] | None:
    """Low, middle and high value."""
    values = [one.value for one in shown if one.value is not None]
    return [round(float(mark), DIGITS) for mark in np.quantile(values, MARKS)] if values else None


def _up(rate: float) -> float:
    """Rounded up as it is written."""
    return min(1.0, math.ceil(rate * 10**DIGITS) / 10**DIGITS)
