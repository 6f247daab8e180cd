"""What a face engine does: find faces, place landmarks, cut out the aligned face, turn it into a vector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(height, width, 3) uint8, blue, green, red: OpenCV's order."""

Landmarks = NDArray[np.float64]
"""(68, 2): x, y in pixels, in the iBUG 300-W order; the person's right eye is 36-41, the left 42-47, nose tip 30."""

Chip = NDArray[np.uint8]
"""(side, side, 3) uint8, red, green, blue: the face turned upright and cut out, ready for `embed`.

150 px wide from the default engine; an operator's engine has its own side.
"""

Embedding = NDArray[np.float64]
"""(128,) from the default engine: faces of one person lie close together by Euclidean distance."""


class Metric(StrEnum):
    """What the network was trained to keep small between faces of one person."""

    EUCLIDEAN = "euclidean"
    COSINE = "cosine"
    """Embeddings come at length one, where the Euclidean distance puts pairs in the same order as the angle."""


@dataclass(frozen=True, slots=True)
class FaceBox:
    """Where a face is, in pixels of the whole picture; may reach past its edges."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels."""
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        """Middle, x then y."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def is_beside(self, near: "FaceBox") -> bool:
        """Whether it is close enough in place and size to be the same head a moment later."""
        dx, dy = self.centre[0] - near.centre[0], self.centre[1] - near.centre[1]
        return bool(np.hypot(dx, dy) < 0.5 * near.width and 0.6 < self.width / max(near.width, 1) < 1.6)


class FaceEngine(Protocol):
    """One set of models, its preprocessing included: thresholds belong to exactly one engine.

    Not for several threads at once; give each worker its own.
    """

    @property
    def id(self) -> str:
        """Name that thresholds refer to; changes whenever embeddings would."""

    @property
    def version(self) -> str:
        """Version of the library that runs the models."""

    @property
    def sha256(self) -> Mapping[str, str]:
        """Hash of every weight file that embeddings come from, by its name: what a calibration is bound to."""

    @property
    def metric(self) -> Metric:
        """How its embeddings are compared."""

    @property
    def calibration(self) -> str | None:
        """Text of the calibration file the operator gave with it; None: the one shipped for the default engine."""

    def detect(self, picture: Picture, *, near: FaceBox | None = None) -> tuple[FaceBox, ...]:
        """Faces, largest first. Where none is certain, a fainter one close to `near` (a track) is taken."""

    def track(self, picture: Picture, near: FaceBox) -> FaceBox | None:
        """Where the face of the last frame is now, looked for around its place only; None: lost, ask `detect`.

        A quarter of what `detect` costs. A second face in the picture is not seen: ask `detect` every now and then.
        """

    def landmarks(self, picture: Picture, box: FaceBox) -> Landmarks:
        """The 68 points of the face in the box."""

    def inter_eye_px(self, picture: Picture, box: FaceBox) -> float:
        """Distance between the eyes of the face in the box; needs no `landmarks`."""

    def align(self, picture: Picture, box: FaceBox) -> Chip:
        """The face in the box as the embedding wants it."""

    def embed(self, chip: Chip) -> Embedding:
        """The vector of an aligned face; about 4 ms."""

    def embed_many(self, chips: Sequence[Chip]) -> tuple[Embedding, ...]:
        """The vectors of several, a little cheaper together; each within 1e-5 of what `embed` gives."""
