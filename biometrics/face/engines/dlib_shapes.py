"""What every engine with dlib's landmark files shares: points of a face, and the face cut out upright."""

from typing import Final

import cv2
import dlib
import numpy as np

from biometrics.errors import ModelError
from biometrics.face.engine import Chip, FaceBox, Landmarks, Picture
from biometrics.face.models import LANDMARKS_5, LANDMARKS_68, locate

CHIP_PX: Final = 150
CHIP_PADDING: Final = 0.25  # what the network was trained with (dlib: dnn_face_recognition_ex.cpp)

AROUND: Final = 0.6
"""Widths of the face kept on each side of it. From 0.5 on, chip and landmarks of 169 faces (tilted up to 30°, 80 to
400 px) are those of the whole picture to the last bit; at 0.4 eight chips differ."""


class DlibShapes:
    """The two landmark models. The larger one may be left out (its licence: `models.LANDMARKS_68`)."""

    def __init__(self, *, with_68: bool) -> None:
        self._five = dlib.shape_predictor(str(locate(LANDMARKS_5)))
        self._sixty_eight = dlib.shape_predictor(str(locate(LANDMARKS_68))) if with_68 else None

    def landmarks(self, picture: Picture, box: FaceBox) -> Landmarks:
        """The 68 points.

        Raises:
            ModelError: The operator runs without them.
        """
        if self._sixty_eight is None:
            raise ModelError(f"{LANDMARKS_68.name} is switched off: this engine compares, it cannot follow a movement")
        part, x, y = _around(picture, box)
        shape = self._sixty_eight(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), _rectangle(box, x, y))
        return np.array([(point.x + x, point.y + y) for point in shape.parts()], dtype=np.float64)

    def inter_eye_px(self, picture: Picture, box: FaceBox) -> float:
        """Between the middles of both eyes' corners, by the freely licensed model."""
        part, x, y = _around(picture, box)
        shape = self._five(cv2.cvtColor(part, cv2.COLOR_BGR2RGB), _rectangle(box, x, y))
        corners = np.array([(point.x, point.y) for point in shape.parts()[:4]], np.float64)
        return float(np.hypot(*(corners[:2].mean(axis=0) - corners[2:].mean(axis=0))))

    def chip(self, picture: Picture, box: FaceBox) -> Chip:
        """The face upright, 150 x 150, red-green-blue, as dlib's network wants it."""
        part, x, y = _around(picture, box)
        colours = cv2.cvtColor(part, cv2.COLOR_BGR2RGB)
        shape = self._five(colours, _rectangle(box, x, y))
        return np.asarray(dlib.get_face_chip(colours, shape, CHIP_PX, CHIP_PADDING), dtype=np.uint8)


def _around(picture: Picture, box: FaceBox) -> tuple[Picture, int, int]:
    """The part of the picture with the face in it, and where its corner lies."""
    reach = round(AROUND * max(box.width, box.height))
    x, y = max(0, box.left - reach), max(0, box.top - reach)
    return picture[y : max(y + 1, box.bottom + reach), x : max(x + 1, box.right + reach)], x, y


def _rectangle(box: FaceBox, x: int, y: int) -> "dlib.rectangle":
    return dlib.rectangle(box.left - x, box.top - y, box.right - x, box.bottom - y)
