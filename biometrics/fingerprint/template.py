"""What a finger template holds in every format, in the format's own units, and its way to and from the working form.

Numbers stay as they were written until `working` turns them, so that reading and writing a record loses nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from biometrics.errors import TemplateError
from biometrics.fingerprint.minutiae import WORKING_DPI, Minutiae, MinutiaKind

CM_PER_INCH: Final = 2.54
WORKING_PER_CM: Final = 197  # how records round 500 dpi
MAX_PER_VIEW: Final = 255  # the count is one byte in every format
MAX_COORDINATE: Final = 0x3FFF  # 14 bits


class FingerPosition(IntEnum):
    """ISO/IEC 19794-2:2005 table 2; one finger only."""

    UNKNOWN = 0
    RIGHT_THUMB = 1
    RIGHT_INDEX = 2
    RIGHT_MIDDLE = 3
    RIGHT_RING = 4
    RIGHT_LITTLE = 5
    LEFT_THUMB = 6
    LEFT_INDEX = 7
    LEFT_MIDDLE = 8
    LEFT_RING = 9
    LEFT_LITTLE = 10


class Impression(IntEnum):
    """ISO/IEC 19794-2:2005 table 3, of which 2011 and ANSI 378 use the same codes."""

    LIVE_PLAIN = 0
    LIVE_ROLLED = 1
    NONLIVE_PLAIN = 2
    NONLIVE_ROLLED = 3
    LATENT = 7
    SWIPE = 8
    CONTACTLESS = 9
    # 2011 only
    CONTACTLESS_PLAIN = 24
    OTHER = 28
    UNKNOWN = 29


@dataclass(frozen=True, slots=True)
class RecordMinutia:
    """One minutia in the units of its view."""

    kind: MinutiaKind
    x: int
    y: int
    angle: int
    quality: int | None
    """1 to 100; None where the maker did not say."""


@dataclass(frozen=True, slots=True)
class FingerView:
    """One impression of one finger."""

    minutiae: tuple[RecordMinutia, ...]
    width: int
    height: int
    steps_per_turn: int
    """Of `angle`: 256 in ISO records, 180 in ANSI's, 64 on cards."""

    position: FingerPosition = FingerPosition.UNKNOWN
    impression: Impression = Impression.LIVE_PLAIN
    number: int = 0
    quality: int | None = None
    """0 to 100; None where the maker did not say."""

    x_per_cm: int = WORKING_PER_CM
    y_per_cm: int = WORKING_PER_CM
    extended: bytes = b""
    """Blocks of ridge counts, cores and deltas or a maker's own: their lengths are checked, nothing else."""

    def __post_init__(self) -> None:
        if not 0 < self.width <= MAX_COORDINATE or not 0 < self.height <= MAX_COORDINATE:
            raise TemplateError(f"a picture of {self.width} x {self.height}")
        if not 50 <= self.x_per_cm <= 1000 or not 50 <= self.y_per_cm <= 1000:  # 127 to 2540 dpi
            raise TemplateError(f"{self.x_per_cm} x {self.y_per_cm} pixels per centimetre")
        if len(self.minutiae) > MAX_PER_VIEW:
            raise TemplateError(f"{len(self.minutiae)} minutiae; a view counts to {MAX_PER_VIEW}")
        if not 0 <= self.number <= 15:
            raise TemplateError(f"view number {self.number}")
        if self.quality is not None and not 0 <= self.quality <= 100:
            raise TemplateError(f"quality {self.quality} of 100")
        for minutia in self.minutiae:
            if not 0 <= minutia.x < self.width or not 0 <= minutia.y < self.height:
                raise TemplateError("a minutia outside its picture")
            if not 0 <= minutia.angle < self.steps_per_turn:
                raise TemplateError("an angle beyond a full turn")
            if minutia.quality is not None and not 1 <= minutia.quality <= 100:
                raise TemplateError("a minutia's quality beyond 100")


@dataclass(frozen=True, slots=True)
class FingerRecord:
    """One template file: at least one view, of one or several fingers."""

    views: tuple[FingerView, ...]
    device: int = 0
    """Certification flags and the maker's device number, 16 bits as written."""

    owner: int = 0
    """ANSI 378 only: the maker's CBEFF identifiers, owner in the upper and type in the lower 16 bits."""

    def __post_init__(self) -> None:
        if not self.views or len(self.views) > 176:  # 11 positions of 16 views
            raise TemplateError(f"{len(self.views)} finger views")


def working(view: FingerView) -> Minutiae:
    """The view's minutiae at 500 dpi."""
    across = _scale(view.x_per_cm)
    down = _scale(view.y_per_cm)
    rows = [(m.x * across, m.y * down, m.angle * 2 * np.pi / view.steps_per_turn) for m in view.minutiae]
    return Minutiae.of(
        np.array(rows, np.float64).reshape(-1, 3),
        kind=np.array([m.kind for m in view.minutiae], np.uint8),
        quality=np.array([(m.quality or 0) / 100 for m in view.minutiae], np.float32),
        width_px=round(view.width * across),
        height_px=round(view.height * down),
    )


def recorded(
    minutiae: Minutiae,
    *,
    steps_per_turn: int,
    position: FingerPosition = FingerPosition.UNKNOWN,
    quality: int | None = None,
) -> FingerView:
    """The view to write of minutiae at 500 dpi; the most certain 255 of them."""
    kept = minutiae.best(MAX_PER_VIEW)
    xs = np.clip(np.rint(kept.x_px), 0, kept.width_px - 1).astype(int)
    ys = np.clip(np.rint(kept.y_px), 0, kept.height_px - 1).astype(int)
    angles = np.rint(kept.angle_rad * steps_per_turn / (2 * np.pi)).astype(int) % steps_per_turn
    certainties = np.clip(np.rint(kept.quality * 100), 1, 100).astype(int)
    columns: Sequence[list[int]] = [column.tolist() for column in (xs, ys, angles, kept.kind, certainties)]
    return FingerView(
        tuple(
            RecordMinutia(MinutiaKind(kind), x, y, angle, sure)
            for x, y, angle, kind, sure in zip(*columns, strict=True)
        ),
        width=kept.width_px,
        height=kept.height_px,
        steps_per_turn=steps_per_turn,
        position=position,
        quality=quality,
    )


def _scale(per_cm: int) -> float:
    """To 500 dpi; records write 500 dpi rounded either way."""
    return 1.0 if per_cm in (196, WORKING_PER_CM) else WORKING_DPI / (per_cm * CM_PER_INCH)
