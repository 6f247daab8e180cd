"""Whether a frame is worth comparing, and if not, the one thing the person can do about it.

A live subset of ISO/IEC 29794-5:2025, on what detector, landmarks and the aligned face give anyway; measures bear the
names of its components. Limits are from the research notes on faces, section 6, unless said otherwise.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.engine import Chip, FaceBox, Landmarks, Picture
from biometrics.face.guidance import GuidanceCode
from biometrics.face.liveness.motion import LEFT_EYE, RIGHT_EYE, Pose, pose_of

MIN_INTER_EYE_PX: Final = 60.0  # floor; ICAO's norm of 90 would need 720p
GOOD_INTER_EYE_PX: Final = 90.0  # ISO/IEC 39794-5: nothing is gained above
MAX_FACE_SHARE: Final = 0.72  # of the frame's height; a closer face is cut off as soon as it moves
MAX_OFF_CENTRE: Final = 0.22  # of the frame's width and height
MIN_FACE_LIGHT, MAX_FACE_LIGHT = 35.0, 215.0
"""Mean grey of the face. The darkest skin of the London set has 59 in a studio and 46 dimmed as a room would: a limit
there would turn people away for their colour; what a dark picture lacks is counted by UNDER_EXPOSED."""
UNDER_EXPOSED, OVER_EXPOSED = 25, 247  # ISO/IEC 29794-5 §7.3.6 and §7.3.7: grey levels that hold no detail
MAX_CLIPPED: Final = 0.25  # of the face's pixels; black beards and hair reach 0.15 in well lit portraits
MAX_SIDE_LIGHT: Final = 1.6  # brighter half over darker half; 106 studio portraits: at most 1.14
COVERED_CONTRAST: Final = 8.0  # standard deviation of the whole frame: a thumb on the lens has 1 to 4
DARK_FRAME: Final = 40.0
BLACK_FRAME: Final = 16.0  # nothing at all: a shutter rather than a dim room
MAX_YAW: Final = 0.18  # in `Pose.yaw`; about 13°
MIN_PITCH, MAX_PITCH = -0.72, -0.30  # in `Pose.pitch`; 106 upright faces lie at -0.64 to -0.32, half below -0.46
MAX_ROLL: Final = 0.35  # radians, 20°
MIN_EYES_OPEN: Final = 0.12  # height over width; 106 open ones, smiling too: 0.21 to 0.44; closed ones 0.05 to 0.1
MIN_MARGIN: Final = 0.0  # in inter-eye distances: no landmark lies outside the picture
MIN_SHARPNESS: Final = 12.0  # variance of the Laplacian on the chip; a face in motion blur of 8 px has 5
GOOD_SHARPNESS: Final = 60.0  # 106 frames as of a webcam: 57 to 324
SECOND_FACE: Final = 0.45  # of the first one's width: smaller ones stand in the room behind

CHIP_PX: Final = 150  # measures of the chip are comparable at one size only; an operator's engine has its own
FACE_ROWS, FACE_COLUMNS = slice(40, 130), slice(30, 120)
"""Where skin is on a chip of 150 with padding 0.25: brows to chin, without hair and background."""


@dataclass(frozen=True, slots=True)
class FrameQuality:
    """What was measured on one face of one frame, and the one thing to do about it."""

    trouble: GuidanceCode | None
    """None where the frame is fit to be compared."""
    inter_eye_px: float
    pose: Pose
    luminance_mean: float
    """Mean grey of the face, 0 to 255."""
    under_exposed: float
    """Share of the face too dark to hold detail."""
    over_exposed: float
    """Share of the face too bright to hold detail."""
    side_light: float
    """Mean grey of the brighter half over that of the darker half; 1 is even light."""
    sharpness: float
    """Variance of the Laplacian on the chip."""
    eyes_open: float
    """Height over width of the eye that is open less."""
    margin: float
    """From the landmark nearest to the picture's edge to that edge, in inter-eye distances; negative: cut off."""
    second_face: float
    """Width of the second largest face over that of the largest; 0 without one."""

    @property
    def score(self) -> float:
        """From 0 to 1, to choose among fit frames of one session; says nothing across cameras."""
        size = min(1.0, self.inter_eye_px / GOOD_INTER_EYE_PX)
        focus = min(1.0, self.sharpness / GOOD_SHARPNESS)
        light = 1 - max(self.under_exposed, self.over_exposed)
        return float((size * focus * light / max(1.0, self.side_light)) ** 0.25)


def judge(picture: Picture, boxes: tuple[FaceBox, ...], points: Landmarks, chip: Chip) -> FrameQuality:
    """The quality of the largest face, and the first of its troubles in the order a person can mend them.

    Where no face was found, ask `without_face`. During a movement ignore LOOK_STRAIGHT by `trouble_of(…, turned=True)`.

    Args:
        picture: The whole frame.
        boxes: At least one face, largest first, as the engine detects them.
        points: Landmarks of the first.
        chip: The first, aligned.
    """
    chip = np.asarray(cv2.resize(chip, (CHIP_PX, CHIP_PX), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
    skin = grey[FACE_ROWS, FACE_COLUMNS]
    middle = skin.shape[1] // 2
    left, right = float(skin[:, :middle].mean()), float(skin[:, middle:].mean())
    pose = pose_of(points)
    height, width = picture.shape[:2]
    edges = (points.min(), width - 1 - points[:, 0].max(), height - 1 - points[:, 1].max())
    measured = FrameQuality(
        trouble=None,
        inter_eye_px=pose.inter_eye_px,
        pose=pose,
        luminance_mean=float(skin.mean()),
        under_exposed=float(np.mean(skin <= UNDER_EXPOSED)),
        over_exposed=float(np.mean(skin >= OVER_EXPOSED)),
        side_light=max(left, right) / max(1.0, min(left, right)),
        sharpness=sharpness(chip),
        eyes_open=min(_openness(points[RIGHT_EYE]), _openness(points[LEFT_EYE])),
        margin=float(min(edges)) / pose.inter_eye_px,
        second_face=boxes[1].width / boxes[0].width if len(boxes) > 1 else 0.0,
    )
    return replace(measured, trouble=trouble_of(measured, placement(picture, boxes[0], pose)))


def trouble_of(
    measured: FrameQuality, placed: GuidanceCode | None = None, *, turned: bool = False
) -> GuidanceCode | None:
    """The first trouble, in the order a person can mend them: company, place, light, pose, eyes, stillness.

    Args:
        measured: What `judge` measured.
        placed: What is wrong about the head's place.
        turned: Whether the head may be turned and the eyes may be closed, as during a movement.
    """
    troubles = (
        (measured.second_face > SECOND_FACE, GuidanceCode.TWO_FACES),
        (measured.margin < MIN_MARGIN, GuidanceCode.MOVE_TO_MIDDLE),
        (placed is not None, placed),
        (measured.luminance_mean < MIN_FACE_LIGHT or measured.under_exposed > MAX_CLIPPED, GuidanceCode.TOO_DARK),
        (measured.luminance_mean > MAX_FACE_LIGHT or measured.over_exposed > MAX_CLIPPED, GuidanceCode.TOO_BRIGHT),
        (measured.side_light > MAX_SIDE_LIGHT, GuidanceCode.SIDE_LIGHT),
        (not turned and straightness(measured.pose) is not None, GuidanceCode.LOOK_STRAIGHT),
        (not turned and measured.eyes_open < MIN_EYES_OPEN, GuidanceCode.OPEN_EYES),
        (measured.sharpness < MIN_SHARPNESS, GuidanceCode.HOLD_STILL),
    )
    return next((code for wrong, code in troubles if wrong), None)


def in_company(boxes: tuple[FaceBox, ...]) -> bool:
    """Whether a second person stands beside the first; boxes come largest first."""
    return len(boxes) > 1 and boxes[1].width > SECOND_FACE * boxes[0].width


def _openness(eye: NDArray[np.float64]) -> float:
    """Height over width of one eye's six points (eye aspect ratio, Soukupova and Cech 2016)."""
    across = float(np.linalg.norm(eye[0] - eye[3]))
    down = float(np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])) / 2
    return down / max(across, 1e-6)


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
