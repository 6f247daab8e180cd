"""The face: what it is asked for, what that came to, and whether it is still there during the call."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from webrtc.wire.check import Verdict
from webrtc.wire.message import Message


class Movement(StrEnum):
    """What the liveness check may ask for. Left and right are the person's own."""

    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_UP = "look_up"
    COME_CLOSER = "come_closer"
    BLINK = "blink"


class GuidanceCode(StrEnum):
    """One actionable sentence at a time while the camera looks."""

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
    MOVE_NOW = "move_now"  # do the movement in `movement`
    BACK_TO_MIDDLE = "back_to_middle"
    DONE = "done"


class ScreenColour(StrEnum):
    """What the page shows round the picture while the face is checked; the counter draws their order."""

    ROSE = "rose"
    GREEN = "green"
    BLUE = "blue"
    AMBER = "amber"


class Guidance(Message):
    """What the customer should do now, from the latest frames."""

    code: GuidanceCode
    movement: Movement | None = None
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    colour: ScreenColour | None = None


class FaceView(Message):
    """What the face check came to. No bare distance leaves the counter."""

    verdict: Verdict
    live: bool
    compared: bool = Field(description="false where there was no chip portrait to compare with")
    fmr_upper: float | None = Field(default=None, description="upper bound of the false match rate at this score")
    comparisons: int | None = Field(default=None, description="impostor comparisons behind that bound")
    engine: str = ""
    reasons: tuple[str, ...] = ()
    attempts_left: int = 0


class StartFace(Message):
    """Camera is up: begin (or repeat) the face check."""

    type: Literal["start_face"] = "start_face"
    colours: bool = Field(default=False, description="this screen may change its colour: nobody asked it not to")


class StopColours(Message):
    """The customer wants no changing colours; no reason is asked and nothing is lost by it."""

    type: Literal["stop_colours"] = "stop_colours"


class AskAnotherMovement(Message):
    """The customer cannot do the movement asked for; no reason is asked and nothing is lost by it."""

    type: Literal["ask_another_movement"] = "ask_another_movement"


class ContinuityState(StrEnum):
    """Whether the person of the face check is still the one in the call."""

    HELD = "held"
    UNCERTAIN = "uncertain"
    BROKEN = "broken"  # nothing is signed until the person is identified again


class ContinuityCue(StrEnum):
    """What spoke against it."""

    OTHER_FACE = "other_face"
    SECOND_FACE = "second_face"
    PICTURE_FROZEN = "picture_frozen"
    NO_FACE = "no_face"
    NO_PICTURE = "no_picture"
    FACE_UNCLEAR = "face_unclear"  # a face is there, and not shown clearly enough to be known
    LINE_REJOINED = "line_rejoined"  # the pictures come by another line than the face check's
    WATCH_LOST = "watch_lost"  # our own process ended, and with it what it remembered


class ContinuityView(Message):
    """Whether the call still has the person of the face check before its camera, and which cue spoke if not."""

    state: ContinuityState
    cue: ContinuityCue | None = None
    needs_card: bool = Field(default=False, description="asked again, the card comes first and then the face")
    again: bool = Field(default=False, description="the person is being identified again in this very call")
