"""What the face's surface looked like over a whole check: one cue among others, and none that decides uncalibrated."""

import os
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from biometrics.decision import Check, CheckOutcome
from biometrics.face.engine import Landmarks, Picture
from biometrics.face.outcome import FaceReason
from biometrics.libraries import load

MANIFEST: Final = "COUNTER_FACE_PASSIVE"
LOOKS_MIN: Final = 8  # straight looks; a check of eight seconds has about 15


class PassiveDetector(Protocol):
    """Tells skin from paper and screens by one picture."""

    @property
    def id(self) -> str:
        """Name that a calibration refers to."""

    def live_share(self, picture: Picture, points: Landmarks) -> float:
        """0: surely no skin, 1: surely skin."""


@dataclass(frozen=True, slots=True)
class Passive:
    """The operator's detector and, where they have measured it, from which value on a check passes."""

    detector: PassiveDetector
    accept_from: float | None = None
    refuses: bool = True
    """Whether what was measured allows it to refuse; False: whether the value reaches the limit is only told."""


@dataclass(slots=True)
class Texture:
    """The values of one check; offer straight faces only."""

    passive: Passive
    _shares: list[float] = field(default_factory=list, init=False)

    def see(self, picture: Picture, points: Landmarks) -> None:
        """Take one straight face into account."""
        self._shares.append(self.passive.detector.live_share(picture, points))

    def forget(self) -> None:
        """Begin again, with whoever comes now."""
        self._shares.clear()

    def check(self, reasons: list[FaceReason]) -> Check:
        """The check with its value; adds to the reasons where a calibrated detector says that it was no skin."""
        limit, count = self.passive.accept_from, len(self._shares)
        if count < LOOKS_MIN:
            return Check("texture", CheckOutcome.NOT_POSSIBLE, f"{count} straight looks, {LOOKS_MIN} are needed")
        middle = statistics.median(self._shares)
        value = f"{middle:.2f} of 1 in the middle of {count} looks, {self.passive.detector.id}"
        if limit is None:
            return Check("texture", CheckOutcome.NOT_POSSIBLE, f"told only, nothing was measured to decide by: {value}")
        if not self.passive.refuses:
            where = f"{'not ' if middle >= limit else ''}below {limit:.2f} where people begin"
            return Check("texture", CheckOutcome.NOT_POSSIBLE, f"told only, {where}: {value}")
        if not middle >= limit:
            reasons.append(FaceReason.NO_SKIN)
            return Check("texture", CheckOutcome.FAILED, f"like a print or a screen: {value}, at least {limit:.2f}")
        return Check("texture", CheckOutcome.PASSED, f"like skin: {value}, at least {limit:.2f}")


def passive_from(environment: Mapping[str, str] = os.environ, *, to_calibrate: bool = False) -> Passive | None:
    """The detector of the operator's manifest (COUNTER_FACE_PASSIVE); None where they named none.

    Args:
        environment: Where the manifest is named.
        to_calibrate: Only for measuring: without the figures that it may not have got yet.

    Raises:
        ManifestError: The manifest is absent or refused.
        ModelError: A file is absent or has another hash.
        CalibrationError: The manifest names a calibration that is absent, senseless or of other networks.
        LibraryMissingError: Manifests need pydantic, networks OpenCV; the message says how to get them.
    """
    named = environment.get(MANIFEST, "")
    if not named:
        return None
    path = Path(named)
    # late: whoever has no such manifest needs neither pydantic nor the networks
    engine = load("biometrics.face.engines.minifasnet", "a passive detector needs", always=("cv2", "pydantic"))
    measured = load("biometrics.face.engines.passive_calibration", "a passive detector needs")
    detector = engine.Minifasnet(path)
    name = detector.manifest.calibration
    if name is None or to_calibrate:
        return Passive(detector)
    calibration = measured.read_passive_calibration(path.parent / name, detector.id)
    return Passive(detector, calibration.accept_from, calibration.refuses)
