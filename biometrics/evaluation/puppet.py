"""One photograph made to turn, look up, come closer and close its eyes, cheaply enough for thousands of clips.

The photograph is laid over a simple head (superellipsoid, nose ridge, eye sockets, fitted on 68 landmarks: the same
head as `hardware_drivers/camera/simulated_person.js`), turned and projected. A stand-in for people who were never
filmed: it has no hair in the wind, no wrinkles and no speech, and its face beyond the silhouette is stretched skin.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.face.engine import Landmarks, Picture

GRID_PX: Final = 4  # a nose is 15 px wide in the pictures used here
ROUNDS: Final = 8  # of fixed-point inversion: what is left is below half a pixel at 30°
EYES: Final = ((slice(36, 42), 19), (slice(42, 48), 24))  # an eye's points, and the brow above it

Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Posture:
    """How the head is held. Positive yaw is the person's own left, positive pitch looks up; angles in radians."""

    yaw: float = 0.0
    pitch: float = 0.0
    zoom: float = 1.0
    lids: float = 0.0
    """0 open, 1 closed."""
    dx: float = 0.0
    dy: float = 0.0


class Puppet:
    """A person made of one photograph.

    Args:
        photograph: Looking into the camera, head and shoulders.
        points: The 68 landmarks in it.
    """

    def __init__(self, photograph: Picture, points: Landmarks) -> None:
        self.photograph, self.points = photograph, points
        self._open = photograph
        self._closed = _lids_lowered(photograph, points)
        height, width = photograph.shape[:2]
        self._size = (width, height)
        brow, chin = points[17:27].mean(axis=0), points[8]
        self._half_width = 0.57 * float(np.hypot(*(points[16] - points[0])))  # to the ears
        crown = brow[1] - 0.72 * (chin[1] - brow[1])  # landmarks end at the brows
        self._middle = np.array([(points[0, 0] + points[16, 0]) / 2, (chin[1] + crown) / 2], np.float32)
        half_height = 0.53 * float(chin[1] - crown)
        self._camera = 7 * self._half_width  # about half a metre
        columns, rows = width // GRID_PX + 1, height // GRID_PX + 1
        x, y = np.meshgrid(np.arange(columns, dtype=np.float32) * GRID_PX, np.arange(rows, dtype=np.float32) * GRID_PX)
        self._x, self._y = x, y
        across, down = (x - self._middle[0]) / self._half_width, (y - self._middle[1]) / half_height
        # superellipsoid; an exponent nearer 0.5 would be rounder and stretch ears and hair like rubber
        inside = np.clip(1 - np.abs(across) ** 2.3 - np.abs(down) ** 2.6, 0, None)
        depth = 0.85 * self._half_width * inside**0.8 + self._nose(points)
        for eye, _ in EYES:
            middle = points[eye].mean(axis=0)
            depth -= self._bump(middle, 0.16) * 0.07 * self._half_width
        self._depth: Field = depth.astype(np.float32)
        fade = np.clip((np.hypot(across, down) - 1) / 0.55, 0, 1)
        self._weight: Field = (1 - fade * fade * (3 - 2 * fade)).astype(np.float32)  # hair and neck give way

    def show(self, posture: Posture) -> Picture:
        """The picture a camera takes of the person holding themselves so."""
        shift_x, shift_y = self._shift(posture)
        from_x, from_y = self._x, self._y
        for _ in range(ROUNDS):  # where does each grid point of the new picture come from?
            at_x, at_y = from_x / GRID_PX, from_y / GRID_PX
            from_x = self._x - cv2.remap(shift_x, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            from_y = self._y - cv2.remap(shift_y, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        lids = float(np.clip(posture.lids, 0, 1))
        source = self._open if lids < 0.5 else self._closed  # too quick to be seen in between
        width, height = self._size
        # from grid to pixels, zoomed about the head's middle
        to_grid = np.array(
            [
                [1 / (posture.zoom * GRID_PX), 0, self._middle[0] * (1 - 1 / posture.zoom) / GRID_PX],
                [0, 1 / (posture.zoom * GRID_PX), self._middle[1] * (1 - 1 / posture.zoom) / GRID_PX],
            ]
        )
        maps = [
            cv2.warpAffine(
                one,
                to_grid,
                (width, height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            for one in (from_x, from_y)
        ]
        return np.asarray(
            cv2.remap(source, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )

    @classmethod
    def sheet(cls, photograph: Picture, points: Landmarks, radius: float | None = None) -> "Puppet":
        """The same photograph as paper: flat, or bent round an upright cylinder of so many half face widths."""
        paper = cls(photograph, points)
        across = paper._x - paper._middle[0]
        if radius is None:
            paper._depth = np.zeros_like(paper._depth)
        else:
            bend = radius * paper._half_width
            paper._depth = (bend * (np.cos(np.clip(across / bend, -1.2, 1.2)) - 1)).astype(np.float32)
        paper._weight = np.ones_like(paper._weight)  # it moves as a whole
        paper._closed = paper._open
        return paper

    def _shift(self, posture: Posture) -> tuple[Field, Field]:
        """How far each grid point of the photograph moves."""
        px, py = self._x - self._middle[0], self._y - self._middle[1]
        cos_yaw, sin_yaw = np.cos(posture.yaw), np.sin(posture.yaw)
        cos_pitch, sin_pitch = np.cos(posture.pitch), np.sin(posture.pitch)
        flat = (self._camera - self._depth) / self._camera  # the photograph is a projection already: undo it first
        x0, y0 = px * flat, py * flat
        x1, z1 = x0 * cos_yaw + self._depth * sin_yaw, -x0 * sin_yaw + self._depth * cos_yaw
        y2, z2 = y0 * cos_pitch - z1 * sin_pitch, y0 * sin_pitch + z1 * cos_pitch
        scale = self._camera / (self._camera - z2)
        return (
            (self._weight * (x1 * scale - px + posture.dx)).astype(np.float32),
            (self._weight * (y2 * scale - py + posture.dy)).astype(np.float32),
        )

    def _bump(self, at: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
        away = (self._x - at[0]) ** 2 + (self._y - at[1]) ** 2
        return np.asarray(np.exp(-away / (2 * (sigma * self._half_width) ** 2)), np.float64)

    def _nose(self, points: Landmarks) -> NDArray[np.float64]:
        """A ridge that rises and widens from between the eyes to the tip."""
        top, ridge = points[27], points[30] - points[27]
        along = np.clip(((self._x - top[0]) * ridge[0] + (self._y - top[1]) * ridge[1]) / float(ridge @ ridge), 0, 1)
        away = (self._x - top[0] - along * ridge[0]) ** 2 + (self._y - top[1] - along * ridge[1]) ** 2
        sigma = (0.1 + 0.05 * along) * self._half_width
        return np.asarray(self._half_width * (0.04 + 0.34 * along) * np.exp(-away / (2 * sigma**2)), np.float64)


def _lids_lowered(photograph: Picture, points: Landmarks) -> Picture:
    """The photograph with its eyes closed: skin from above each eye is drawn down over it, lashes at its edge."""
    closed = photograph.copy()
    for eye, brow in EYES:
        six = points[eye]
        for x in range(int(np.ceil(six[0, 0])), int(six[3, 0])):
            share = (x - six[0, 0]) / (six[3, 0] - six[0, 0])
            arch = np.sin(np.pi * share) ** 0.6
            corner = six[0, 1] * (1 - share) + six[3, 1] * share
            upper = corner - arch * (corner - (six[1, 1] + six[2, 1]) / 2) - 1
            lower = corner + arch * ((six[4, 1] + six[5, 1]) / 2 - corner) + 1
            skin = upper - 0.45 * (upper - points[brow, 1])
            rows = np.arange(int(np.ceil(skin)), int(np.ceil(lower)))
            if len(rows) == 0:
                continue
            source = np.round(skin + (rows - skin) / (lower - skin) * (upper - 1 - skin)).astype(int)
            dark = np.where(lower - rows < 1.5, 0.55, 1.0)[:, None]
            closed[rows, x] = (photograph[source, x] * dark).astype(np.uint8)
    return closed
