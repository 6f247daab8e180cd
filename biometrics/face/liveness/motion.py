"""How a head is turned, from 68 landmarks, without a camera model; and how far a movement has got.

The cues measure the nose against the plane of eyes and mouth. Tilting a flat print moves all of them together, so a
print shows little of either cue however it is held, while a head that turns 27° shows 0.3.
Measured with `DlibEngine`'s landmarks; the prints' test is `tests/biometrics/test_print_attack.py`.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.engine import Landmarks
from biometrics.face.liveness.challenge import Movement

RIGHT_EYE = slice(36, 42)
LEFT_EYE = slice(42, 48)
MOUTH = slice(48, 60)
NOSE_TIP = 30
INNER = slice(17, 68)
"""Everything but the jaw, whose points slide along the outline of a turning head."""

TURN_PEAK: Final = 0.24
"""Change of `yaw` that counts as turned. Flat prints of 12 people tilted up to 35° both ways: at most 0.10 in 294
pictures; bent to a radius of two face widths: at most 0.21 in 591; a real head turning: 0.27 to 0.40."""

LOOK_UP_PEAK: Final = 0.13
"""Change of `pitch` that counts as looking up: 20° gives 0.25; the same prints at most 0.10."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How the head is held."""

    yaw: float
    """Nose tip beside the line from between the eyes to the mouth, in inter-eye distances; positive: own left."""
    pitch: float
    """Minus the share of the way from the eyes to the mouth at which the nose tip lies; rises looking up."""
    roll: float
    """Radians, clockwise in the picture."""
    inter_eye_px: float


def pose_of(points: Landmarks) -> Pose:
    """The pose that the landmarks show."""
    right_eye, left_eye = points[RIGHT_EYE].mean(axis=0), points[LEFT_EYE].mean(axis=0)
    between = (right_eye + left_eye) / 2
    across = left_eye - right_eye
    down = points[MOUTH].mean(axis=0) - between
    nose = points[NOSE_TIP] - between
    inter_eye = max(float(np.hypot(*across)), 1e-6)
    length = max(float(np.hypot(*down)), 1e-6)
    return Pose(
        yaw=float(nose[0] * down[1] - nose[1] * down[0]) / length / inter_eye,
        pitch=-float(nose @ down) / length**2,
        roll=float(np.arctan2(across[1], across[0])),
        inter_eye_px=inter_eye,
    )


def mean_pose(poses: list[Pose]) -> Pose:
    """The pose of somebody at rest, from several frames."""
    return Pose(
        yaw=float(np.mean([pose.yaw for pose in poses])),
        pitch=float(np.mean([pose.pitch for pose in poses])),
        roll=float(np.mean([pose.roll for pose in poses])),
        inter_eye_px=float(np.mean([pose.inter_eye_px for pose in poses])),
    )


def efforts(rest: Pose, now: Pose) -> dict[Movement, float]:
    """How far each movement has got: 0 at rest, 1 where it counts as done, negative the other way."""
    turned = (now.yaw - rest.yaw) / TURN_PEAK
    return {
        Movement.TURN_LEFT: turned,
        Movement.TURN_RIGHT: -turned,
        Movement.LOOK_UP: (now.pitch - rest.pitch) / LOOK_UP_PEAK,
    }


def departure_from_plane(rest: Landmarks, moved: Landmarks) -> float:
    """What no tilting of a flat picture explains, in inter-eye distances: the rest of a homography between the two."""
    source, target = rest[INNER], moved[INNER]
    homography, _ = cv2.findHomography(source, target, 0)
    if homography is None:
        return 0.0  # degenerate points prove nothing
    mapped: NDArray[np.float64] = cv2.perspectiveTransform(source[None], homography)[0]
    return float(np.sqrt(np.mean(np.sum((mapped - target) ** 2, axis=1)))) / pose_of(rest).inter_eye_px
