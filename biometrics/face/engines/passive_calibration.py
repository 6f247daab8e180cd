"""What was measured with an operator's passive detector, as `counter calibrate passive` writes it; read strictly.

```toml
passive_calibration = 2
engine = "silent-face/0123456789ab"             # as `python -m biometrics` names it
measured_on = "counter hall, 74 people, 60 attacks of each species"
measured_at = 2026-11-22
data_sha256 = "…"
seed = 1
refuses = true                                  # false: the value is told and decides nothing
told_only_because = []
accept_from = 0.5321                            # the median of a check's values
bpcer_bound = 0.05
bpcer_upper = 0.0496                            # 95 %, of people that the limit has not seen
people = 94
people_refused = 1
bona_fide = 140                                 # presentations of theirs
bona_fide_refused = 2
bona_fide_imitated = 0                          # of them made of portraits: then nobody is refused
bona_fide_not_possible = 3

[weights]
"model_1.bin" = "…"

[attacks."print"]
clips = 60
recorded = true                                 # false: drawn or made of pictures, which proves nothing
accepted = 3
not_possible = 1
apcer_upper = 0.1239
```
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from biometrics.errors import CalibrationError
from biometrics.face.engines.manifest import FileName, Name, Sha256
from biometrics.face.engines.strict_toml import Strict, parse_strict, read_strict

LEAST_CLIPS: Final = 20  # of people, and of each species: of fewer, no rate is worth deciding by

Count = Annotated[int, Field(ge=0, strict=True)]
Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Species(Strict):
    """Attacks of one kind."""

    clips: Annotated[int, Field(ge=LEAST_CLIPS, strict=True)]
    recorded: bool
    accepted: Count
    not_possible: Count
    apcer_upper: Rate

    @model_validator(mode="after")
    def _adds_up(self) -> "Species":
        if self.accepted > self.clips or self.not_possible > self.accepted:
            raise ValueError("more were accepted than there were clips, or fewer than nothing could be told of")
        if self.apcer_upper < self.accepted / self.clips:
            raise ValueError("the upper bound lies below what was counted")
        return self


class PassiveCalibration(Strict):
    """From which value on a check passes, how often that was wrong, and whether it may refuse anybody."""

    passive_calibration: Literal[2]
    engine: str
    measured_on: Annotated[str, Field(min_length=3, max_length=400)]
    measured_at: date
    data_sha256: Sha256
    seed: int
    refuses: Annotated[bool, Field(strict=True)]
    told_only_because: Annotated[tuple[str, ...], Field(max_length=10)]
    accept_from: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
    bpcer_bound: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
    bpcer_upper: Rate
    people: Annotated[int, Field(ge=LEAST_CLIPS, strict=True)]
    people_refused: Count
    bona_fide: Count
    bona_fide_refused: Count
    bona_fide_imitated: Count
    bona_fide_not_possible: Count
    weights: Annotated[dict[FileName, Sha256], Field(min_length=1, max_length=8)]
    attacks: Annotated[dict[Name, Species], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _adds_up(self) -> "PassiveCalibration":
        if not (self.people <= self.bona_fide and self.people_refused <= self.bona_fide_refused <= self.bona_fide):
            raise ValueError("people and their presentations do not add up")
        if self.people_refused > self.people or self.bpcer_upper < self.people_refused / self.people:
            raise ValueError("more people were refused than there were, or more than the upper bound says")
        return self

    @model_validator(mode="after")
    def _earned(self) -> "PassiveCalibration":
        """Nobody is refused by a file that was edited to."""
        recorded = [one for one in self.attacks.values() if one.recorded]
        earned = (
            self.bpcer_upper <= self.bpcer_bound
            and not self.bona_fide_imitated
            and any(one.apcer_upper < 1 - self.bpcer_upper for one in recorded)
        )
        if self.refuses and (self.told_only_because or not earned):
            raise ValueError("refuses nobody: its own figures do not say that refusing is worth its price")
        return self


def read_passive_calibration(path: Path, engine_id: str) -> PassiveCalibration:
    """What was measured with exactly these networks.

    Raises:
        CalibrationError: It is absent, senseless, or was measured with others.
    """
    return _of(read_strict(path, PassiveCalibration, CalibrationError), path.name, engine_id)


def parse_passive_calibration(text: str, name: str, engine_id: str) -> PassiveCalibration:
    """The same of a text at hand; `name` is for the message.

    Raises:
        CalibrationError: As `read_passive_calibration`.
    """
    return _of(parse_strict(text.encode(), name, PassiveCalibration, CalibrationError), name, engine_id)


def _of(calibration: PassiveCalibration, name: str, engine_id: str) -> PassiveCalibration:
    if calibration.engine != engine_id:
        raise CalibrationError(f"{name} was measured with {calibration.engine}, this is {engine_id}")
    return calibration
