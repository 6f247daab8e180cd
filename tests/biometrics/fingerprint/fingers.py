"""Minutiae of nobody, and what pressing a finger again does to them."""

import os
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.fingerprint.engine import Extraction
from biometrics.fingerprint.minutiae import Minutiae
from biometrics.fingerprint.quality import FingerAdvice, FingerQuality
from biometrics.fingerprint.ridges import ridge_maps

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("COUNTER_EVALUATION_DATA") or REPOSITORY / ".." / "shared" / "data") / "fingerprints"

SIDE_PX = 360


def finger(seed: int, count: int = 40) -> Minutiae:
    """Minutiae strewn at least a ridge or two apart over an ellipse."""
    rng = np.random.default_rng(seed)
    points: list[tuple[float, float]] = []
    while len(points) < count:
        x, y = rng.uniform(-130, 130), rng.uniform(-160, 160)
        if (x / 130) ** 2 + (y / 160) ** 2 < 1 and all((x - a) ** 2 + (y - b) ** 2 > 14**2 for a, b in points):
            points.append((x, y))
    at = np.array(points) + SIDE_PX / 2
    return minutiae(at[:, 0], at[:, 1], rng.uniform(0, 2 * np.pi, count), rng.uniform(0.5, 1, count))


def minutiae(
    x: NDArray[np.float64], y: NDArray[np.float64], angle: NDArray[np.float64], quality: NDArray[np.float64]
) -> Minutiae:
    """Minutiae of these columns, all endings."""
    points = np.column_stack((x, y, angle))
    kinds = np.ones(len(points), np.uint8)
    return Minutiae.of(points, kind=kinds, quality=quality, width_px=SIDE_PX, height_px=SIDE_PX)


def pressed_again(first: Minutiae, seed: int, *, turn_rad: float = 0.0, bend_px: float = 0.0) -> Minutiae:
    """Another impression: turned, moved, bent, a few minutiae lost and invented, all a little off."""
    rng = np.random.default_rng(seed)
    kept = rng.random(len(first)) > 0.15
    x = first.x_px[kept].astype(np.float64) - SIDE_PX / 2
    y = first.y_px[kept].astype(np.float64) - SIDE_PX / 2
    angle = first.angle_rad[kept].astype(np.float64) + rng.normal(0, 0.05, kept.sum())
    push = bend_px * np.sin((x + y) / 110)
    x, y = x + push + rng.normal(0, 1, len(x)), y - push + rng.normal(0, 1, len(y))
    # y points down and angles turn upwards: a turn by +a takes (x, y) to (x cos a + y sin a, y cos a - x sin a)
    cosine, sine = np.cos(turn_rad), np.sin(turn_rad)
    x, y = x * cosine + y * sine + rng.uniform(-20, 20), y * cosine - x * sine + rng.uniform(-20, 20)
    new = rng.uniform(-120, 120, (4, 2))
    return minutiae(
        np.concatenate((x, new[:, 0])) + SIDE_PX / 2,
        np.concatenate((y, new[:, 1])) + SIDE_PX / 2,
        np.concatenate((angle + turn_rad, rng.uniform(0, 6, 4))),
        np.concatenate((first.quality[kept].astype(np.float64), rng.uniform(0.3, 0.6, 4))),
    )


def extraction(found: Minutiae, *, score: int, good: bool) -> Extraction:
    """An impression of which only its quality matters."""
    quality = FingerQuality(
        score=score,
        advice=None if good else FingerAdvice.PRESS_MORE,
        area_mm2=100.0,
        contrast=0.5,
        coherence=0.5,
        minutiae=len(found),
        confidence=0.7,
    )
    return Extraction(found, quality, ridge_maps(np.full((64, 64), 255, np.uint8)))


def picture(data_set: str, name: str) -> NDArray[np.uint8]:
    """One impression of the evaluation data."""
    read = cv2.imread(str(DATA / data_set / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    assert read is not None
    return np.asarray(read, np.uint8)
