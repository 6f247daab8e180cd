"""Where the finger touched and which way its ridges run, by the gradients of the picture."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.fingerprint.image import FingerImage

CELL_PX: Final = 8
"""Side of a cell of the maps, in pixels at 500 dpi: just under one ridge period."""

NEIGHBOURHOOD_CELLS: Final = 1.2  # σ of the average; ±2.4 cells hold about four ridge periods
RIPPLE_PX: Final = 6.0  # σ above which brightness is the lamp's or the skin's, not a ridge's
MIN_CONTRAST: Final = 3.0  # grey levels of ripple; beside the finger, FVC sensors show up to 2, the thermal one 5
RELATIVE_CONTRAST: Final = 0.2  # of the strongest tenth: separates a faint shadow of grease from a firm print
MIN_COHERENCE: Final = 0.18  # white noise passes it in scattered cells only, which never make a patch of 20 mm²
CORE_CELLS: Final = 0.3  # share of agreeing neighbours below which a cell is fringe

Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class RidgeMaps:
    """What lies between the minutiae, one value per cell of `CELL_PX` pixels, in the frame of the minutiae."""

    foreground: NDArray[np.bool_]
    """(rows, columns): the finger touched here."""

    orientation_rad: Map
    """(rows, columns), [0, π), counter-clockwise from the x axis: along the ridge. Noise outside the foreground."""

    coherence: Map
    """(rows, columns), 0 to 1: how much the gradients around agree on one orientation."""

    ripple: Map
    """(rows, columns): how far ridges and valleys depart from the grey around them, root mean square, 0 to 128."""

    brightness: Map
    """(rows, columns): mean grey level around, 0 to 255."""


def ridge_maps(image: FingerImage) -> RidgeMaps:
    """The maps of a picture at 500 dpi.

    Source: the averaged squared gradient of Bazen and Gerez, 2002.
    """
    height, width = image.shape
    below, right = -height % CELL_PX, -width % CELL_PX
    grey = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE).astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (5, 5), 1.0)
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    cos2 = _around(gx * gx - gy * gy)
    sin2 = _around(-2 * gx * gy)  # minus: rows grow downwards, angles turn upwards
    energy = _around(gx * gx + gy * gy)
    brightness = _around(grey)
    waves = smooth - cv2.GaussianBlur(smooth, (0, 0), RIPPLE_PX)
    ripple = np.sqrt(_around(waves * waves))
    coherence = np.sqrt(cos2 * cos2 + sin2 * sin2) / np.maximum(energy, 1e-3)
    orientation = np.mod(0.5 * np.arctan2(sin2, cos2) + np.pi / 2, np.pi)
    return RidgeMaps(
        foreground=_touched(ripple.astype(np.float32), coherence.astype(np.float32)),
        orientation_rad=orientation.astype(np.float32),
        coherence=coherence.astype(np.float32),
        ripple=ripple.astype(np.float32),
        brightness=brightness.astype(np.float32),
    )


def _around(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean around each cell."""
    rows, columns = values.shape[0] // CELL_PX, values.shape[1] // CELL_PX
    cells = cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(cells, (0, 0), NEIGHBOURHOOD_CELLS), np.float32)


def _touched(ripple: Map, coherence: Map) -> NDArray[np.bool_]:
    """The one connected patch, without holes, of cells with ridge-like contrast."""
    strong = float(np.percentile(ripple, 90))
    likely = (ripple > max(MIN_CONTRAST, RELATIVE_CONTRAST * strong)) & (coherence > MIN_COHERENCE)
    support = cv2.boxFilter(likely.astype(np.float32), -1, (5, 5), borderType=cv2.BORDER_REPLICATE)
    mask = (support > CORE_CELLS).astype(np.uint8)
    count, labels, measured, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return np.zeros(mask.shape, np.bool_)
    largest = labels == 1 + int(np.argmax(measured[1:, cv2.CC_STAT_AREA]))
    outlines, _ = cv2.findContours(largest.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros(mask.shape, np.uint8), outlines, -1, 1, cv2.FILLED)
    return np.asarray(filled, np.bool_)
