"""The face turned upright by five points, for networks that were trained with a template of them."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.engine import Chip, Landmarks, Picture

FivePoints = NDArray[np.float64]
"""(5, 2): the person's right eye, left eye, nose tip, right and left corner of the mouth; x, y in pixels."""

RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)
NOSE_TIP, RIGHT_CORNER, LEFT_CORNER = 30, 48, 54

MIN_SPREAD_PX2: Final = 1.0
"""Of five points around their middle: below, they are no face, and their turn is noise."""


def five_of(points: Landmarks) -> FivePoints:
    """The five points that 68 landmarks contain."""
    eyes = [points[RIGHT_EYE].mean(axis=0), points[LEFT_EYE].mean(axis=0)]
    return np.array([*eyes, points[NOSE_TIP], points[RIGHT_CORNER], points[LEFT_CORNER]])


def similarity(points: FivePoints, template: FivePoints) -> NDArray[np.float64]:
    """(2, 3): the turn, size and shift that bring points closest to the template, by least squares.

    Source: Umeyama 1991, whose plane case is one division of complex numbers; no mirroring comes out of it.
    """
    z, w = points @ (1, 1j), template @ (1, 1j)
    z_mean, w_mean = z.mean(), w.mean()
    spread = float(np.sum(np.abs(z - z_mean) ** 2))
    if spread < MIN_SPREAD_PX2:
        raise ValueError("the points of the face lie in one place")
    turn = np.vdot(z - z_mean, w - w_mean) / spread
    shift = w_mean - turn * z_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def cut_out(picture: Picture, points: FivePoints, template: FivePoints, side_px: int) -> Chip:
    """The face at the template's place, side x side, red-green-blue."""
    matrix = similarity(points, template)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:  # warping samples four pixels; a face twice as large would alias
        picture = np.asarray(cv2.resize(picture, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA))
        matrix = matrix / np.array([2 * scale, 2 * scale, 1])
    chip = cv2.warpAffine(picture, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.cvtColor(chip, cv2.COLOR_BGR2RGB), np.uint8)
