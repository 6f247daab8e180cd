"""What an operator writes about their MiniFASNet files, and what was measured with them; both read strictly.

```toml
manifest = 1
name = "silent-face"
licence = "Apache-2.0, github.com/minivision-ai/Silent-Face-Anti-Spoofing"
calibration = "silent-face.calibration.toml"   # optional: without it the value is told and decides nothing

[[views]]
layers = "model_1.param"                        # ncnn's list of layers, beside the manifest
layers_sha256 = "…"
weights = "model_1.bin"
weights_sha256 = "…"
surroundings = 2.7                              # how many times the face's box the network is shown
```

The calibration, on clips of people and of attacks that the operator has recorded at their own counter:

```toml
passive_calibration = 1
engine = "silent-face/0123456789ab"             # as `python -m biometrics` names it
measured_on = "counter hall, 40 people and 60 attacks of each species"
measured_at = 2026-11-22
accept_from = 0.5                               # the median of a check's values
bona_fide = 40
bona_fide_refused = 1

[attacks.print]
clips = 60
accepted = 0
```
"""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from biometrics.errors import CalibrationError, ManifestError
from biometrics.face.engines.manifest import FileName, Licence, Name, Sha256
from biometrics.face.engines.strict_toml import Strict, read_strict

LEAST_CLIPS: Final = 20  # of people, and of each species: of fewer, no rate is worth deciding by

Count = Annotated[int, Field(ge=0, strict=True)]


class ViewPart(Strict):
    """One network, and how much of the picture it is shown."""

    layers: FileName
    layers_sha256: Sha256
    weights: FileName
    weights_sha256: Sha256
    surroundings: Annotated[float, Field(ge=1, le=8, allow_inf_nan=False)]


class PassiveManifest(Strict):
    """A whole manifest; every field but `calibration` is required."""

    manifest: Literal[1]
    name: Name
    licence: Licence
    views: Annotated[tuple[ViewPart, ...], Field(min_length=1, max_length=4)]
    calibration: FileName | None = None

    @property
    def engine_id(self) -> str:
        """The name, and twelve digits of the hash over networks and surroundings."""
        parts = self.model_dump(mode="json", include={"views"})
        canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return f"{self.name}/{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"


class Species(Strict):
    """Attacks of one kind."""

    clips: Annotated[int, Field(ge=LEAST_CLIPS, strict=True)]
    accepted: Count

    @model_validator(mode="after")
    def _adds_up(self) -> "Species":
        if self.accepted > self.clips:
            raise ValueError("more were accepted than there were clips")
        return self


class PassiveCalibration(Strict):
    """From which value on a check passes, and how often that was wrong."""

    passive_calibration: Literal[1]
    engine: str
    measured_on: Annotated[str, Field(min_length=3, max_length=400)]
    measured_at: date
    accept_from: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
    bona_fide: Annotated[int, Field(ge=LEAST_CLIPS, strict=True)]
    bona_fide_refused: Count
    attacks: Annotated[dict[Name, Species], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _adds_up(self) -> "PassiveCalibration":
        if self.bona_fide_refused > self.bona_fide:
            raise ValueError("more people were refused than there were")
        return self


def read_passive_manifest(path: Path) -> PassiveManifest:
    """The manifest in this file.

    Raises:
        ManifestError: It is absent, no TOML, or says too little, too much or nonsense; the message names the field.
    """
    return read_strict(path, PassiveManifest, ManifestError)


def read_passive_calibration(path: Path, engine_id: str) -> PassiveCalibration:
    """What was measured with exactly these networks.

    Raises:
        CalibrationError: It is absent, senseless, or was measured with others.
    """
    calibration = read_strict(path, PassiveCalibration, CalibrationError)
    if calibration.engine != engine_id:
        raise CalibrationError(f"{path.name} was measured with {calibration.engine}, this is {engine_id}")
    return calibration
