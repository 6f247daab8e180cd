"""Which engine: the default, `face_recognition`, or an operator's own, and the plain words when it cannot be had."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from biometrics.face.models import PACKAGE
from biometrics.libraries import load

if TYPE_CHECKING:
    from biometrics.face.engine import FaceEngine  # needs NumPy, whose absence is an answer too

DEFAULT: Final = "default"
COMPATIBLE: Final = "face_recognition"

ENGINE: Final = "COUNTER_FACE_ENGINE"
YUNET: Final = "COUNTER_FACE_YUNET"
CALIBRATION: Final = "COUNTER_FACE_CALIBRATION"
LANDMARKS: Final = "COUNTER_FACE_68_LANDMARKS"

NEEDS: Final = "faces need"
ALWAYS: Final = ("numpy", "cv2", "dlib", PACKAGE)
"""What no engine can do without. onnxruntime is no part of it: OpenCV stands in for it."""
COMPATIBLE_ALSO: Final = (COMPATIBLE, "PIL", "pkg_resources")
MANIFESTS_ALSO: Final = ("pydantic",)


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
    also = {DEFAULT: (), COMPATIBLE: COMPATIBLE_ALSO}.get(choice.engine, MANIFESTS_ALSO)
    opening = load("biometrics.face.engines.opening", NEEDS, always=(*ALWAYS, *also))
    return opening.open_chosen(choice, to_calibrate=to_calibrate)  # type: ignore[no-any-return]
