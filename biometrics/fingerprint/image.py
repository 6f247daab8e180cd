"""The picture of one finger."""

import numpy as np
from numpy.typing import NDArray

FingerImage = NDArray[np.uint8]
"""(height, width) uint8, ridges dark on a light ground, one finger."""
