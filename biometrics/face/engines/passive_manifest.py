"""What an operator writes about their MiniFASNet files, read strictly.

```toml
manifest = 1
name = "silent-face"
licence = "Apache-2.0, github.com/minivision-ai/Silent-Face-Anti-Spoofing"
calibration = "silent-face.calibration.toml"   # optional (`passive_calibration`): without it the value is only told

[[views]]
layers = "model_1.param"                        # ncnn's list of layers, beside the manifest
layers_sha256 = "…"
weights = "model_1.bin"
weights_sha256 = "…"
surroundings = 2.7                              # how many times the face's box the network is shown
```
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from biometrics.errors import ManifestError
from biometrics.face.engines.manifest import FileName, Licence, Name, Sha256
from biometrics.face.engines.strict_toml import Strict, read_strict


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
    def sha256(self) -> dict[str, str]:
        """Hash of every file by its name."""
        layers = {view.layers: view.layers_sha256 for view in self.views}
        return layers | {view.weights: view.weights_sha256 for view in self.views}

    @property
    def engine_id(self) -> str:
        """The name, and twelve digits of the hash over networks and surroundings."""
        parts = self.model_dump(mode="json", include={"views"})
        canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return f"{self.name}/{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"


def read_passive_manifest(path: Path) -> PassiveManifest:
    """The manifest in this file.

    Raises:
        ManifestError: It is absent, no TOML, or says too little, too much or nonsense; the message names the field.
    """
    return read_strict(path, PassiveManifest, ManifestError)
