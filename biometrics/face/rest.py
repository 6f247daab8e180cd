"""The person as seen in one frame, and as they were before anything was asked of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.face.engine import Chip, FaceBox, Landmarks
from biometrics.face.liveness import motion

EYES: Final = slice(36, 48)
STIRRED: Final = 0.06  # inter-eye distances that the eyes went; of 27 people looking up, 0.12 where it counts as done


@dataclass(frozen=True, slots=True, repr=False)
class Seen:
    """One frame's main face."""

    box: FaceBox
    points: Landmarks
    pose: motion.Pose
    at_s: float


@dataclass(frozen=True, slots=True, repr=False)
class Straight:
    """One frame of somebody who looks straight, before anything is asked of them."""

    seen: Seen
    chip: Chip
    eyes: NDArray[np.float64]
    """As `motion.eye_patches` cuts them out."""


@dataclass(frozen=True, slots=True, repr=False)
class Rest:
    """The person before anything was asked of them."""

    pose: motion.Pose
    points: Landmarks
    eyes: NDArray[np.float64]
    lifted: motion.Pose
    """The same by a second fit, against which looking up is measured."""

    @staticmethod
    def of(frames: Sequence[Straight], lifted: motion.Pose) -> "Rest":
        """The middle of several frames; the eyes of the one most like the others, since in one they may blink."""
        apart = [sum(motion.eyes_changed(one.eyes, other.eyes) for other in frames) for one in frames]
        return Rest(
            motion.mean_pose([one.seen.pose for one in frames]),
            np.mean([one.seen.points for one in frames], axis=0),
            frames[int(np.argmin(apart))].eyes,
            lifted,
        )

    def stirred(self, seen: Seen) -> bool:
        """Whether the head is elsewhere now; one that is not does not look up either."""
        eyes = np.abs(seen.points[EYES] - self.points[EYES]).mean(axis=0)
        return float(eyes.max()) > STIRRED * self.pose.inter_eye_px
