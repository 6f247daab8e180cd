"""What a finger costs: run as a process of its own, so that memory is the engine's and nobody else's.

`python -m biometrics.evaluation.fingerprint_speed` prints one JSON object. The finger is drawn, nobody's: ridges with
phase spirals at given points are ridges that end there (Larkin and Fletcher, Optics Express 15(14), 2007).
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from biometrics.fingerprint.cylinders import Cylinders
from biometrics.fingerprint.image import FingerImage
from biometrics.fingerprint.leader import LeaderExtractor
from biometrics.fingerprint.match import compare

WIDTH, HEIGHT = 388, 374  # FVC2002 DB1's scanner
RIDGE_PX: Final = 9.0
ENDINGS: Final = 45
REPEATS: Final = 7
PAIRS: Final = 40


def drawn_finger(seed: int) -> FingerImage:
    """An oval of ridges around a core, with `ENDINGS` places where one ends."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
    x, y = x - WIDTH / 2, y - HEIGHT / 2
    phase = 2 * np.pi * np.hypot(x + 10 * np.sin(y / 50), 0.8 * y + 40) / RIDGE_PX
    for _ in range(ENDINGS):
        angle, far = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 1))
        phase += rng.choice((-1, 1)) * np.arctan2(y - 150 * far * np.sin(angle), x - 125 * far * np.cos(angle))
    touched = 1 / (1 + np.exp(12 * ((x / 140) ** 2 + (y / 170) ** 2 - 1)))
    grey = 235 - touched * (90 + 85 * np.cos(phase)) + rng.normal(0, 6, x.shape)
    return np.asarray(np.clip(grey, 0, 255), np.uint8)


def measure() -> dict[str, float | int]:
    """CPU milliseconds of this one process, medians, and its greatest memory."""
    started = time.process_time()
    extractor = LeaderExtractor()
    loaded_s = time.process_time() - started
    fingers = [drawn_finger(seed) for seed in range(2)]
    found = [extractor.extract(finger, dpi=500).minutiae for finger in fingers]
    extract_s = [_cpu_s(lambda: extractor.extract(fingers[0], dpi=500)) for _ in range(REPEATS)]
    made = [Cylinders.of(minutiae) for minutiae in found]
    cylinders_s = [_cpu_s(lambda: Cylinders.of(found[0])) for _ in range(PAIRS)]
    compare_s = [_cpu_s(lambda: compare(made[0], made[1])) for _ in range(PAIRS)]
    cylinders, comparison = statistics.median(cylinders_s), statistics.median(compare_s)
    return {
        "extract_ms": 1000 * statistics.median(extract_s),
        "match_ms": 1000 * (2 * cylinders + comparison),
        "cylinders_ms": 1000 * cylinders,
        "comparison_ms": 1000 * comparison,
        "minutiae": len(found[0]),
        "width_px": WIDTH,
        "height_px": HEIGHT,
        "load_ms": 1000 * loaded_s,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _cpu_s(work: Callable[[], object]) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


if __name__ == "__main__":
    json.dump(measure(), sys.stdout)
