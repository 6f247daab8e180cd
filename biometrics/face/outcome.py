"""What a face session comes to, in values that can be shown, sealed and argued about."""

from dataclasses import dataclass
from enum import StrEnum

from biometrics.decision import Check, Score, Verdict
from biometrics.face.engine import Picture


class FaceReason(StrEnum):
    """Why a session did not end in acceptance. Several may hold."""

    NOT_FINISHED = "not_finished"  # decided before the person was through
    TIMED_OUT = "timed_out"
    MOVEMENT_MISSING = "movement_missing"
    WRONG_MOVEMENT = "wrong_movement"
    MOVED_TOO_EARLY = "moved_too_early"  # before anyone can have read the instruction
    TWO_FACES = "two_faces"
    TRACK_BROKEN = "track_broken"  # the face jumped or was gone: a cut
    PICTURE_FROZEN = "picture_frozen"
    PICTURE_LOOPED = "picture_looped"  # seen before, movement by movement
    PICTURE_CUT = "picture_cut"  # from one frame to the next another picture
    WRONG_COLOURS = "wrong_colours"  # the face was lit in another order than the screen's
    NO_SKIN = "no_skin"  # a print or a screen, by an operator's calibrated detector
    FLAT = "flat"  # what turned was a plane
    IDENTITY_CHANGED = "identity_changed"  # another face moved than the one looked at
    FACE_DIFFERENT = "face_different"
    FACE_UNCERTAIN = "face_uncertain"
    NO_REFERENCE = "no_reference"
    PORTRAIT_SMALL = "portrait_small"


@dataclass(frozen=True, slots=True)
class FaceDecision:
    """The verdict and everything it rests on."""

    verdict: Verdict
    live: bool
    compared: bool
    checks: tuple[Check, ...]
    match: Score | None
    reasons: tuple[FaceReason, ...]
    engine: str
    engine_version: str
    calibration: str
    frames_seen: int
    frames_used: int
    best_picture_bgr: Picture | None
    """The sharpest straight frame, whole, for a clerk's eyes."""
