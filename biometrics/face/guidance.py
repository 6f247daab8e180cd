"""What the person in front of the camera should do now."""

from dataclasses import dataclass
from enum import StrEnum

from biometrics.face.liveness.challenge import Movement
from biometrics.face.liveness.colours import Colour


class GuidanceCode(StrEnum):
    """One actionable sentence at a time."""

    STARTING = "starting"
    NO_FACE = "no_face"
    TWO_FACES = "two_faces"
    COME_CLOSER = "come_closer"
    MOVE_BACK = "move_back"
    MOVE_TO_MIDDLE = "move_to_middle"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    SIDE_LIGHT = "side_light"
    COVERED = "covered"
    LOOK_STRAIGHT = "look_straight"
    OPEN_EYES = "open_eyes"
    HOLD_STILL = "hold_still"
    MOVE_NOW = "move_now"
    BACK_TO_MIDDLE = "back_to_middle"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Guidance:
    """The sentence, the movement it may ask for, how far the check has come (0 to 1), the colour of the screen."""

    code: GuidanceCode
    movement: Movement | None = None
    progress: float = 0.0
    colour: Colour | None = None
