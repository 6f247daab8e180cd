"""The frames of one session that are worth comparing: the best, from different poses, and forgotten afterwards.

Five fused frames miss a tenth of what one frame misses (research notes on faces, section 4), and frames that differ
in pose tell more than neighbours of one another, so a session keeps a few of each view.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from biometrics.face.compare import at_length_one, erase, fuse
from biometrics.face.engine import Chip, Embedding, FaceEngine
from biometrics.face.liveness.motion import Pose
from biometrics.face.quality import FrameQuality, straightness

NEEDED: Final = 5
"""Fewer fit frames are not compared: calibration is per number of fused frames, and one or three miss too many."""
MOST: Final = 8  # more lower misses no further (`counter evaluate face`) and cost an embedding each
PER_VIEW: Final = 4  # where there are enough; somebody who cannot turn is compared by straight frames alone
APART_S: Final = 0.2  # closer frames show the same noise twice and fuse to nothing
TURNED: Final = 0.07  # in `Pose.yaw`, about 5°: a third of the way to the limit, beyond the noise of landmarks
UPRIGHT: Final = -0.46  # in `Pose.pitch`: median of 106 upright faces
LIFTED: Final = 0.08  # from there; upright faces differ by as much


class View(StrEnum):
    """From where the camera sees the head, within what may be compared (`quality.straightness`)."""

    STRAIGHT = "straight"
    OWN_LEFT = "own_left"
    OWN_RIGHT = "own_right"
    UP = "up"
    DOWN = "down"


def view_of(pose: Pose) -> View:
    """The view a pose belongs to."""
    if abs(pose.yaw) > TURNED:
        return View.OWN_LEFT if pose.yaw > 0 else View.OWN_RIGHT
    if abs(pose.pitch - UPRIGHT) > LIFTED:
        return View.UP if pose.pitch > UPRIGHT else View.DOWN
    return View.STRAIGHT


@dataclass(slots=True, repr=False)  # a face must not reach a log by way of repr
class Kept:
    """One frame's aligned face."""

    chip: Chip
    view: View
    score: float
    at_s: float
    embedding: Embedding | None = None
    """Where somebody needed it before the end."""


@dataclass(frozen=True, slots=True)
class FusedFace:
    """What a session compares: one embedding, and of how many frames from which views it was made."""

    embedding: Embedding
    """At length one, as `Reference.embedding` is."""
    frames: int
    views: frozenset[View]

    def forget(self) -> None:
        """Overwrite the embedding."""
        erase(self.embedding)


@dataclass(slots=True, repr=False)
class Gallery:
    """Offer every fit frame; `fuse` when the check is over; `forget` in any case."""

    _kept: list[Kept] = field(default_factory=list)

    def offer(self, chip: Chip, quality: FrameQuality, at_s: float) -> bool:
        """Keep the frame if it is fit and better than what there is of its view; whether it was kept.

        Args:
            chip: Copied; the caller may reuse its own.
            quality: Of this frame, from `quality.judge`.
            at_s: When it was taken, on the session's clock.
        """
        if quality.trouble is not None or straightness(quality.pose) is not None:
            return False
        one = Kept(chip.copy(), view_of(quality.pose), quality.score, at_s)
        rivals = [kept for kept in self._kept if abs(kept.at_s - at_s) < APART_S]
        if not rivals:
            same = [kept for kept in self._kept if kept.view is one.view]
            if len(same) >= PER_VIEW and self.enough:
                rivals = [min(same, key=_score)]
            elif len(self._kept) >= MOST:
                rivals = [min(self._fullest(), key=_score)]
        if rivals:
            if one.score <= max(kept.score for kept in rivals) and len({*self.views, one.view}) == len(self.views):
                return False
            self._drop(rivals)
        self._kept.append(one)
        return True

    def know(self, at_s: float, embedding: Embedding) -> None:
        """What the frame of that time became, copied, where it was kept: it need not be embedded again."""
        for one in self._kept:
            if one.at_s == at_s and one.embedding is None:
                one.embedding = embedding.copy()

    def _fullest(self) -> list[Kept]:
        """The frames of the view that has most: giving one up costs the least variety."""
        views = [kept.view for kept in self._kept]
        fullest = max(set(views), key=views.count)
        return [kept for kept in self._kept if kept.view is fullest]

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def enough(self) -> bool:
        """Whether there is enough to compare."""
        return len(self._kept) >= NEEDED

    @property
    def views(self) -> frozenset[View]:
        """From where the head was seen."""
        return frozenset(kept.view for kept in self._kept)

    def fuse(self, engine: FaceEngine) -> FusedFace | None:
        """One embedding of all frames kept, None of too few. The single frames' embeddings are overwritten."""
        if not self.enough:
            return None
        embeddings = [
            engine.embed(kept.chip) if kept.embedding is None else kept.embedding.copy() for kept in self._kept
        ]
        mean = fuse(embeddings)
        fused = FusedFace(at_length_one(mean), len(embeddings), self.views)
        for embedding in (*embeddings, mean):
            erase(embedding)
        return fused

    def forget(self) -> None:
        """Overwrite every frame kept."""
        self._drop(list(self._kept))

    def _drop(self, kept: Iterable[Kept]) -> None:
        for one in kept:
            one.chip.fill(0)
            if one.embedding is not None:
                erase(one.embedding)
            self._kept = [other for other in self._kept if other is not one]


def _score(kept: Kept) -> float:
    return kept.score
