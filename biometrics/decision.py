"""How a comparison is spoken about outside this package: with its error rate, never as a bare number."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import isnan


class Verdict(StrEnum):
    """What a comparison ends in. `REFER` means a clerk's eyes decide."""

    ACCEPT = "accept"
    REFER = "refer"
    REJECT = "reject"


class CheckOutcome(StrEnum):
    """A check is never just true or false."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_POSSIBLE = "not_possible"


@dataclass(frozen=True, slots=True)
class Check:
    """One named step of a decision, with the reason in words for a clerk."""

    name: str
    outcome: CheckOutcome
    why: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """How alike two faces are, told as how often strangers are at least as alike."""

    distance: float
    fmr_upper: float
    """Upper end of the one-sided 95 % interval of the false match rate among all strangers measured."""
    comparisons: int
    """Strangers' comparisons behind `fmr_upper`."""
    fmr_upper_worst_group: float
    """The same among people of the group told apart worst; wide, because few people were there to count."""
    worst_group_comparisons: int
    """Comparisons behind `fmr_upper_worst_group`; show each bound beside its own count."""
    calibration: str
    fmr_worst_group: float
    """Expected false match rate among other people of that group. Never below what the data can carry."""
    likelihood_ratio: float
    """How much more often the same person comes as close than a stranger of that group; same-day pictures."""
    frames_fused: int


@dataclass(frozen=True, slots=True)
class Curves:
    """What each distance of a grid means; between two of its points the worse one counts."""

    distances: tuple[float, ...]
    fmr: tuple[float, ...]
    fmr_upper: tuple[float, ...]
    fmr_worst_group: tuple[float, ...]
    fmr_upper_worst_group: tuple[float, ...]
    fnmr: tuple[float, ...]
    likelihood_ratio: tuple[float, ...]

    def step_at(self, distance: float) -> int | None:
        """The first point of the grid at or beyond the distance; None beyond the grid."""
        step = bisect_left(self.distances, distance)
        return step if step < len(self.distances) else None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One engine's calibration for one number of fused frames: two distances and the three bands between them."""

    calibration: str
    engine: str
    frames_fused: int
    accept_distance: float
    """Where the expected false match rate in the worst group reaches what `calibrate` aimed at (1e-3)."""
    refer_distance: float
    comparisons: int
    worst_group_comparisons: int
    curves: Curves

    @property
    def supported_fmr(self) -> float:
        """The false match rate that an acceptance promises to everybody: the worst group's."""
        step = self.curves.step_at(self.accept_distance)
        return 1.0 if step is None else self.curves.fmr_worst_group[step]

    def assists_only(self, required_fmr: float) -> bool:
        """Whether the data are too few to promise that rate: then the engine helps a clerk and accepts nobody alone."""
        return self.supported_fmr > required_fmr

    def judge(self, distance: float) -> tuple[Verdict, Score]:
        """Verdict and score of a distance. A distance that is not a number is rejected."""
        score = self._score(distance)
        if distance <= self.accept_distance:
            return Verdict.ACCEPT, score
        if distance <= self.refer_distance:
            return Verdict.REFER, score
        return Verdict.REJECT, score

    def _score(self, distance: float) -> Score:
        step = None if isnan(distance) else self.curves.step_at(distance)
        return Score(
            distance=distance,
            fmr_upper=1.0 if step is None else self.curves.fmr_upper[step],
            comparisons=self.comparisons,
            fmr_upper_worst_group=1.0 if step is None else self.curves.fmr_upper_worst_group[step],
            worst_group_comparisons=self.worst_group_comparisons,
            calibration=self.calibration,
            fmr_worst_group=1.0 if step is None else self.curves.fmr_worst_group[step],
            likelihood_ratio=0.0 if step is None else self.curves.likelihood_ratio[step],
            frames_fused=self.frames_fused,
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """What one engine's distances mean, where and on whom that was measured, for every number of fused frames."""

    id: str
    engine: str
    weights: Mapping[str, str]
    """SHA-256 of every weight file it was measured with, by name."""
    measured_on: str
    measured_at: date
    people: int
    worst_group: str
    worst_group_people: int
    fused: tuple[Thresholds, ...]
    """By rising number of frames."""

    def of(self, frames: int) -> Thresholds | None:
        """The thresholds for so many fused frames: those measured with as many or the next fewer; None below all."""
        fewer = [thresholds for thresholds in self.fused if thresholds.frames_fused <= frames]
        return fewer[-1] if fewer else None
