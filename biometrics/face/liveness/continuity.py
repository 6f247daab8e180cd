"""Whether one face stays in front of the camera: identity from look to look, and place from frame to frame.

Pure, and of use wherever a face is followed: the check itself, and the call that comes after it.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.compare import distance, erase, fuse
from biometrics.face.engine import Embedding, FaceBox, Picture
from biometrics.face.outcome import FaceReason

GAP_MAX_S: Final = 2.5  # without a face; a head turned far is lost until it is called back
JUMP_MAX, JUMP_MAX_PER_S = 0.3, 2.0  # of the face's width: what a box wavers, and what a head can move
JUMP_MOST: Final = 0.9  # however long ago the last look was
DRIFT_MAX: Final = 0.45  # between straight faces (research notes on faces, section 5)
DRIFT_MAX_TURNED: Final = 0.65  # seen from the side or below: 53 synthetic people have at most 0.55 and 0.66
LOOKS_TOGETHER: Final = 3
DRIFT_MAX_TOGETHER: Final = 0.38
"""Of the latest three straight faces' mean: blur and blinks fall out of it, strangers stay as far as they were. Of 53
people, neutral and smiling are at most 0.33 apart in single pictures, the two most alike strangers 0.46."""

THUMB: Final = (32, 24)
FROZEN_AFTER_S: Final = 1.5
FROZEN_LOOKS: Final = 12  # within that time; an unhindered check has 18
FROZEN_MAX: Final = 0.9
"""Grey levels by which no part of a thumbnail changed in that time. A body sways by a third of a pixel, which an edge
of contrast 100 turns into 1.5; what a codec leaves of sensor noise averages to below 0.6."""
LOOP_LOOKS: Final = 12  # as many looks in a row, nearly a second, must be seen again
LOOP_MOTION_MIN: Final = 1.5  # grey levels of movement within them: everybody at rest looks alike
LOOP_MAX: Final = 0.25
"""Grey levels between a look and its repetition: sensor noise makes 0.13. Nobody repeats a movement to a third of a
pixel in every one of twelve looks."""
CUT_APART_S: Final = 0.12  # further apart, a busy camera has left frames out, and a picture may well have changed
STUTTER: Final = 0.02  # grey levels: the same picture again, from a camera that did not keep its pace
CUT_MIN, CUT_RATIO = 1.1, 1.1
"""Grey levels, and times the changes beside it, of what neither the changes before nor those after lead to. In 80 clips
of people moving the greatest reaches 0.8 of 1 and 1; with pictures lost in four places the second greatest 0.9 in all
but one; three clips of real heads 0.5. Of switches between films, of which an attack needs two or more, the second
sharpest of each of 170 clips reaches 1.3 to 13."""
CUTS_MIN: Final = 2  # one sharp change may be a camera that stood still for a moment
GLARING: Final = 4.0
"""Times that; so sharp a one is enough by itself. Cameras that lost up to three pictures at once, four times a check,
came to 3.0 at most in 90 clips."""
LOOKS_OF_ONE_CUT: Final = 3  # the same change seen in two looks is one


def jumped(before: FaceBox, now: FaceBox, apart_s: float) -> bool:
    """Whether a head cannot have gone from one box to the other in so many seconds."""
    moved = np.hypot(now.centre[0] - before.centre[0], now.centre[1] - before.centre[1])
    allowed = min(JUMP_MAX + JUMP_MAX_PER_S * apart_s, JUMP_MOST)
    # dlib's boxes come in steps of 1.2: one step either way is no change of size
    return bool(moved > allowed * before.width or not 0.55 < now.width / before.width < 1.8)


@dataclass(slots=True, repr=False)  # a face must not reach a log by way of repr
class IdentityTrack:
    """Follows who is seen. Every straight look is held against the one before it and against the first.

    The one before, so that a swap shows at once; the first, so that nobody can be changed into somebody else in steps;
    and three together, so that somebody much alike is told by what they have in common.
    """

    first: Embedding
    widest: float = field(default=0.0, init=False)
    """Largest drift so far as a share of what is allowed; above 1 somebody else was there."""
    looks: int = field(default=1, init=False)
    looked_at_s: float = field(default=float("-inf"), init=False)
    _latest: list[Embedding] = field(default_factory=list, init=False)
    """The latest straight looks, the last at the end."""

    @property
    def changed(self) -> bool:
        """Whether another face was seen."""
        return self.widest > 1

    def see(self, embedding: Embedding, at_s: float, *, turned: bool = False) -> bool:
        """Take one look into account, and its embedding over; True when somebody else is there.

        A turned face is held against the last straight one only.
        """
        self.widest = max(self.widest, self.share(embedding, turned=turned))
        if turned:
            erase(embedding)
        else:
            self._latest.append(embedding)
            if len(self._latest) > LOOKS_TOGETHER:
                erase(self._latest.pop(0))
            if len(self._latest) == LOOKS_TOGETHER:
                together = fuse(self._latest)
                self.widest = max(self.widest, distance(self.first, together) / DRIFT_MAX_TOGETHER)
                erase(together)
        self.looks += 1
        self.looked_at_s = at_s
        return self.changed

    def share(self, embedding: Embedding, *, turned: bool = False) -> float:
        """How far this look is from those before, of what is allowed; takes nothing into account."""
        drift = distance(self._latest[-1] if self._latest else self.first, embedding)
        if turned:
            return drift / DRIFT_MAX_TURNED
        return max(drift, distance(self.first, embedding)) / DRIFT_MAX

    def forget(self) -> None:
        """Overwrite every face."""
        for one in (self.first, *self._latest):
            erase(one)


@dataclass(slots=True, repr=False)
class PictureTrack:
    """Follows whole pictures by thumbnails: frozen, seen before, or cut from one take to another."""

    looks: int = field(default=0, init=False)
    judged: int = field(default=0, init=False)
    """Looks of which it could be told whether a cut lay before them: those after others that came evenly."""
    _sharp: list[tuple[float, int]] = field(default_factory=list, init=False)
    """The changes most like a cut, as a share of what looks like one, and at which look; the sharpest first."""
    _thumbs: list[NDArray[np.float32]] = field(default_factory=list, init=False)
    _at_s: list[float] = field(default_factory=list, init=False)
    _camera_s: list[float] = field(default_factory=list, init=False)
    _apart: list[NDArray[np.float32]] = field(default_factory=list, init=False)
    """For each of the latest looks, how far it is from every look before it."""

    @property
    def sharpest(self) -> float:
        """How near the pictures came to being called cut; above 1 they were."""
        shares = [share for share, _ in self._sharp]
        return max(shares[0] / GLARING, *shares[CUTS_MIN - 1 : CUTS_MIN], 0.0) if shares else 0.0

    def see(self, picture: Picture, at_s: float, camera_s: float | None = None) -> FaceReason | None:
        """What is wrong with the pictures, as far as this one shows.

        Args:
            picture: The next one.
            at_s: When it came.
            camera_s: When it was taken by the sender's clock, where that is known: a camera that stood still shows
                there, while its pictures arrive one after the other.
        """
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)  # thumbnails need fractions of a level
        thumb = np.asarray(cv2.resize(grey, THUMB, interpolation=cv2.INTER_AREA), np.float32).ravel()
        before = np.stack(self._thumbs) if self._thumbs else np.empty((0, thumb.size), np.float32)
        difference = np.abs(before - thumb)
        self._apart = [*self._apart[-LOOP_LOOKS:], np.asarray(difference.mean(axis=1), np.float32)]
        self._thumbs.append(thumb)
        self._at_s.append(at_s)
        self._camera_s.append(at_s if camera_s is None else camera_s)
        self.looks += 1
        if self._cut():
            return FaceReason.PICTURE_CUT
        if self._frozen(difference):
            return FaceReason.PICTURE_FROZEN
        return FaceReason.PICTURE_LOOPED if self._looped() else None

    def _cut(self) -> bool:
        """Changes in one step to which neither the steps before nor those after lead; told two looks later.

        A head that moves goes on the way it went: its change is much like the changes beside it, however quick it is.
        A switch between takes shifts, sizes or lights the picture some other way, and cannot hide in a movement.
        Brightness as such is left out: lamps are switched off. Missing pictures look like cuts, so only where seven
        looks came evenly, each another picture than the last, is anything judged, and one sharp change is not enough.
        """
        if len(self._thumbs) < LOOP_LOOKS:
            return False
        if max(np.abs(np.diff(times[-7:])).max() for times in (self._at_s, self._camera_s)) > CUT_APART_S:
            return False
        steps = [_change(one, other) for one, other in zip(self._thumbs[-7:-1], self._thumbs[-6:], strict=True)]
        if min(_levels(step) for step in steps[:3]) < STUTTER:
            return False
        beside = [*steps[1:3], *steps[4:]]
        self.judged += 1
        allowed = CUT_MIN + CUT_RATIO * max(_levels(step) for step in beside)
        self._note_change(_levels(_unexplained(steps[3], beside)) / allowed)
        return self.sharpest > 1

    def _note_change(self, share: float) -> None:
        """Keep the sharpest changes; of those next to each other the sharper one."""
        sharp: list[tuple[float, int]] = []
        for one, look in sorted([*self._sharp, (share, self.looks)], reverse=True):
            if all(abs(look - other) >= LOOKS_OF_ONE_CUT for _, other in sharp):
                sharp.append((one, look))
        self._sharp = sharp[:CUTS_MIN]

    def _frozen(self, difference: NDArray[np.float32]) -> bool:
        recent = [i for i, at_s in enumerate(self._at_s[:-1]) if self._at_s[-1] - at_s <= FROZEN_AFTER_S]
        if len(recent) < FROZEN_LOOKS or recent[0] == 0:
            return False  # not watched for so long yet, or too seldom: a busy machine shows a body at rest twice alike
        return float(difference[recent[0] - 1 :].max()) < FROZEN_MAX

    def _looped(self) -> bool:
        count = len(self._thumbs)
        if count < 3 * LOOP_LOOKS:
            return False
        latest = self._apart[-LOOP_LOOKS:]
        motion = float(latest[-1][count - LOOP_LOOKS : count - 1].max())
        if motion < LOOP_MOTION_MIN:
            return False
        # by lag: how far each of the latest looks is from the one so many looks before it
        apart = np.stack([row[::-1][LOOP_LOOKS - 1 : count - LOOP_LOOKS - 1] for row in latest])
        return bool((apart.max(axis=0) < LOOP_MAX).any())


def _change(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """From one thumbnail to another, which was first made as bright and as rich in contrast."""
    gain = float(one.std()) / max(float(other.std()), 1.0)
    return np.asarray(gain * (other - other.mean()) - (one - one.mean()), np.float32)


def _levels(change: NDArray[np.float32]) -> float:
    """How much changed, in grey levels of a mean pixel."""
    return float(np.abs(change).mean())


def _unexplained(change: NDArray[np.float32], others: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """What is left of a change without all that is alike in the others, by whatever factors."""
    ways = np.stack(others).T
    share, *_ = np.linalg.lstsq(ways, change, rcond=None)
    return np.asarray(change - ways @ share, np.float32)
