"""What an operator writes about a network of their own, read strictly: one word too many or too few refuses it.

```toml
manifest = 1
name = "example-r50"
licence = "commercial, contract of 2026-05-02"
metric = "cosine"                       # or "euclidean"
calibration = "example-r50.calibration.toml"

[network]
file = "example-r50.onnx"               # beside the manifest, like every file named here
sha256 = "…"
side_px = 112
channels = "rgb"                        # or "bgr"
mean = [127.5, 127.5, 127.5]            # subtracted from 0 to 255, in the order of the channels
scale = [0.0078125, 0.0078125, 0.0078125]
dimensions = 512
template = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]

[detector]                              # optional: YuNet, for boxes and the five points
file = "face_detection_yunet_2023mar.onnx"
sha256 = "…"
```
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from biometrics.errors import ManifestError
from biometrics.face.engine import Metric
from biometrics.face.engines.strict_toml import Strict, read_strict

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$")]
"""A file beside the manifest: a path could point anywhere, and would not survive being copied to another machine."""
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Licence = Annotated[str, Field(min_length=3, max_length=400, pattern=r"\S")]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Triple = tuple[Number, Number, Number]
Point = tuple[Number, Number]


class NetworkPart(Strict):
    """The network and what it expects to be shown."""

    file: FileName
    sha256: Sha256
    side_px: Annotated[int, Field(ge=32, le=512, strict=True)]
    channels: Literal["rgb", "bgr"]
    mean: Triple
    scale: Triple
    dimensions: Annotated[int, Field(ge=16, le=4096, strict=True)]
    template: tuple[Point, Point, Point, Point, Point]
    """Right eye, left eye, nose tip, right and left corner of the mouth, in pixels of the aligned face."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "NetworkPart":
        if any(one == 0 for one in self.scale):
            raise ValueError("a scale of 0 shows the network nothing")
        if not all(0 <= x < self.side_px and 0 <= y < self.side_px for x, y in self.template):
            raise ValueError("a point of the template lies outside the aligned face")
        right_eye, left_eye, _, right_corner, left_corner = self.template
        if right_eye[0] >= left_eye[0] or max(right_eye[1], left_eye[1]) >= min(right_corner[1], left_corner[1]):
            raise ValueError("the template is not right eye, left eye, nose tip, right and left corner of the mouth")
        return self


class DetectorPart(Strict):
    """A YuNet file."""

    file: FileName
    sha256: Sha256


class Manifest(Strict):
    """A whole manifest; every field but `detector` is required."""

    manifest: Literal[1]
    name: Name
    licence: Licence
    metric: Metric
    calibration: FileName
    network: NetworkPart
    detector: DetectorPart | None = None

    @property
    def engine_id(self) -> str:
        """The name, and twelve digits of the hash over all that embeddings hang on: a calibration names both."""
        parts = self.model_dump(mode="json", exclude={"licence", "calibration", "name"})
        canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return f"{self.name}/{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"


def read_manifest(path: Path) -> Manifest:
    """The manifest in this file.

    Raises:
        ManifestError: It is absent, no TOML, or says too little, too much or nonsense; the message names the field.
    """
    return read_strict(path, Manifest, ManifestError)
