"""A finger in working form: where its ridges end and fork, on one scale whoever took the picture.

Every length in this package is in pixels at 500 dpi, origin at the top left, x to the right, **y down**. Angles turn
**counter-clockwise as seen on the picture** (against y): 0 right, π/2 up. An angle says where the ridge of
an ending comes from, and where the valley of a fork comes from: ISO/IEC 19794-2 §6.5.3's direction, and LEADER's (they
agree without a half turn on the FVC templates: research notes on fingerprints, section 4).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

WORKING_DPI: Final = 500
"""FBI's Appendix F and every FVC set; ridges repeat every 9 pixels."""

Floats = NDArray[np.float32]


class MinutiaKind(IntEnum):
    """ISO/IEC 19794-2 §6.5.1's codes."""

    OTHER = 0
    ENDING = 1
    BIFURCATION = 2


@dataclass(frozen=True, slots=True, eq=False)
class Minutiae:
    """The minutiae of one impression, most certain first; arrays of one length, not to be written to.

    `kind` holds values of `MinutiaKind`; `quality` is the extractor's confidence from 0 to 1 (0 where a template of
    another maker did not say); `width_px` and `height_px` are the picture's at 500 dpi.
    """

    x_px: Floats
    y_px: Floats
    angle_rad: Floats
    kind: NDArray[np.uint8]
    quality: Floats
    width_px: int
    height_px: int

    def __len__(self) -> int:
        return len(self.x_px)

    @classmethod
    def of(
        cls,
        points: NDArray[np.floating],
        *,
        kind: NDArray[np.integer],
        quality: NDArray[np.floating],
        width_px: int,
        height_px: int,
    ) -> Self:
        """From columns x, y, angle of `points` in any order and any turn; sorted, wrapped to [0, 2π), frozen."""
        order = np.lexsort((points[:, 0], points[:, 1], -quality))
        # the wrap is done in double: float32 would round a hair below a full turn up to it
        columns = (
            points[order, 0].astype(np.float32),
            points[order, 1].astype(np.float32),
            np.mod(np.mod(points[order, 2].astype(np.float64), 2 * np.pi).astype(np.float32), np.float32(2 * np.pi)),
            kind[order].astype(np.uint8),
            np.clip(quality[order], 0, 1).astype(np.float32),
        )
        for column in columns:
            column.setflags(write=False)
        return cls(*columns, width_px=width_px, height_px=height_px)

    @classmethod
    def none(cls, *, width_px: int, height_px: int) -> Self:
        """An impression in which nothing was found."""
        empty = np.zeros(0, np.float32)
        kinds = np.zeros(0, np.uint8)
        return cls.of(np.zeros((0, 3)), kind=kinds, quality=empty, width_px=width_px, height_px=height_px)

    def above(self, quality: float) -> Self:
        """Only those at least so certain."""
        return self.best(int(np.count_nonzero(self.quality >= quality)))

    def best(self, count: int) -> Self:
        """The `count` most certain."""
        return type(self)(
            self.x_px[:count],
            self.y_px[:count],
            self.angle_rad[:count],
            self.kind[:count],
            self.quality[:count],
            width_px=self.width_px,
            height_px=self.height_px,
        )
