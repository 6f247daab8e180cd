"""The default extractor: LEADER's network finds the minutiae, onnxruntime runs it on one thread."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from numpy.typing import NDArray

from biometrics.fingerprint import leader_weights
from biometrics.fingerprint.engine import Extraction
from biometrics.fingerprint.image import FingerImage, window_around, working_image
from biometrics.fingerprint.minutiae import Minutiae, MinutiaKind
from biometrics.fingerprint.quality import judge
from biometrics.fingerprint.ridges import CELL_PX, RidgeMaps, ridge_maps

FLOOR: Final = 0.3
"""Certainty from which a minutia is handed out; LEADER's own default is 0.6. A matcher weighs or cuts higher."""

MAX_MINUTIAE: Final = 255  # what one view of ISO/IEC 19794-2 can count; a finger has about 80
SUPPRESSION_PX: Final = 7  # side of the window in which only the strongest stands: LEADER's own

STRIDE: Final = 32  # the network halves five times
MARGIN_PX: Final = 24  # around the finger: twice the reach of the attention's widest kernel
MAX_SIDE_PX: Final = 640  # 32 mm: a large thumb laid flat; memory grows with the square
_PATCH: Final = 9  # leader_graph.PATCH, without loading onnx


class LeaderExtractor:
    """Loads 4 MB of weights; make one per worker and keep it. Not for several threads at once."""

    id = "leader-1"

    def __init__(self, cache: Path | None = None) -> None:
        graphs = leader_weights.graphs(cache)
        self._trunk = _session(graphs["trunk"])
        self._heads = _session(graphs["heads"])

    @property
    def version(self) -> str:
        """Version of the library that runs the network."""
        return f"onnxruntime {ort.__version__}"

    @property
    def sha256(self) -> Mapping[str, str]:
        """Hash of the weight file by its name."""
        return {leader_weights.FILE: leader_weights.SHA256}

    def extract(self, image: FingerImage, *, dpi: float) -> Extraction:
        """Minutiae from `FLOOR` up, quality and ridge maps at 500 dpi; none of the first without a finger.

        Raises:
            FingerImageError: The picture cannot be one of a finger: its shape, its size or its dpi.
        """
        working = working_image(image, dpi=dpi)
        maps = ridge_maps(working)
        minutiae = self._find(working, maps)
        return Extraction(minutiae=minutiae, quality=judge(working, maps, minutiae), maps=maps)

    def _find(self, working: FingerImage, maps: RidgeMaps) -> Minutiae:
        """Minutiae of the foreground."""
        height, width = working.shape
        if not maps.foreground.any():
            return Minutiae.none(width_px=width, height_px=height)
        window = window_around(
            maps.foreground, cell_px=CELL_PX, margin_px=MARGIN_PX, max_side_px=MAX_SIDE_PX, size=(width, height)
        )
        padded, left, top = _padded(window.cut(working))
        points, kind, certainty = self.run(padded)
        points[:, 0] += window.left - left
        points[:, 1] += window.top - top
        cells = np.clip(np.rint(points[:, :2]), 0, (width - 1, height - 1)).astype(np.intp) // CELL_PX
        inside = maps.foreground[cells[:, 1], cells[:, 0]]
        return Minutiae.of(
            points[inside], kind=kind[inside], quality=certainty[inside], width_px=width, height_px=height
        ).best(MAX_MINUTIAE)

    def run(self, padded: FingerImage) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.float32]]:
        """What the network sees in a picture whose sides are multiples of `STRIDE`.

        Returns:
            Points (n, 3): x, y between pixels, angle; kinds; certainties. Rounded to pixels, the points are pyfing's.
        """
        grey = padded.astype(np.float32)[np.newaxis, np.newaxis]
        certainty, features = self._trunk.run(["certainty", "features"], {"image": grey})
        field = certainty[0, 0]
        peaks = (field >= FLOOR) & (field == cv2.dilate(field, np.ones((SUPPRESSION_PX, SUPPRESSION_PX), np.uint8)))
        ys, xs = np.nonzero(peaks)
        if not len(xs):
            return np.zeros((0, 3)), np.zeros(0, np.uint8), np.zeros(0, np.float32)
        rim = _PATCH // 2
        around = np.pad(features[0], ((0, 0), (rim, rim), (rim, rim)))
        windows = np.lib.stride_tricks.sliding_window_view(around, (_PATCH, _PATCH), axis=(1, 2))
        patches = np.ascontiguousarray(windows[:, ys // 2, xs // 2].transpose(1, 0, 2, 3))
        direction, ending = self._heads.run(["direction", "ending"], {"patches": patches})
        each = np.arange(len(xs))
        cosine, sine = direction[each, 0, ys % 2, xs % 2], direction[each, 1, ys % 2, xs % 2]
        is_ending = ending[each, 0, ys % 2, xs % 2] >= 0.5  # pyfing's type_threshold
        kind = np.where(is_ending, MinutiaKind.ENDING, MinutiaKind.BIFURCATION).astype(np.uint8)
        points = np.stack((xs + _offset(field, ys, xs, axis=1), ys + _offset(field, ys, xs, axis=0)), axis=1)
        return np.column_stack((points, np.arctan2(sine, cosine))), kind, field[ys, xs]


def _session(graph: bytes) -> ort.InferenceSession:
    """One thread: a second one costs 45 to 85 % more CPU for the same picture (research notes, section 3)."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _padded(image: FingerImage) -> tuple[FingerImage, int, int]:
    """In the middle of sides that are multiples of `STRIDE`, with the columns and rows added left and above.

    The rim has the colour of the empty glass, the brighter end of what is there, not of a ridge cut by the edge.
    """
    height, width = image.shape
    across, down = -width % STRIDE, -height % STRIDE
    left, top = across // 2, down // 2
    rim = np.concatenate((image[0], image[-1], image[:, 0], image[:, -1]))
    padded = cv2.copyMakeBorder(
        image, top, down - top, left, across - left, cv2.BORDER_CONSTANT, value=float(np.percentile(rim, 75))
    )
    return np.asarray(padded, np.uint8), left, top


def _offset(
    field: NDArray[np.float32], ys: NDArray[np.intp], xs: NDArray[np.intp], *, axis: int
) -> NDArray[np.float64]:
    """From a peak's pixel to the top of the parabola through it and its neighbours, within half a pixel."""
    size = field.shape[axis]
    at = (ys, xs)[axis]
    before, after = np.maximum(at - 1, 0), np.minimum(at + 1, size - 1)
    low, high = (field[before, xs], field[after, xs]) if axis == 0 else (field[ys, before], field[ys, after])
    peak = field[ys, xs]
    bend = (2.0 * peak - low - high).astype(np.float64)
    return np.asarray(np.clip(0.5 * (high - low) / np.maximum(bend, 1e-9), -0.49, 0.49))
