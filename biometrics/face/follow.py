"""Where the face is in one picture after another, and how long nobody watched because no picture came.

Everything here is timed by the pictures' arrival. A busy counter or a poor line looks seldom: that is a gap of ours,
and no time of it counts against the person.
"""

from dataclasses import dataclass, field
from typing import Final

from biometrics.face.engine import FaceBox, FaceEngine, Picture
from biometrics.face.liveness.continuity import GAP_MAX_S, jumped

SEARCH_EVERY_S: Final = 0.4
"""The whole picture is searched so often for company; between, only around the last place: a third of the cost."""
WATCHED_S: Final = 0.25  # pictures further apart leave a gap of ours; the slowest camera sends 5 in a second
BLIND_S: Final = 1.0  # after so long without a picture a head may be anywhere; embeddings tell whose it is


@dataclass(slots=True)
class Watch:
    """Counts the time in which no picture came."""

    lost_s: float = field(default=0.0, init=False)
    gap_s: float = field(default=0.0, init=False)
    """Between the last two pictures."""
    gaps: int = field(default=0, init=False)
    _at_s: float | None = field(default=None, init=False)

    def see(self, at_s: float) -> float:
        """A picture came; the seconds lost before it, mostly none."""
        self.gap_s = 0.0 if self._at_s is None else at_s - self._at_s
        self._at_s = at_s
        lost_s = max(0.0, self.gap_s - WATCHED_S)
        self.lost_s += lost_s
        self.gaps += lost_s > 0
        return lost_s


@dataclass(slots=True, repr=False)
class Follower:
    """Follows the largest face: cheaply from place to place, and every so often by a search of the whole picture."""

    engine: FaceEngine
    last: FaceBox | None = field(default=None, init=False)
    _seen_at_s: float = field(default=0.0, init=False)
    _searched_at_s: float = field(default=float("-inf"), init=False)
    _pardoned_s: float = field(default=0.0, init=False)

    def find(self, picture: Picture, at_s: float, *, lost_s: float, search: bool) -> tuple[FaceBox, ...]:
        """The faces, largest first; without `search` mostly the followed one alone."""
        self._pardoned_s += lost_s
        if not search and self.last is not None and at_s - self._searched_at_s < SEARCH_EVERY_S:
            box = self.engine.track(picture, self.last)
            if box is not None:
                return (box,)
        return self.search(picture, at_s)

    def search(self, picture: Picture, at_s: float) -> tuple[FaceBox, ...]:
        """The faces of the whole picture, largest first."""
        self._searched_at_s = at_s
        return self.engine.detect(picture, near=self.last)

    def searched(self, at_s: float) -> bool:
        """Whether the picture of that time was searched as a whole."""
        return self._searched_at_s == at_s

    def broken(self, boxes: tuple[FaceBox, ...], at_s: float) -> bool:
        """Whether what is seen now cannot be the same head a moment later."""
        if self.last is None:
            return True
        apart_s = at_s - self._seen_at_s
        if apart_s - self._pardoned_s > GAP_MAX_S:
            return True
        return bool(boxes) and self._pardoned_s < BLIND_S and jumped(self.last, boxes[0], apart_s)

    def keep(self, box: FaceBox, at_s: float) -> None:
        """This is the face to follow."""
        self.last, self._seen_at_s, self._pardoned_s = box, at_s, 0.0

    def forget(self) -> None:
        """Follow nobody."""
        self.last = None
