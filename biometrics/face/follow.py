"""Where the face is in one picture after another, and how long nobody watched because no picture came.

Everything here is timed by the pictures' arrival. A busy counter or a poor line looks seldom: that is a gap of ours,
and no time of it counts against the person.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.engine import FaceBox, FaceEngine, Picture
from biometrics.face.liveness.continuity import GAP_MAX_S, jumped

SEARCH_EVERY_S: Final = 0.4
"""The whole picture is searched so often for company; between, only around the last place: a third of the cost."""
WATCHED_S: Final = 0.25  # pictures further apart leave a gap of ours; the slowest camera sends 5 in a second
BLIND_S: Final = 1.0  # after so long without a picture a head may be anywhere; embeddings tell whose it is

PATCH_PX: Final = 40  # a face's width in it; a head sways by a third of one such pixel
PATCH_REACH: Final = 0.2  # widths of the face that a head moves between two looks at most
SAME_PATCH: Final = 0.92
"""Correlation of grey patches of one head from frame to frame; below, the engine looks itself. It says where a head is
and not whose: embeddings do, and the whole picture is searched as often as ever."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Patch:
    """A face as the engine found it, small and grey, to be found again nearby at a tenth of the cost."""

    box: FaceBox
    grey: NDArray[np.uint8]

    @staticmethod
    def of(picture: Picture, box: FaceBox) -> "Patch | None":
        """The face in the box; None where the box reaches past the picture's edge."""
        grey = _grey(picture, box, 0.0)
        return None if grey is None else Patch(box, grey)

    def again(self, picture: Picture, near: FaceBox) -> FaceBox | None:
        """Where it lies now, a little beside `near`; None where nothing there is like it, or at the edge."""
        around = _grey(picture, near, PATCH_REACH)
        if around is None:
            return None
        likeness = cv2.matchTemplate(around, self.grey, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(likeness)
        if not best >= SAME_PATCH or not 0 < x < likeness.shape[1] - 1 or not 0 < y < likeness.shape[0] - 1:
            return None  # a flat picture correlates with nothing (NaN); a peak at the rim lies farther off
        fine_x = x + _peak(*(float(likeness[y, x + step]) for step in (-1, 0, 1)))
        fine_y = y + _peak(*(float(likeness[y + step, x]) for step in (-1, 0, 1)))
        per_px = near.width / PATCH_PX
        dx, dy = (round((fine - PATCH_REACH * PATCH_PX) * per_px) for fine in (fine_x, fine_y))
        return FaceBox(near.left + dx, near.top + dy, near.right + dx, near.bottom + dy)


def _grey(picture: Picture, box: FaceBox, reach: float) -> NDArray[np.uint8] | None:
    """The box and `reach` widths around it, at `PATCH_PX` to a width."""
    more = round(reach * box.width)
    left, top, right, bottom = box.left - more, box.top - more, box.right + more, box.bottom + more
    if min(left, top) < 0 or right > picture.shape[1] or bottom > picture.shape[0] or box.width < PATCH_PX:
        return None
    side = round(PATCH_PX * (1 + 2 * reach))
    small = cv2.resize(picture[top:bottom, left:right], (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)


def _peak(before: float, at: float, after: float) -> float:
    """Where a parabola through three neighbours has its top, from the middle one."""
    bend = before - 2 * at + after
    return 0.0 if bend >= 0 else 0.5 * (before - after) / bend


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
    _patch: Patch | None = field(default=None, init=False)
    _seen_at_s: float = field(default=0.0, init=False)
    _searched_at_s: float = field(default=float("-inf"), init=False)
    _pardoned_s: float = field(default=0.0, init=False)

    def find(
        self, picture: Picture, at_s: float, *, lost_s: float, search: bool, straight: bool
    ) -> tuple[FaceBox, ...]:
        """The faces, largest first; without `search` mostly the followed one alone.

        Args:
            picture: The next one.
            at_s: When it came.
            lost_s: Before it, from `Watch.see`.
            search: Whether the whole picture must be looked at.
            straight: Whether the head looked into the camera a moment ago; a turning one is followed by the engine.
        """
        self._pardoned_s += lost_s
        if not search and self.last is not None and at_s - self._searched_at_s < SEARCH_EVERY_S:
            box = self._patch.again(picture, self.last) if straight and self._patch else None
            if box is not None:
                return (box,)
            box = self.engine.track(picture, self.last)
            if box is not None:
                self._patch = Patch.of(picture, box)
                return (box,)
        return self.search(picture, at_s)

    def search(self, picture: Picture, at_s: float) -> tuple[FaceBox, ...]:
        """The faces of the whole picture, largest first."""
        self._searched_at_s = at_s
        boxes = self.engine.detect(picture, near=self.last)
        self._patch = Patch.of(picture, boxes[0]) if boxes else None
        return boxes

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
        self.last = self._patch = None
