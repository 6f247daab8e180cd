"""Which engine: the default, `face_recognition`, or an operator's own, and the plain words when it cannot be had."""

import importlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from biometrics.errors import LibraryMissingError
from biometrics.face.models import PACKAGE, PACKAGE_VERSION

if TYPE_CHECKING:
    from biometrics.face.engine import FaceEngine  # needs NumPy, whose absence is an answer too

DEFAULT: Final = "default"
COMPATIBLE: Final = "face_recognition"

ENGINE: Final = "COUNTER_FACE_ENGINE"
YUNET: Final = "COUNTER_FACE_YUNET"
CALIBRATION: Final = "COUNTER_FACE_CALIBRATION"
LANDMARKS: Final = "COUNTER_FACE_68_LANDMARKS"

WHERE_FROM: Final = {
    "numpy": "pip install numpy",
    "cv2": "pip install opencv-python-headless",
    "dlib": "pip install dlib-bin",
    PACKAGE: f"pip install --no-deps {PACKAGE}=={PACKAGE_VERSION}",
    "pydantic": "pip install pydantic",
}
"""What an engine cannot do without. onnxruntime is no part of it: OpenCV stands in for it."""

ALWAYS: Final = ("numpy", "cv2", "dlib", PACKAGE)  # pydantic reads manifests only


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What the operator wants; nothing said is the default engine with the figures shipped for it."""

    engine: str = DEFAULT
    """`default`, `face_recognition`, or the path of a manifest (`manifest.py`)."""
    yunet: Path | None = None
    """The operator's YuNet file, which then finds faces instead of dlib's detector."""
    calibration: Path | None = None
    """A calibration file of the operator's own, for the default engine; a manifest names its own."""
    with_68: bool = True
    """Whether the landmark file of doubtful licence may be used; without it faces are compared, no liveness shown."""


def choice_from(environment: Mapping[str, str] = os.environ) -> EngineChoice:
    """The choice in the environment: COUNTER_FACE_ENGINE, _YUNET, _CALIBRATION, and _68_LANDMARKS=no."""
    return EngineChoice(
        engine=environment.get(ENGINE, "") or DEFAULT,
        yunet=Path(environment[YUNET]) if environment.get(YUNET) else None,
        calibration=Path(environment[CALIBRATION]) if environment.get(CALIBRATION) else None,
        with_68=environment.get(LANDMARKS, "yes") != "no",
    )


def open_engine(choice: EngineChoice | None = None, *, to_calibrate: bool = False) -> "FaceEngine":
    """The engine of that choice, by default of the environment's; under two seconds.

    Args:
        choice: None reads the environment.
        to_calibrate: Only for measuring: an operator's engine is opened without the figures it has not got yet.

    Raises:
        ManifestError: An operator's manifest is absent or refused; the message names the field.
        LibraryMissingError: A library it needs is not installed; the message says how to get it.
        ModelError: A weight file is missing, or not the one its hash names.
        CalibrationError: An operator's engine comes without the figures measured with it.
    """
    choice = choice or choice_from()
    return _load("biometrics.face.engines.opening").open_chosen(choice, to_calibrate=to_calibrate)  # type: ignore[no-any-return]


def _load(module: str) -> ModuleType:
    """Import late, on purpose: the reason why it cannot be loaded is an answer, not a traceback."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = (error.name or "").partition(".")[0]
        if library not in WHERE_FROM:
            raise
        lacking = [library, *(name for name in ALWAYS if name != library and not _is_there(name))]
        remedy = "; ".join(WHERE_FROM[name] for name in lacking)
        raise LibraryMissingError(f"faces need {', '.join(lacking)}, which cannot be loaded: {remedy}") from error


def _is_there(library: str) -> bool:
    """Whether it is installed, without loading it; all that is missing is told at once."""
    try:
        return importlib.util.find_spec(library) is not None
    except ImportError:
        return False
