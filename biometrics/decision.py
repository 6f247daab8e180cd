"""How a comparison is spoken about outside this package: with its error rate, never as a bare number."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


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
class Threshold:
    """A distance with its birthplace: how often different people came as close, where and when that was counted."""

    distance: float
    fmr_upper: float
    """Upper end of the one-sided 95 % interval of the false match rate, all impostor pairs (Clopper-Pearson)."""
    fmr_upper_worst_group: float
    """The same among the people of the worst group only; wide, because few people were there to count."""
    comparisons: int
    false_matches: int
    worst_group_comparisons: int
    measured_on: str
    measured_at: date


@dataclass(frozen=True, slots=True)
class Score:
    """How alike two faces are, told as how often strangers are at least as alike."""

    distance: float
    fmr_upper: float
    """Of the tightest threshold the distance lies under; 1.0 above all of them. Never below what was counted."""
    comparisons: int
    """Strangers' pairs behind `fmr_upper`."""
    fmr_upper_worst_group: float
    worst_group_comparisons: int
    """Pairs behind `fmr_upper_worst_group`; show each bound beside its own count."""
    calibration: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The calibration of one engine: two thresholds and the three bands between them."""

    calibration: str
    engine: str
    frames_fused: int
    accept: Threshold
    refer: Threshold

    def judge(self, distance: float) -> tuple[Verdict, Score]:
        """Verdict and score of a distance. A distance that is not a number is rejected."""
        if distance <= self.accept.distance:
            return Verdict.ACCEPT, self._score(distance, self.accept)
        if distance <= self.refer.distance:
            return Verdict.REFER, self._score(distance, self.refer)
        return Verdict.REJECT, self._score(distance, None)

    def _score(self, distance: float, under: Threshold | None) -> Score:
        counted = under or self.refer
        return Score(
            distance=distance,
            fmr_upper=under.fmr_upper if under else 1.0,
            comparisons=counted.comparisons,
            fmr_upper_worst_group=under.fmr_upper_worst_group if under else 1.0,
            worst_group_comparisons=counted.worst_group_comparisons,
            calibration=self.calibration,
        )
