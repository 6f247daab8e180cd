"""dlib's frontal face detector (HOG), on no more pixels than it needs."""

from typing import Final

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from biometrics.face.engine import FaceBox, Picture

Grey = NDArray[np.uint8]

COARSE_WIDTH_PX: Final = 480
"""HOG needs faces of about 80 px; at 480 it finds one of 107 px in a 640 px frame and costs 7 ms (640: 14 ms)."""

FINE_WIDTH_PX: Final = 800
"""Second look where the first found nobody: 128 px in a 1280 px frame, under the 140 of somebody too far away."""

FAINT: Final = -0.7
"""Detector score accepted only beside the last known face, where none is certain: a head turned 35° scores -0.6."""

TRACKED_FACE_PX: Final = 92.0  # the detector's window is 80 px; a face may shrink by a step of 1.2 between two frames
TRACKED_REACH: Final = 1.55  # side of the square looked at, in widths of the last face: people move 0.2 in 0.1 s


class HogDetector:
    """Finds faces that look into the camera; half a profile only where a track says that it is there."""

    name: Final = "hog"

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()

    def detect(self, picture: Picture, near: FaceBox | None) -> tuple[FaceBox, ...]:
        """Faces, largest first; see `FaceEngine.detect`."""
        width = picture.shape[1]
        found = self._detect_at(picture, min(1.0, COARSE_WIDTH_PX / width), near)
        if found or width * 0.8 < FINE_WIDTH_PX:
            return found
        return self._detect_at(picture, FINE_WIDTH_PX / width, near)

    def track(self, picture: Picture, near: FaceBox) -> FaceBox | None:
        """The face around its last place; see `FaceEngine.track`."""
        reach = TRACKED_REACH * near.width / 2
        x, y = near.centre
        left, top = max(0, round(x - reach)), max(0, round(y - reach))
        square = picture[top : max(0, round(y + reach)), left : max(0, round(x + reach))]
        scale = TRACKED_FACE_PX / max(near.width, 1)
        if min(square.shape[:2]) * scale < TRACKED_FACE_PX:
            return None  # at the edge of the picture there is less than a face
        beside = [box for _, box in self._run(square, scale, FAINT, left, top) if box.is_beside(near)]
        return beside[0] if beside else None

    def _detect_at(self, picture: Picture, scale: float, near: FaceBox | None) -> tuple[FaceBox, ...]:
        found = self._run(picture, scale, FAINT if near else 0.0, 0, 0)
        certain = [box for score, box in found if score >= 0]
        faint = [box for _, box in found if near is not None and box.is_beside(near)][:1]
        return tuple(sorted(certain or faint, key=lambda box: box.width, reverse=True))

    def _run(self, picture: Picture, scale: float, least: float, left: int, top: int) -> list[tuple[float, FaceBox]]:
        """Score and box in pixels of the whole picture, the surest first."""
        grey: Grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        if scale != 1:
            interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=interpolation), np.uint8)
        rectangles, scores, _ = self._detector.run(grey, 0, least)
        found = [
            (
                float(score),
                FaceBox(
                    left + round(rectangle.left() / scale),
                    top + round(rectangle.top() / scale),
                    left + round(rectangle.right() / scale),
                    top + round(rectangle.bottom() / scale),
                ),
            )
            for rectangle, score in zip(rectangles, scores, strict=True)
        ]
        return sorted(found, key=lambda face: face[0], reverse=True)
