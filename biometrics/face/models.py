"""Every weight file the default engine runs: what it is, whose, and by which hash we know it.

The files come with the package `face_recognition_models`. That package is never imported: its `__init__` needs
`pkg_resources`, gone from setuptools 82, and `face_recognition` ends the process when it is missing.
"""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from biometrics.errors import ModelError
from biometrics.libraries import WHERE_FROM

PACKAGE = "face_recognition_models"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One weight file."""

    name: str
    sha256: str
    licence: str
    source: str
    shapes: str


EMBEDDER = ModelFile(
    name="dlib_face_recognition_resnet_model_v1.dat",
    sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    licence="CC0-1.0 (dlib-models: public domain)",
    source="https://github.com/davisking/dlib-models",
    shapes="RGB chip 150x150 -> 128 float",
)
LANDMARKS_5 = ModelFile(
    name="shape_predictor_5_face_landmarks.dat",
    sha256="c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    licence="CC0-1.0 (dlib-models: public domain)",
    source="https://github.com/davisking/dlib-models",
    shapes="picture and box -> 5 points",
)
LANDMARKS_68 = ModelFile(
    name="shape_predictor_68_face_landmarks.dat",
    sha256="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
    licence="trained on iBUG 300-W, whose licence excludes commercial use: replace before selling (DECISIONS.md)",
    source="https://github.com/davisking/dlib-models",
    shapes="picture and box -> 68 points",
)
MODELS = (EMBEDDER, LANDMARKS_5, LANDMARKS_68)


def locate(model: ModelFile) -> Path:
    """Path of a weight file whose hash is the one measured with.

    Raises:
        ModelError: The package is not installed, the file is not in it, or the file is another one.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"package {PACKAGE} is not installed ({WHERE_FROM[PACKAGE]})")
    path = Path(spec.submodule_search_locations[0]) / "models" / model.name
    if not path.is_file():
        raise ModelError(f"{model.name} is not in the package {PACKAGE}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != model.sha256:
        raise ModelError(f"{model.name} has SHA-256 {digest}, measured was {model.sha256}")
    return path
