"""The default engine: dlib's detector and landmarks, and dlib's face network run as ONNX."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import dlib
import numpy as np

from biometrics.face.engine import Chip, Embedding, FaceBox, Landmarks, Metric, Picture
from biometrics.face.engines.dlib_shapes import DlibShapes
from biometrics.face.engines.graph_cache import resnet_graph
from biometrics.face.engines.hog import HogDetector
from biometrics.face.engines.network import MOST_AT_ONCE, load_network
from biometrics.face.models import EMBEDDER, LANDMARKS_5

ENGINE_ID: Final = "dlib-resnet-v1/sp5"


class Detector(Protocol):
    """Finds faces; a box is square and lies as dlib's does, because landmarks start from it."""

    @property
    def name(self) -> str:
        """As a person would look for it."""

    def detect(self, picture: Picture, near: FaceBox | None) -> tuple[FaceBox, ...]:
        """See `FaceEngine.detect`."""

    def track(self, picture: Picture, near: FaceBox) -> FaceBox | None:
        """See `FaceEngine.track`."""


class DlibOnnxEngine:
    """Loads 110 MB of landmarks (under a second); make one per worker and keep it.

    Args:
        detector: dlib's own unless given.
        calibration: Text of the operator's calibration file.
        with_68: False leaves out the landmark file of doubtful licence; `landmarks` then raises.
        runtime: `onnxruntime`, or `opencv` which is also taken where the former is not installed.

    Raises:
        ModelError: A weight file is missing or not the one measured with.
    """

    def __init__(
        self,
        *,
        detector: Detector | None = None,
        calibration: str | None = None,
        with_68: bool = True,
        runtime: str = "onnxruntime",
    ) -> None:
        self._detector = detector or HogDetector()
        self._shapes = DlibShapes(with_68=with_68)
        self._network = load_network(resnet_graph(), prefer=runtime)
        self._calibration = calibration

    @property
    def id(self) -> str:
        """As of dlib itself: its embeddings are these within 2e-6, so figures measured with either hold for both.

        The detector is no part of it: see `yunet` for what another box changes.
        """
        return ENGINE_ID

    @property
    def version(self) -> str:
        """Versions of dlib and of what runs the network, and the detector."""
        return f"dlib {dlib.__version__}, {self._network.runtime}, {self._detector.name}"

    @property
    def sha256(self) -> Mapping[str, str]:
        """dlib's files as they come; what was made of the first is pinned in `graph_cache`."""
        return {model.name: model.sha256 for model in (EMBEDDER, LANDMARKS_5)}

    @property
    def metric(self) -> Metric:
        """Euclidean."""
        return Metric.EUCLIDEAN

    @property
    def calibration(self) -> str | None:
        """The operator's calibration file; see `FaceEngine.calibration`."""
        return self._calibration

    def detect(self, picture: Picture, *, near: FaceBox | None = None) -> tuple[FaceBox, ...]:
        """Faces, largest first; see `FaceEngine.detect`."""
        return self._detector.detect(picture, near)

    def track(self, picture: Picture, near: FaceBox) -> FaceBox | None:
        """The face around its last place; see `FaceEngine.track`."""
        return self._detector.track(picture, near)

    def landmarks(self, picture: Picture, box: FaceBox) -> Landmarks:
        """The 68 points of the face in the box."""
        return self._shapes.landmarks(picture, box)

    def inter_eye_px(self, picture: Picture, box: FaceBox) -> float:
        """Distance between the eyes of the face in the box, from five points."""
        return self._shapes.inter_eye_px(picture, box)

    def align(self, picture: Picture, box: FaceBox) -> Chip:
        """The face in the box, upright, 150 x 150, red-green-blue."""
        return self._shapes.chip(picture, box)

    def embed(self, chip: Chip) -> Embedding:
        """The vector of an aligned face; 4 ms where dlib takes 80."""
        return self.embed_many([chip])[0]

    def embed_many(self, chips: Sequence[Chip]) -> tuple[Embedding, ...]:
        """The vectors of several aligned faces."""
        embeddings: list[Embedding] = []
        for start in range(0, len(chips), MOST_AT_ONCE):
            stacked = np.stack(chips[start : start + MOST_AT_ONCE]).transpose(0, 3, 1, 2)
            embeddings += list(self._network.run(stacked.astype(np.float32)).astype(np.float64))
        return tuple(embeddings)
