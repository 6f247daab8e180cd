"""Whether one face stays in front of the camera: identity from look to look, and place from frame to frame.

Pure, and of use wherever a face is followed: the check itself, and the call that comes after it.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from biometrics.face.compare import distance, erase
from biometrics.face.engine import Embedding, FaceBox

GAP_MAX_S: Final = 2.5  # without a face; a head turned far is lost until it is called back
JUMP_MAX, JUMP_MAX_PER_S = 0.3, 2.0  # of the face's width: what a box wavers, and what a head can move
JUMP_MOST: Final = 0.9  # however long ago the last look was
DRIFT_MAX: Final = 0.45  # between straight faces (research notes on faces, section 5)
DRIFT_MAX_TURNED: Final = 0.6  # to a face seen from the side or below: the same person 0.28 to 0.5 at 27°


def jumped(before: FaceBox, now: FaceBox, apart_s: float) -> bool:
    """Whether a head cannot have gone from one box to the other in so many seconds."""
    moved = np.hypot(now.centre[0] - before.centre[0], now.centre[1] - before.centre[1])
    allowed = min(JUMP_MAX + JUMP_MAX_PER_S * apart_s, JUMP_MOST)
    # dlib's boxes come in steps of 1.2: one step either way is no change of size
    return bool(moved > allowed * before.width or not 0.55 < now.width / before.width < 1.8)


@dataclass(slots=True)
class IdentityTrack:
    """Follows who is seen. Every straight look is held against the one before it and against the first.

    The one before, so that a swap shows at once; the first, so that nobody can be changed into somebody else in steps.
    """

    first: Embedding
    widest: float = field(default=0.0, init=False)
    """Largest drift so far as a share of what is allowed; above 1 somebody else was there."""
    looks: int = field(default=1, init=False)
    looked_at_s: float = field(default=float("-inf"), init=False)
    _last: Embedding = field(init=False)

    def __post_init__(self) -> None:
        self._last = self.first

    @property
    def changed(self) -> bool:
        """Whether another face was seen."""
        return self.widest > 1

    def see(self, embedding: Embedding, at_s: float, *, turned: bool = False) -> bool:
        """Take one look into account, and its embedding over; True when somebody else is there.

        A turned face is held against the last straight one only.
        """
        allowed = DRIFT_MAX_TURNED if turned else DRIFT_MAX
        drift = distance(self._last, embedding)
        if turned:
            erase(embedding)
        else:
            drift = max(drift, distance(self.first, embedding))
            if self._last is not self.first:
                erase(self._last)
            self._last = embedding
        self.widest = max(self.widest, drift / allowed)
        self.looks += 1
        self.looked_at_s = at_s
        return self.changed

    def forget(self) -> None:
        """Overwrite every face."""
        erase(self.first)
        erase(self._last)
