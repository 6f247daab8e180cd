"""NIST's MINDTCT and Bozorth3 on the same pictures, through the package nbis-python where it installs."""

import importlib
from collections.abc import Callable
from typing import Any, Final

import cv2
import numpy as np

from biometrics.errors import EngineAbsentError
from biometrics.evaluation.finger_scores import PairScores, pair_scores
from biometrics.evaluation.finger_sets import FingerSet
from biometrics.fingerprint.image import working_image

LEAST_SCORE: Final = 1.0
"""Bozorth3 counts from 0; its distance is here 1 / (1 + score)."""


def nbis_peer() -> Callable[[FingerSet], PairScores]:
    """A peer for `evaluate_fingerprint`: about 25 ms for a picture and 2 ms for a comparison.

    Raises:
        EngineAbsentError: nbis-python is not installed, or not loadable (on Debian 12 only 0.1.9 is, with the
            system's libopencv-core406, -imgproc406, -ml406 and libtbb12).
    """
    try:
        nbis = importlib.import_module("nbis")  # optional, and its wheels fail on most systems
        settings = nbis.NbisExtractorSettings(
            min_quality=0.0, get_center=False, check_fingerprint=False, compute_nfiq2=False, ppi=500.0
        )
        extractor = nbis.new_nbis_extractor(settings)
    except (ImportError, OSError, AttributeError, TypeError) as error:
        raise EngineAbsentError(f"nbis-python is not usable here: {type(error).__name__}") from error

    def scores(fingers: FingerSet) -> PairScores:
        found: dict[tuple[int, int], Any] = {}
        for taken in fingers.taken:
            png = cv2.imencode(".png", working_image(taken.read(), dpi=fingers.dpi))[1]
            found[taken.finger, taken.impression] = extractor.extract_minutiae(np.asarray(png).tobytes())
        keys = sorted(found)
        rows = [(one, other) for index, one in enumerate(keys) for other in keys[index + 1 :]]
        return pair_scores(
            fingers.name, rows, [1 / (LEAST_SCORE + found[one].compare(found[other])) for one, other in rows]
        )

    return scores
