"""An operator's own network as an engine, by its manifest; it decides nothing without figures of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from biometrics.errors import ModelError
from biometrics.face.engine import Chip, Embedding, FaceBox, Landmarks, Metric, Picture
from biometrics.face.engines.align import FivePoints, cut_out, five_of
from biometrics.face.engines.dlib_shapes import DlibShapes
from biometrics.face.engines.hog import HogDetector
from biometrics.face.engines.manifest import Manifest, read_manifest
from biometrics.face.engines.network import MOST_AT_ONCE, Numbers, load_network, read_checked
from biometrics.face.engines.yunet import YunetDetector

__all__ = ["ManifestEngine", "read_manifest"]


class ManifestEngine:
    """The operator's network; boxes and points by their YuNet, or by dlib where they give none.

    Raises:
        ModelError: A file is absent, has another hash, or the network makes no vectors of the size it should.
    """

    def __init__(self, manifest: Manifest, folder: Path, *, calibration: str | None, with_68: bool = True) -> None:
        self._manifest = manifest
        self.calibration = calibration
        part = manifest.network
        self._network = load_network(read_checked(folder / part.file, part.sha256))
        self._yunet = None
        if manifest.detector is not None:
            self._yunet = YunetDetector(folder / manifest.detector.file, manifest.detector.sha256)
        self._detector = self._yunet or HogDetector()
        self._shapes = DlibShapes(with_68=with_68)
        self._template: FivePoints = np.array(part.template, np.float64)
        self._mean = np.array(part.mean, np.float32).reshape(3, 1, 1)
        self._scale = np.array(part.scale, np.float32).reshape(3, 1, 1)
        grey = np.full((part.side_px, part.side_px, 3), 127, np.uint8)
        made = self._run(np.stack([grey, grey]))
        if made.shape != (2, part.dimensions) or not np.isfinite(made).all():
            raise ModelError(f"{part.file} makes {made.shape} of two faces, its manifest says (2, {part.dimensions})")

    @property
    def id(self) -> str:
        """Name and hash of the network with all its settings."""
        return self._manifest.engine_id

    @property
    def version(self) -> str:
        """What runs it, and the detector."""
        return f"{self._network.runtime}, {self._detector.name}"

    @property
    def sha256(self) -> Mapping[str, str]:
        """Hash of the network's file."""
        return {self._manifest.network.file: self._manifest.network.sha256}

    @property
    def metric(self) -> Metric:
        """What the manifest says."""
        return self._manifest.metric

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
        """The face in the box at the template's place, as large as the manifest says."""
        points = self._yunet.five_points(picture, box) if self._yunet else None
        if points is None:  # lost on the closer look, or no YuNet
            points = five_of(self._shapes.landmarks(picture, box))
        return cut_out(picture, points, self._template, self._manifest.network.side_px)

    def embed(self, chip: Chip) -> Embedding:
        """The vector of an aligned face."""
        return self.embed_many([chip])[0]

    def embed_many(self, chips: Sequence[Chip]) -> tuple[Embedding, ...]:
        """The vectors of several, of length one where the metric is the angle."""
        embeddings: list[Embedding] = []
        for start in range(0, len(chips), MOST_AT_ONCE):
            made = self._run(np.stack(chips[start : start + MOST_AT_ONCE])).astype(np.float64)
            if self._manifest.metric is Metric.COSINE:
                made /= np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-12)
            embeddings += list(made)
        return tuple(embeddings)

    def _run(self, chips: Chip) -> Numbers:
        colours = chips if self._manifest.network.channels == "rgb" else chips[..., ::-1]
        planes = colours.transpose(0, 3, 1, 2).astype(np.float32)
        return self._network.run((planes - self._mean) * self._scale)
