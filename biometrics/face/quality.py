"""Whether a frame is worth comparing, and if not, the one thing the person can do about it.

A live subset of ISO/IEC 29794-5, on what detector and landmarks give anyway. Limits from the research notes on faces,
section 6, unless said otherwise.
"""

from typing import Final

import cv2
import numpy as np

from biometrics.face.engine import Chip, FaceBox, Picture
from biometrics.face.guidance import GuidanceCode
from biometrics.face.liveness.motion import Pose

MIN_INTER_EYE_PX: Final = 60.0  # floor; ICAO's norm of 90 would need 720p
MAX_FACE_SHARE: Final = 0.72  # of the frame's height; a closer face is cut off as soon as it moves
MAX_OFF_CENTRE: Final = 0.22  # of the frame's width and height
MIN_FACE_LIGHT, MAX_FACE_LIGHT = 45.0, 215.0  # mean grey of the chip
COVERED_CONTRAST: Final = 8.0  # standard deviation of the whole frame: a thumb on the lens has 1 to 4
DARK_FRAME: Final = 40.0
BLACK_FRAME: Final = 16.0  # nothing at all: a shutter rather than a dim room
MAX_YAW: Final = 0.18  # in `Pose.yaw`; about 13°
MIN_PITCH, MAX_PITCH = -0.72, -0.33  # in `Pose.pitch`; upright faces lie at -0.6 to -0.45
MAX_ROLL: Final = 0.35  # radians, 20°
MIN_SHARPNESS: Final = 12.0  # variance of the Laplacian on the chip; a face in motion blur of 8 px has 5


def without_face(picture: Picture) -> GuidanceCode:
    """Why there may be no face: the lens is covered, the room is dark, or nobody is there."""
    grey = cv2.cvtColor(picture[::4, ::4], cv2.COLOR_BGR2GRAY)
    mean, deviation = float(grey.mean()), float(grey.std())
    if mean < BLACK_FRAME or deviation < COVERED_CONTRAST:
        return GuidanceCode.COVERED
    if mean < DARK_FRAME:
        return GuidanceCode.TOO_DARK
    return GuidanceCode.NO_FACE


def placement(picture: Picture, box: FaceBox, pose: Pose) -> GuidanceCode | None:
    """What to change about where the head is; None when it is right."""
    height, width = picture.shape[:2]
    x, y = box.centre
    if box.height > MAX_FACE_SHARE * height:
        return GuidanceCode.MOVE_BACK
    off_x, off_y = abs(x - width / 2) / width, abs(y - height / 2) / height
    if off_x > MAX_OFF_CENTRE or off_y > MAX_OFF_CENTRE:
        return GuidanceCode.MOVE_TO_MIDDLE
    if pose.inter_eye_px < MIN_INTER_EYE_PX:
        return GuidanceCode.COME_CLOSER
    return None


def straightness(pose: Pose) -> GuidanceCode | None:
    """LOOK_STRAIGHT where the head is turned, lifted or tilted; None when it looks into the camera."""
    if abs(pose.yaw) > MAX_YAW or not MIN_PITCH < pose.pitch < MAX_PITCH or abs(pose.roll) > MAX_ROLL:
        return GuidanceCode.LOOK_STRAIGHT
    return None


def light_and_focus(chip: Chip) -> GuidanceCode | None:
    """What to change about light or stillness; None when the face is clear."""
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
    mean = float(grey.mean())
    if mean < MIN_FACE_LIGHT:
        return GuidanceCode.TOO_DARK
    if mean > MAX_FACE_LIGHT:
        return GuidanceCode.TOO_BRIGHT
    if sharpness(chip) < MIN_SHARPNESS:
        return GuidanceCode.HOLD_STILL
    return None


def sharpness(chip: Chip) -> float:
    """Variance of the Laplacian: higher is crisper; comparable only between chips of one size."""
    return float(np.var(cv2.Laplacian(cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY), cv2.CV_64F)))
