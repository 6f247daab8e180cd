"""The tries of one person with one finger: few, and the best of them is kept."""

from dataclasses import dataclass, field
from typing import Final

from biometrics.fingerprint.engine import Extraction
from biometrics.fingerprint.policy import MAX_TRIES

GOOD_ENOUGH: Final = None  # no advice left: another try would gain nothing


@dataclass(slots=True)
class Tries:
    """Collects impressions until one is good or the tries are used up."""

    at_most: int = MAX_TRIES
    _given: list[Extraction] = field(default_factory=list)

    def add(self, extraction: Extraction) -> None:
        """One more impression.

        Raises:
            ValueError: The tries were used up before; the caller asked `wanted`.
        """
        if len(self._given) >= self.at_most:
            raise ValueError("no try is left")
        self._given.append(extraction)

    @property
    def count(self) -> int:
        """Impressions given, for `decide_finger`'s claim."""
        return len(self._given)

    @property
    def wanted(self) -> bool:
        """Another impression could help and is allowed."""
        best = self.best
        return self.count < self.at_most and (best is None or best.quality.advice is not GOOD_ENOUGH)

    @property
    def best(self) -> Extraction | None:
        """The impression of the best quality, the first of equals; None before the first."""
        return max(self._given, key=lambda one: one.quality.score, default=None)
