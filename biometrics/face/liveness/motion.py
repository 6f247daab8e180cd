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

from biometrics.face.engine import FaceBox, Landmarks, Picture
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

CLOSER_PEAK: Final = 0.15
"""Growth of the face that counts as come closer; swaying while standing changes it by 0.03."""

EYES_PEAK: Final = 0.13
"""Change of both eyes' looks that counts as closed (`eyes_changed`): lids drawn down over 40 people give 0.15 to 0.51,
their own smile at most 0.12, noise 0.01. Real lids are still to be measured."""

BOX_BELOW_EYES, BOX_WIDTH = 0.45, 2.0
"""In inter-eye distances: dlib's boxes of 53 upright faces lie 0.36 to 0.60 below the eyes and are 1.9 to 2.7 wide."""

EYE_PATCH_PX: Final = (36, 24)
EYE_WIDTH_PX: Final = 22


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
    length_px: float
    """From between the eyes to the mouth."""


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
        length_px=length,
    )


def box_of_eyes(points: Landmarks) -> FaceBox:
    """Where a face lies whose eyes are these: for a second fit of the landmarks, of a head that looks up.

    A search puts the box too low then, and of people with dark skin the first fit takes the lip for the nose: of 53
    people looking up 18°, two of seven black ones seemed to look down; with the second fit all 53 look up.
    """
    right_eye, left_eye = points[RIGHT_EYE].mean(axis=0), points[LEFT_EYE].mean(axis=0)
    apart = float(np.hypot(*(left_eye - right_eye)))
    x, y = (right_eye + left_eye) / 2
    y, half = y + BOX_BELOW_EYES * apart, BOX_WIDTH * apart / 2
    return FaceBox(round(x - half), round(y - half), round(x + half), round(y + half))


def mean_pose(poses: list[Pose]) -> Pose:
    """The pose of somebody at rest, from several frames."""
    return Pose(
        yaw=float(np.mean([pose.yaw for pose in poses])),
        pitch=float(np.mean([pose.pitch for pose in poses])),
        roll=float(np.mean([pose.roll for pose in poses])),
        inter_eye_px=float(np.mean([pose.inter_eye_px for pose in poses])),
        length_px=float(np.mean([pose.length_px for pose in poses])),
    )


def efforts(rest: Pose, now: Pose, eyes_changed_by: float = 0.0) -> dict[Movement, float]:
    """How far each movement has got: 0 at rest, 1 where it counts as done, negative the other way."""
    turned = (now.yaw - rest.yaw) / TURN_PEAK
    # both ways: a turning face grows narrower and a lifted one shorter, but only a nearer one grows in both
    grown = min(now.inter_eye_px / rest.inter_eye_px, now.length_px / rest.length_px) - 1
    return {
        Movement.TURN_LEFT: turned,
        Movement.TURN_RIGHT: -turned,
        Movement.LOOK_UP: (now.pitch - rest.pitch) / LOOK_UP_PEAK,
        Movement.COME_CLOSER: grown / CLOSER_PEAK,
        Movement.BLINK: eyes_changed_by / EYES_PEAK,
    }


def eye_patches(picture: Picture, points: Landmarks) -> NDArray[np.float64]:
    """Both eyes cut out between their corners, level, of one size and contrast: (2, pixels), unit vectors.

    The corners hold still when lids close; the landmarks of the lids themselves do not follow them down.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    patches = []
    for outer, inner in ((points[36], points[39]), (points[42], points[45])):
        along = (inner - outer) * (EYE_PATCH_PX[0] / EYE_WIDTH_PX / 2)
        middle = (outer + inner) / 2
        across = np.array([-along[1], along[0]]) * (EYE_PATCH_PX[1] / EYE_PATCH_PX[0])
        corners = np.array([middle - along - across, middle + along - across, middle - along + across], np.float32)
        width, height = EYE_PATCH_PX
        target = np.array([[0, 0], [width, 0], [0, height]], np.float32)
        patch = cv2.warpAffine(grey, cv2.getAffineTransform(corners, target), EYE_PATCH_PX, flags=cv2.INTER_AREA)
        flat = cv2.GaussianBlur(patch, (0, 0), 1.0).astype(np.float64).ravel()
        flat -= flat.mean()
        patches.append(flat / max(float(np.linalg.norm(flat)), 1e-6))
    return np.stack(patches)


def eyes_changed(rest: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """How differently both eyes look than at rest: 0 the same, 1 nothing in common; the lesser of the two.

    The lesser, because a wink, a hand or a shadow from the side changes one.
    """
    return float(np.min(1 - np.sum(rest * now, axis=1)))


def departure_from_plane(rest: Landmarks, moved: Landmarks) -> float:
    """What no tilting of a flat picture explains, in inter-eye distances: the rest of a homography between the two."""
    source, target = rest[INNER], moved[INNER]
    homography, _ = cv2.findHomography(source, target, 0)
    if homography is None:
        return 0.0  # degenerate points prove nothing
    mapped: NDArray[np.float64] = cv2.perspectiveTransform(source[None], homography)[0]
    return float(np.sqrt(np.mean(np.sum((mapped - target) ** 2, axis=1)))) / pose_of(rest).inter_eye_px
