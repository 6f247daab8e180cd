"""MiniFASNet: how much like skin, and unlike paper or a screen, a face and its surroundings look. Operator-supplied.

Two small networks see the face with more and with less around it; their mean is the value. Source:
github.com/minivision-ai/Silent-Face-Anti-Spoofing (Apache-2.0), whose cropping and preprocessing these are.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from biometrics.errors import ModelError
from biometrics.face.engine import Landmarks, Picture
from biometrics.face.engines.ncnn_file import draw_ncnn
from biometrics.face.engines.network import Network, Numbers, load_network, read_checked
from biometrics.face.engines.passive_manifest import PassiveManifest, ViewPart, read_passive_manifest

SIDE_PX: Final = 80
CLASSES: Final = 3
LIVE_CLASS: Final = 1  # of print, live, replay (the project's README)
JAW_RIGHT, JAW_LEFT, CHIN = 0, 16, 8
BROWS: Final = slice(17, 27)
FOREHEAD: Final = 0.41
"""Of the way from brows to chin, how far above the brows a detector's box begins: so the box of 41 faces lies within
0.02 of YuNet's on average on every side, and the values' median is the same."""


@dataclass(frozen=True, slots=True)
class _View:
    network: Network
    surroundings: float


class Minifasnet:
    """The networks of a manifest, checked by hash and run; not for several threads at once.

    Raises:
        ManifestError: The manifest is absent or refused; the message names the field.
        ModelError: A file is absent, has another hash, or is no such network.
    """

    def __init__(self, manifest_path: Path) -> None:
        self.manifest: PassiveManifest = read_passive_manifest(manifest_path)
        self._views = [_load(manifest_path.parent, part) for part in self.manifest.views]

    @property
    def id(self) -> str:
        """Name and hash of all that its values hang on: a calibration names both."""
        return self.manifest.engine_id

    def live_share(self, picture: Picture, points: Landmarks) -> float:
        """0: surely a print or a screen, 1: surely skin; about 4 ms. Says little of a face turned more than 20°."""
        box = _box(points)
        shares = [
            float(view.network.run(_planes(picture, box, view.surroundings))[0, LIVE_CLASS]) for view in self._views
        ]
        return sum(shares) / len(shares)


def _load(folder: Path, part: ViewPart) -> _View:
    layers = read_checked(folder / part.layers, part.layers_sha256)
    weights = read_checked(folder / part.weights, part.weights_sha256)
    try:
        graph = draw_ncnn(layers.decode("ascii"), weights, channels=3, side_px=SIDE_PX)
    except UnicodeDecodeError as error:
        raise ModelError(f"{part.layers} is no list of layers") from error
    network = load_network(graph)
    made = network.run(np.full((1, 3, SIDE_PX, SIDE_PX), 127, np.float32))
    if made.shape != (1, CLASSES) or not np.isclose(made.sum(), 1, atol=1e-3):
        raise ModelError(f"{part.layers} makes {made.shape} of a face, not shares of {CLASSES} classes")
    return _View(network, part.surroundings)


def _box(points: Landmarks) -> tuple[float, float, float, float]:
    """Left, top, width and height from jaw to jaw and from the middle of the forehead to the chin."""
    brows, chin = float(points[BROWS, 1].mean()), float(points[CHIN, 1])
    height = max(1.0, (1 + FOREHEAD) * (chin - brows))
    width = max(1.0, float(points[JAW_LEFT, 0] - points[JAW_RIGHT, 0]))
    return float(points[JAW_RIGHT, 0]), chin - height, width, height


def _planes(picture: Picture, box: tuple[float, float, float, float], surroundings: float) -> Numbers:
    """The box grown about its middle, pushed back into the picture where it reaches out, as 1 x 3 x 80 x 80."""
    left, top, width, height = box
    rows, columns = picture.shape[:2]
    grown = min((rows - 1) / height, (columns - 1) / width, surroundings)
    x, x_end = _within(left + width / 2, grown * width, columns)
    y, y_end = _within(top + height / 2, grown * height, rows)
    small = cv2.resize(picture[y : y_end + 1, x : x_end + 1], (SIDE_PX, SIDE_PX))
    return np.asarray(small.transpose(2, 0, 1)[None], np.float32)


def _within(middle: float, length: float, end: int) -> tuple[int, int]:
    """First and last pixel of a stretch, moved inside 0 to end - 1."""
    first, last = middle - length / 2, middle + length / 2
    if first < 0:
        first, last = 0.0, last - first
    if last > end - 1:
        first, last = first - (last - end + 1), float(end - 1)
    return max(0, int(first)), int(last)
