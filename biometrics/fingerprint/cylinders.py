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

from biometrics.fingerprint.minutiae import Minutiae, MinutiaKind

Array = NDArray[np.float64]
Bits = NDArray[np.uint64]
"""Cells packed 64 to a word, so that comparing two cylinders is 20 exclusive ors: the paper's reason for MCC16b."""

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
_GRID_X, _GRID_Y = (axis.astype(np.float64) for axis in np.meshgrid(_AXIS, _AXIS, indexing="ij"))
_INSIDE = (_GRID_X**2 + _GRID_Y**2) <= R * R
_CELL_X, _CELL_Y = _GRID_X[_INSIDE], _GRID_Y[_INSIDE]
CELLS: Final = int(_INSIDE.sum())
"""Cells of one section that lie in the circle: 208."""
WORDS: Final = -(-CELLS * N_D // 64)

_SECTIONS = -np.pi + (np.arange(N_D) + 0.5) * 2 * np.pi / N_D
_STEPS = 720  # half degrees: the contribution changes by less than 1 % of its peak between two
_HALF = math.pi / N_D
_DIRECTIONAL = np.array(
    [
        0.5 * (math.erf((t + _HALF) / (SIGMA_D * math.sqrt(2))) - math.erf((t - _HALF) / (SIGMA_D * math.sqrt(2))))
        for t in np.linspace(-math.pi, math.pi, _STEPS + 1)
    ],
    np.float32,
)
"""Equation 9 (the Gaussian's area over one section) by angle."""


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
    """(m, WORDS) c_m: cells with neighbours; clear where not valid."""
    valid: Bits
    """(m, WORDS) ĉ_m: cells within the hull."""

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
            bits=_packed(bits[owners]),
            valid=_packed(np.broadcast_to(valid[owners, :, np.newaxis], (len(owners), CELLS, N_D))),
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
    return angle - 2 * np.pi * np.round(angle / (2 * np.pi))


def convex_hull(points: Array) -> Array:
    """Corners around the points, (0, 2) when they span no area."""
    if len(points) < 3:
        return np.zeros((0, 2))
    corners = np.asarray(cv2.convexHull(points.astype(np.float32)), np.float64).reshape(-1, 2)
    return corners if len(corners) >= 3 else np.zeros((0, 2))


def beyond_hull(hull: Array, points: Array) -> Array:
    """How far each point lies outside the hull, negative inside; infinite where there is no hull."""
    edges = np.roll(hull, -1, axis=0) - hull
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    real = lengths > 1e-6
    if not real.any():
        return np.full(len(points), np.inf)
    normals = np.column_stack((edges[real, 1], -edges[real, 0])) / lengths[real, np.newaxis]
    offsets = (hull[real] * normals).sum(axis=1)[:, np.newaxis]
    outwards = 1.0 if (normals @ hull.mean(axis=0)).sum() < offsets.sum() else -1.0
    # one row for each edge: the greatest over few long rows is five times faster than over many short ones
    return np.asarray((outwards * (normals @ points.T - offsets)).max(axis=0), np.float64)


def _packed(cells: NDArray[np.bool_]) -> Bits:
    """(m, CELLS, N_D) as (m, WORDS)."""
    packed = np.zeros((len(cells), WORDS * 8), np.uint8)
    packed[:, : CELLS * N_D // 8] = np.packbits(cells.reshape(len(cells), CELLS * N_D), axis=1)
    return packed.view(np.uint64)


def _fill(
    points: Array, angles: Array, weights: Array, hull: Array
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Bits (n, CELLS, N_D), valid cells (n, CELLS), and which cylinders are valid (section 3.1).

    The spatial Gaussian is a product of one along the minutia's direction and one across it, so that all cells of
    all cylinders are one batch of matrix products instead of n * CELLS * n exponentials.
    """
    n = len(points)
    if not len(hull):
        return np.zeros((n, CELLS, N_D), bool), np.zeros((n, CELLS), bool), np.zeros(n, bool)
    cosine, sine = np.cos(angles)[:, np.newaxis], np.sin(angles)[:, np.newaxis]
    dx = points[np.newaxis, :, 0] - points[:, np.newaxis, 0]
    dy = points[np.newaxis, :, 1] - points[:, np.newaxis, 1]
    along = (cosine * dx + sine * dy).astype(np.float32)
    across = (-sine * dx + cosine * dy).astype(np.float32)
    near = along * along + across * across <= (R + 3 * SIGMA_S) ** 2
    np.fill_diagonal(near, False)

    spread = np.float32(1 / (2 * SIGMA_S**2))
    gauss_along = np.exp(-spread * (along[:, :, np.newaxis] - _AXIS) ** 2)
    gauss_along *= (near * weights / (SIGMA_S * math.sqrt(2 * math.pi))).astype(np.float32)[:, :, np.newaxis]
    gauss_across = np.exp(-spread * (across[:, :, np.newaxis] - _AXIS) ** 2)
    turn = angles[:, np.newaxis] - angles[np.newaxis]
    step = np.rint((wrap(_SECTIONS - turn[:, :, np.newaxis]) + np.pi) * (_STEPS / (2 * np.pi))).astype(np.intp)
    upright = (gauss_across[:, :, :, np.newaxis] * _DIRECTIONAL[step][:, :, np.newaxis, :]).reshape(n, n, N_S * N_D)
    contributions = (gauss_along.transpose(0, 2, 1) @ upright).reshape(n, N_S, N_S, N_D)[:, _INSIDE]

    valid = np.ones((n, CELLS), bool)
    rim = beyond_hull(hull, points) > OMEGA - R  # elsewhere the whole cylinder lies within
    x = points[rim, :1] + cosine[rim] * _CELL_X - sine[rim] * _CELL_Y
    y = points[rim, 1:] + sine[rim] * _CELL_X + cosine[rim] * _CELL_Y
    valid[rim] = (beyond_hull(hull, np.column_stack((x.ravel(), y.ravel()))) <= OMEGA).reshape(-1, CELLS)
    enough = (valid.mean(axis=1) >= MIN_VC) & (near @ weights >= MIN_M * FULL_AND_LIGHT)
    return (contributions >= MU_PSI) & valid[:, :, np.newaxis], valid, enough
