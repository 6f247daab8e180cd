"""The neighbourhood of every minutia as a cylinder of bits: Minutia Cylinder-Code.

Cappelli, Ferrara, Maltoni: "Minutia Cylinder-Code: A New Representation and Matching Technique for Fingerprint
Recognition", IEEE TPAMI 32(12), 2010. Names and constants are the paper's (table 1, MCC16b); two things differ:
a neighbour counts as much as the extractor is certain of it, so uncertain minutiae may take part, and the hull is
widened by its half planes, which is a little more at the corners.
"""

import math
from dataclasses import dataclass
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.fingerprint.minutiae import WORKING_DPI, Minutiae, MinutiaKind

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Bits = NDArray[np.uint64]
"""Cells packed 64 to a word, so that comparing two cylinders is 24 words anded and counted: the paper's MCC16b."""

R: Final = 70.0
N_S: Final = 16
N_D: Final = 6
SIGMA_S: Final = 28 / 3
SIGMA_D: Final = 2 * math.pi / 9
MU_PSI: Final = 0.01
OMEGA: Final = 50.0
MIN_VC: Final = 0.75
MIN_M: Final = 2

CERTAIN: Final = 0.6  # LEADER's own threshold: from here on a minutia counts in full
DOUBTFUL: Final = 0.1  # here it would not count at all; the extractor hands out 0.3 and more
FULL_AND_LIGHT: Final = 0.5  # of MIN_M certain neighbours: four doubtful ones do as well
LEAST_WEIGHT: Final = 0.05
MAX_MINUTIAE: Final = 150  # a finger has about 80; bounds what a hostile template costs

_SIDE = 2 * R / N_S
_AXIS = ((np.arange(N_S) - (N_S - 1) / 2) * _SIDE).astype(np.float32)
_CIRCLE = (_AXIS[:, np.newaxis] ** 2 + _AXIS**2) <= R * R
CELLS: Final = int(_CIRCLE.sum())
"""Cells of one section that lie in the circle: 208. The corners of the square around it are kept, always clear."""
GRID: Final = N_S * N_S
WORDS: Final = GRID * N_D // 64

_SINGLE = np.float32
_SPREAD = _SINGLE(1 / (2 * SIGMA_S**2))
_SECTIONS = (-np.pi + (np.arange(N_D) + 0.5) * 2 * np.pi / N_D).astype(_SINGLE)
_STEPS = 720  # half degrees: the contribution changes by less than 1 % of its peak between two
_STEPS_PER_RAD = _SINGLE(_STEPS / (2 * math.pi))
_HALF = math.pi / N_D
_DIRECTIONAL = np.array(
    [
        0.5 * (math.erf((t + _HALF) / (SIGMA_D * math.sqrt(2))) - math.erf((t - _HALF) / (SIGMA_D * math.sqrt(2))))
        for t in ((step + _STEPS // 2) % _STEPS * 2 * math.pi / _STEPS - math.pi for step in range(_STEPS))
    ],
    np.float32,
)
"""Equation 9 (the Gaussian's area over one section) by angle, from 0 once around."""


@dataclass(frozen=True, slots=True, eq=False)
class Cylinders:
    """One impression ready for comparison. Points here have y upwards, as in the paper."""

    points: Array
    """(n, 2) all minutiae that take part."""
    angles: Array
    ending: NDArray[np.bool_]
    weights: Array
    """(n,) 0 to 1: how much each counts."""
    hull: Array
    """(k, 2) convex hull of the points; empty when they span no area."""
    owners: NDArray[np.intp]
    """(m,) which minutiae have a valid cylinder; the arrays below have one row for each."""
    bits: Bits
    """(m, WORDS) c_m: cells with neighbours, clear where not valid; along, section, across."""
    valid: Floats
    """(m, GRID) ĉ_m: 1 for cells within hull and circle, the same in all sections."""
    filled: Floats
    """(m, GRID) bits set above each cell, all sections together."""

    @classmethod
    def of(cls, minutiae: Minutiae) -> Self:
        """Cylinders of an impression; none when its minutiae are too few or too far apart to have neighbours."""
        used = minutiae.best(MAX_MINUTIAE)
        points = np.column_stack((used.x_px, -used.y_px)).astype(np.float64)
        angles = used.angle_rad.astype(np.float64)
        weights = certainty_weight(used.quality)
        hull = convex_hull(points)
        bits, valid, enough = _fill(points, angles, weights, hull)
        owners = np.flatnonzero(enough)
        return cls(
            points=points,
            angles=angles,
            ending=used.kind != MinutiaKind.BIFURCATION,
            weights=weights,
            hull=hull,
            owners=owners,
            bits=np.packbits(bits[owners].reshape(len(owners), GRID * N_D), axis=1).view(np.uint64),
            valid=valid[owners].reshape(len(owners), GRID).astype(np.float32),
            filled=bits[owners].sum(axis=2, dtype=np.float32).reshape(len(owners), GRID),
        )

    @property
    def certain(self) -> int:
        """How many minutiae count in full."""
        return int(np.count_nonzero(self.weights >= 1))

    @property
    def area_mm2(self) -> float:
        """Of the hull: what this impression shows of the finger."""
        return (
            float(cv2.contourArea(self.hull.astype(np.float32))) * (25.4 / WORKING_DPI) ** 2 if len(self.hull) else 0.0
        )

    @property
    def comparable(self) -> bool:
        """There is something to compare; otherwise nothing can be said about whose finger it is."""
        return len(self.owners) > 0


def certainty_weight(quality: NDArray[np.floating]) -> Array:
    """How much a minutia counts. One without any statement (0, other vendors' templates) counts in full."""
    rising = (quality.astype(np.float64) - DOUBTFUL) / (CERTAIN - DOUBTFUL)
    return np.where(quality <= 0, 1.0, np.clip(rising, LEAST_WEIGHT, 1.0))


def wrap(angle: Array) -> Array:
    """The same angle within half a turn of 0."""
    return angle - 2 * np.pi * np.rint(angle * (1 / (2 * np.pi)))


def convex_hull(points: Array) -> Array:
    """Corners around the points, counter-clockwise with y upwards; (0, 2) when they span no area."""
    if len(points) < 3:
        return np.zeros((0, 2))
    corners = np.asarray(cv2.convexHull(points.astype(np.float32), clockwise=False), np.float64).reshape(-1, 2)
    return corners if len(corners) >= 3 else np.zeros((0, 2))


def half_planes(hull: Array) -> tuple[Array, Array]:
    """The hull's sides as normals (2, k) pointing outwards and offsets (k,); none where there is no hull."""
    x, y = hull.T
    along_x, along_y = np.append(x[1:], x[:1]) - x, np.append(y[1:], y[:1]) - y
    lengths = np.sqrt(along_x * along_x + along_y * along_y)
    real = lengths > 1e-6
    normals = np.stack((along_y, -along_x))[:, real] / lengths[real]
    return normals, normals[0] * x[real] + normals[1] * y[real]


def beyond_hull(hull: Array, points: Array) -> Array:
    """How far each point lies outside the hull, negative inside; infinite where there is no hull."""
    normals, offsets = half_planes(hull)
    if not len(offsets):
        return np.full(len(points), np.inf)
    # one row for each side: the greatest over few long rows is five times faster than over many short ones
    return np.asarray((normals.T @ points.T - offsets[:, np.newaxis]).max(axis=0), np.float64)


def _fill(
    points: Array, angles: Array, weights: Array, hull: Array
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Bits (n, N_S, N_D, N_S), valid cells (n, N_S, N_S), and which cylinders are valid (section 3.1).

    The spatial Gaussian is a product of one along the minutia's direction and one across it, so that all cells of
    all cylinders are one batch of matrix products instead of n * CELLS * n exponentials.
    """
    n = len(points)
    if not len(hull):
        return np.zeros((n, N_S, N_D, N_S), bool), np.zeros((n, N_S, N_S), bool), np.zeros(n, bool)
    cosine, sine = np.cos(angles)[:, np.newaxis], np.sin(angles)[:, np.newaxis]
    dx = points[:, 0] - points[:, :1]
    dy = points[:, 1] - points[:, 1:]
    near = dx * dx + dy * dy <= (R + 3 * SIGMA_S) ** 2
    np.fill_diagonal(near, False)
    # a third of all minutiae are near: each row keeps as many columns as the most crowded needs, near ones first
    beside = np.argsort(~near, axis=1, kind="stable")[:, : int(near.sum(axis=1).max())]
    counts = np.where(np.take_along_axis(near, beside, 1), weights[beside], 0) / (SIGMA_S * math.sqrt(2 * math.pi))
    dx, dy = np.take_along_axis(dx, beside, 1), np.take_along_axis(dy, beside, 1)
    along = (cosine * dx + sine * dy).astype(_SINGLE)
    across = (cosine * dy - sine * dx).astype(_SINGLE)

    gauss_along = np.exp(-_SPREAD * (along[:, :, np.newaxis] - _AXIS) ** 2) * counts.astype(_SINGLE)[:, :, np.newaxis]
    gauss_across = np.exp(-_SPREAD * (across[:, :, np.newaxis] - _AXIS) ** 2)
    turn = (angles[:, np.newaxis] - angles[beside]).astype(_SINGLE)
    directional = _DIRECTIONAL[np.rint((_SECTIONS - turn[:, :, np.newaxis]) * _STEPS_PER_RAD).astype(np.intp) % _STEPS]
    # the axis of 16 last: multiplied 16 at a time, and the corners' 48 cells cost less than leaving them out
    upright = (directional[:, :, :, np.newaxis] * gauss_across[:, :, np.newaxis, :]).reshape(n, -1, N_D * N_S)
    contributions = (gauss_along.transpose(0, 2, 1) @ upright).reshape(n, N_S, N_D, N_S)

    valid = _within(points, cosine, sine, hull) & _CIRCLE
    enough = (valid.sum(axis=(1, 2)) >= MIN_VC * CELLS) & (near @ weights >= MIN_M * FULL_AND_LIGHT)
    return (contributions >= MU_PSI) & valid[:, :, np.newaxis, :], valid, enough


def _within(points: Array, cosine: Array, sine: Array, hull: Array) -> NDArray[np.bool_]:
    """(n, N_S, N_S) cells not further than Ω outside the hull: each side's distance is a slope along and one across."""
    normals, offsets = half_planes(hull)
    here = points @ normals - offsets - OMEGA
    rim = here.max(axis=1) > -R  # elsewhere the whole circle lies within
    up = (cosine[rim] * normals[0] + sine[rim] * normals[1]).astype(_SINGLE)[:, :, np.newaxis] * _AXIS
    sideways = (cosine[rim] * normals[1] - sine[rim] * normals[0]).astype(_SINGLE)[:, :, np.newaxis] * _AXIS
    up += here[rim].astype(_SINGLE)[:, :, np.newaxis]
    valid = np.ones((len(points), N_S, N_S), bool)
    valid[rim] = (up[:, :, :, np.newaxis] + sideways[:, :, np.newaxis, :]).max(axis=1) <= 0
    return valid
