"""Who plays before the camera in an evaluation: a willing person made of a photograph, who follows what is asked."""

from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np

from biometrics.errors import EvaluationDataError
from biometrics.evaluation.puppet import Posture, Puppet
from biometrics.face.engine import FaceEngine, Picture
from biometrics.face.guidance import Guidance, GuidanceCode
from biometrics.face.liveness.challenge import Movement
from biometrics.face.liveness.motion import pose_of

FRAME: Final = (400, 300)  # small enough for thousands of clips, large enough for 66 px between the eyes
INTER_EYE_PX: Final = 66.0
LOOKS_PER_S: Final = 12.0

PEAKS: Final = {
    Movement.TURN_LEFT: Posture(yaw=np.radians(27)),
    Movement.TURN_RIGHT: Posture(yaw=-np.radians(27)),
    Movement.LOOK_UP: Posture(pitch=np.radians(20)),
    Movement.COME_CLOSER: Posture(zoom=1.3),
    Movement.BLINK: Posture(lids=1.0),
}
PATIENCE_S: Final = 0.4  # at the peak, until somebody sees that it was not enough
FURTHER: Final = 1.25  # 34° instead of 27°
REST: Final = Posture()


def framed(photograph: Picture, engine: FaceEngine) -> Picture:
    """The photograph as a desk camera would have framed it.

    Raises:
        EvaluationDataError: No face in it.
    """
    scale = min(1.0, 640 / max(photograph.shape[:2]))
    small = np.asarray(cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    boxes = engine.detect(small)
    if not boxes:
        raise EvaluationDataError("no face was found in a picture")
    points = engine.landmarks(small, boxes[0]) / scale
    zoom = INTER_EYE_PX / pose_of(points).inter_eye_px
    middle = points[17:].mean(axis=0) * zoom
    place = np.array([[zoom, 0, FRAME[0] / 2 - middle[0]], [0, zoom, 0.52 * FRAME[1] - middle[1]]])
    flags, border = cv2.INTER_AREA, cv2.BORDER_REFLECT_101
    return np.asarray(cv2.warpAffine(photograph, place, FRAME, flags=flags, borderMode=border), np.uint8)


def puppet_of(photograph: Picture, engine: FaceEngine) -> Puppet:
    """A person made of a photograph.

    Raises:
        EvaluationDataError: No face in it.
    """
    frame = framed(photograph, engine)
    boxes = engine.detect(frame)
    if not boxes:
        raise EvaluationDataError("no face was found in a picture")
    return Puppet(frame, engine.landmarks(frame, boxes[0]))


@dataclass(frozen=True, slots=True)
class Temper:
    """How somebody moves: drawn once per clip."""

    reaction_s: float
    rise_s: float
    reach: float
    """Of the peaks above: how far they go."""
    hold_s: float
    sway: float
    phase: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Temper":
        """Somebody at random, from brisk to slow."""
        return cls(
            reaction_s=rng.uniform(0.3, 1.1),
            rise_s=rng.uniform(0.4, 1.0),
            reach=rng.uniform(0.9, 1.15),
            hold_s=rng.uniform(0.1, 0.4),
            sway=rng.uniform(0.5, 1.5),
            phase=rng.uniform(0, 30),
        )


@dataclass(slots=True)
class Actor:
    """Hears guidance, and holds the head accordingly a reaction time later."""

    temper: Temper
    persists: bool = False
    """Goes a little further while the page still asks and its bar is not full, as people do."""
    _doing: Movement | None = field(default=None, init=False)
    _from_s: float = field(default=0.0, init=False)
    _until_s: float = field(default=float("inf"), init=False)

    def hear(self, guidance: Guidance, at_s: float) -> None:
        """Take in what the page says."""
        asked = guidance.movement if guidance.code is GuidanceCode.MOVE_NOW else None
        if asked is not None and (asked is not self._doing or self._until_s != float("inf")) and self._idle(at_s):
            self._doing, self._from_s, self._until_s = asked, at_s + self.temper.reaction_s, float("inf")
        elif asked is None and self._doing is not None and self._until_s == float("inf"):
            self._until_s = max(at_s + self.temper.hold_s, self._from_s + self.temper.rise_s)

    def posture(self, at_s: float) -> Posture:
        """How the head is held now: what was asked, sway, and a blink of 0.15 s every 3 to 4 s."""
        t, sway = at_s + self.temper.phase, self.temper.sway
        rest = Posture(
            yaw=sway * (0.022 * np.sin(0.9 * t) + 0.009 * np.sin(2.3 * t + 1)),
            pitch=sway * 0.015 * np.sin(0.7 * t + 2),
            dx=sway * (1.4 * np.sin(0.6 * t) + 0.5 * np.sin(1.9 * t)),
            dy=sway * np.sin(0.8 * t + 1),
            lids=1.0 if (t * 0.29) % 1 < 0.045 else 0.0,
        )
        if self._doing is None:
            return rest
        peak, share = PEAKS[self._doing], self.temper.reach * self._effort(at_s)
        if self.persists:
            waited_s = min(at_s, self._until_s) - self._from_s - self.temper.rise_s - PATIENCE_S
            share *= 1 + (FURTHER - 1) * _smooth(waited_s / self.temper.rise_s)
        return replace(
            rest,
            yaw=rest.yaw + share * peak.yaw,
            pitch=rest.pitch + share * peak.pitch,
            zoom=1 + share * (peak.zoom - 1),
            lids=max(rest.lids, share * peak.lids),
        )

    def _idle(self, at_s: float) -> bool:
        return self._doing is None or at_s > self._until_s + self.temper.rise_s

    def _effort(self, at_s: float) -> float:
        rise = self.temper.rise_s
        return min(_smooth((at_s - self._from_s) / rise), 1 - _smooth((at_s - self._until_s) / rise))


def _smooth(x: float) -> float:
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)
