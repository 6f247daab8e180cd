"""What a face engine does: find faces, place landmarks, cut out the aligned face, turn it into a vector."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(height, width, 3) uint8, blue, green, red: OpenCV's order."""

Landmarks = NDArray[np.float64]
"""(68, 2): x, y in pixels, in the iBUG 300-W order; the person's right eye is 36-41, the left 42-47, nose tip 30."""

Chip = NDArray[np.uint8]
"""(150, 150, 3) uint8, red, green, blue: the face turned upright and cut out, ready for `embed`."""

Embedding = NDArray[np.float64]
"""(128,): faces of one person lie close together by Euclidean distance."""


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
        """Hash of every weight file by its name."""

    def detect(self, picture: Picture, *, near: FaceBox | None = None) -> tuple[FaceBox, ...]:
        """Faces, largest first. Where none is certain, a fainter one close to `near` (a track) is taken."""

    def landmarks(self, picture: Picture, box: FaceBox) -> Landmarks:
        """The 68 points of the face in the box."""

    def align(self, picture: Picture, box: FaceBox) -> Chip:
        """The face in the box as the embedding wants it."""

    def embed(self, chip: Chip) -> Embedding:
        """The vector of an aligned face; about 80 ms."""
