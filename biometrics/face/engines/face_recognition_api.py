"""`face_recognition` itself as an engine: for whoever moves over from it, and the oracle of our tests and figures.

Seven times the default's detection cost and ten times its embedding's. Its import is watched: where pkg_resources is
gone (setuptools 82) it prints a wrong piece of advice and calls quit(), which would end the server.
"""

import contextlib
import importlib
import io
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from types import ModuleType
from typing import Final

import cv2
import dlib
import numpy as np
from PIL import ImageFile

from biometrics.errors import LibraryMissingError
from biometrics.face.engine import Chip, Embedding, FaceBox, Landmarks, Metric, Picture
from biometrics.face.engines.dlib_onnx import ENGINE_ID
from biometrics.face.engines.dlib_shapes import CHIP_PADDING, CHIP_PX
from biometrics.face.models import EMBEDDER, LANDMARKS_5, MODELS, locate

HOW_TO_GET: Final = (
    "pip install --no-deps face_recognition face_recognition_models; pip install dlib-bin 'setuptools<82'"
)

FEATURES: Final = (
    ("chin", range(17)),
    ("left_eyebrow", range(17, 22)),
    ("right_eyebrow", range(22, 27)),
    ("nose_bridge", range(27, 31)),
    ("nose_tip", range(31, 36)),
    ("left_eye", range(36, 42)),
    ("right_eye", range(42, 48)),
    ("top_lip", (*range(48, 55), *range(64, 59, -1))),
    ("bottom_lip", (*range(54, 60), 48, 60, *range(67, 63, -1))),
)
"""Which of the 68 points its `face_landmarks` puts under which name (face_recognition 1.3.0, api.py)."""


def import_face_recognition() -> ModuleType:
    """The package, or the true reason why it cannot be had.

    Raises:
        LibraryMissingError: It, its models, dlib or pkg_resources is missing.
    """
    tolerates_torn_pictures = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")  # pkg_resources is deprecated, which is not ours to mend
            return importlib.import_module("face_recognition")
    except ImportError as error:
        raise LibraryMissingError(f"face_recognition cannot be loaded ({error}): {HOW_TO_GET}") from error
    except SystemExit as error:
        raise LibraryMissingError(f"face_recognition gave up ({_true_cause()}): {HOW_TO_GET}") from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = tolerates_torn_pictures  # its import lets all of Pillow pass torn pictures


def _true_cause() -> str:
    """What it swallowed: it takes every failure to import its models for their absence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("face_recognition_models")
    except ImportError as error:
        return str(error)
    return "no reason given"


class FaceRecognitionEngine:
    """face_recognition's functions with their defaults, behind our interface.

    Raises:
        LibraryMissingError: See `import_face_recognition`.
        ModelError: Its weight files are not the ones measured with.
    """

    def __init__(self, *, calibration: str | None = None) -> None:
        self.calibration: Final = calibration
        self._package = import_face_recognition()
        self._api = self._package.api
        for model in MODELS:
            locate(model)

    @property
    def id(self) -> str:
        """The default engine's: network and alignment are the same, embeddings within 2e-6."""
        return ENGINE_ID

    @property
    def version(self) -> str:
        """Versions of the package and of dlib."""
        return f"face_recognition {version('face_recognition')}, dlib {dlib.__version__}"

    @property
    def sha256(self) -> Mapping[str, str]:
        """Hash of the network's and the alignment's file."""
        return {model.name: model.sha256 for model in (EMBEDDER, LANDMARKS_5)}

    @property
    def metric(self) -> Metric:
        """Euclidean."""
        return Metric.EUCLIDEAN

    def detect(self, picture: Picture, *, near: FaceBox | None = None) -> tuple[FaceBox, ...]:
        """Faces, largest first. It knows no faint ones, so `near` changes nothing."""
        found = self._api.face_locations(_red_green_blue(picture))
        boxes = [FaceBox(left, top, right, bottom) for top, right, bottom, left in found]
        return tuple(sorted(boxes, key=lambda box: box.width, reverse=True))

    def track(self, picture: Picture, near: FaceBox) -> FaceBox | None:
        """The face beside its last place, at the price of a detection."""
        return next((box for box in self.detect(picture) if box.is_beside(near)), None)

    def landmarks(self, picture: Picture, box: FaceBox) -> Landmarks:
        """The 68 points of the face in the box."""
        named = self._api.face_landmarks(_red_green_blue(picture), [_location(box)])[0]
        points = np.zeros((68, 2))
        for name, places in FEATURES:
            points[list(places)] = named[name]
        return points

    def inter_eye_px(self, picture: Picture, box: FaceBox) -> float:
        """Distance between the eyes of the face in the box."""
        eyes = self.landmarks(picture, box)
        return float(np.hypot(*(eyes[36:42].mean(axis=0) - eyes[42:48].mean(axis=0))))

    def align(self, picture: Picture, box: FaceBox) -> Chip:
        """What its `face_encodings` hands to the network."""
        colours = _red_green_blue(picture)
        shape = self._api.pose_predictor_5_point(colours, dlib.rectangle(box.left, box.top, box.right, box.bottom))
        return np.asarray(dlib.get_face_chip(colours, shape, CHIP_PX, CHIP_PADDING), dtype=np.uint8)

    def embed(self, chip: Chip) -> Embedding:
        """The vector of an aligned face; 80 ms."""
        return np.asarray(self._api.face_encoder.compute_face_descriptor(chip), dtype=np.float64)

    def embed_many(self, chips: Sequence[Chip]) -> tuple[Embedding, ...]:
        """One after the other: dlib-bin gains nothing from several."""
        return tuple(self.embed(chip) for chip in chips)

    def encode(self, picture: Picture, box: FaceBox) -> Embedding:
        """Its own `face_encodings` of the face in the box: what other engines are held against."""
        return np.asarray(self._api.face_encodings(_red_green_blue(picture), [_location(box)])[0], dtype=np.float64)


def _red_green_blue(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def _location(box: FaceBox) -> tuple[int, int, int, int]:
    return box.top, box.right, box.bottom, box.left
