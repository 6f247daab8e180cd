"""YuNet, a small network that finds faces and five points of each; the operator supplies its file.

It sees half profiles that dlib's detector loses, at a third of the cost. Its box is turned into one that lies as
dlib's would, because the landmarks start from it: of 140 faces the embeddings then differ by 0.027 on average, as much
as when dlib's own box is moved by 4 %, and distances between strangers stay the same (0.8306 and 0.8299 on average,
as many under every threshold within one). So figures measured with dlib's detector hold.
"""

import hashlib
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.errors import ModelError
from biometrics.face.engine import FaceBox, Picture
from biometrics.face.engines.align import FivePoints

KNOWN: Final = {
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4": "yunet_s",  # OpenCV Zoo's 2023mar
    "25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31": "yunet_n",
}
"""Files measured with (Apache-2.0, github.com/ShiqiYu/libfacedetection.train); others come with a manifest's hash."""

WIDTH_PX: Final = 320  # 2.7 ms; faces down to 1/16 of the picture's width are found
TRACKED_SIDE_PX: Final = 160  # 1.1 ms
TRACKED_REACH: Final = 2.0  # side of the square looked at, in widths of the last face

CERTAIN: Final = 0.75
FAINT: Final = 0.5
"""Score accepted only beside the last known face; 140 straight faces have 0.91 to 0.94."""

OVERLAP: Final = 0.3  # boxes that share more are one face (the detector's own default)
MOST_FACES: Final = 50

SIDE_PER_SPAN: Final = 1.672
"""Side of dlib's box over the hypotenuse of the distances eye to eye and eyes to mouth: mean of 140 faces (sd 10 %,
since dlib's boxes come in steps of 1.2)."""


class YunetDetector:
    """Two sizes of one network: the whole picture, and the square around a known face.

    Raises:
        ModelError: The file is absent, or another one than `sha256` (None: than those in `KNOWN`).
    """

    def __init__(self, path: Path, sha256: str | None = None) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"the face detector's file {path.name} cannot be read: {error.strerror}") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest not in ({sha256} if sha256 else KNOWN):
            raise ModelError(f"{path.name} has SHA-256 {digest}, which is no face detector that was measured or named")
        self.name = KNOWN.get(digest, f"yunet {digest[:8]}")
        self._whole = _load(content)
        self._around = _load(content)
        self._around.setInputSize((TRACKED_SIDE_PX, TRACKED_SIDE_PX))

    def detect(self, picture: Picture, near: FaceBox | None) -> tuple[FaceBox, ...]:
        """Faces, largest first; see `FaceEngine.detect`."""
        scale = min(1.0, WIDTH_PX / picture.shape[1])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        self._whole.setInputSize((small.shape[1], small.shape[0]))
        found = _faces(self._whole.detect(small)[1], scale, 0, 0)
        certain = [box for score, box, _ in found if score >= CERTAIN]
        faint = [box for _, box, _ in found if near is not None and box.is_beside(near)][:1]
        return tuple(sorted(certain or faint, key=lambda box: box.width, reverse=True))

    def track(self, picture: Picture, near: FaceBox) -> FaceBox | None:
        """The face around its last place; see `FaceEngine.track`."""
        found = self._look_around(picture, near)
        return found[1] if found else None

    def five_points(self, picture: Picture, box: FaceBox) -> FivePoints | None:
        """Eyes, nose and mouth of the face in the box; None where on a closer look there is none."""
        found = self._look_around(picture, box)
        return found[2] if found else None

    def _look_around(self, picture: Picture, near: FaceBox) -> "tuple[float, FaceBox, FivePoints] | None":
        side = TRACKED_REACH * max(near.width, 1)
        x, y = near.centre
        scale = TRACKED_SIDE_PX / side
        # what lies beyond the picture's edge is black, so that the square keeps its size
        place = np.array([[scale, 0, -scale * (x - side / 2)], [0, scale, -scale * (y - side / 2)]])
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        square = cv2.warpAffine(picture, place, (TRACKED_SIDE_PX, TRACKED_SIDE_PX), flags=interpolation)
        found = _faces(self._around.detect(square)[1], scale, x - side / 2, y - side / 2)
        return next((face for face in found if face[1].is_beside(near)), None)


def _load(content: bytes) -> "cv2.FaceDetectorYN":
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # OpenCV 5 warns of a target that is the default
    try:
        return cv2.FaceDetectorYN.create(
            "onnx",
            np.frombuffer(content, np.uint8),
            np.array([], np.uint8),
            (WIDTH_PX, WIDTH_PX),
            FAINT,
            OVERLAP,
            MOST_FACES,
        )
    except cv2.error as error:
        raise ModelError(f"OpenCV cannot load the face detector: {error.func}") from error
    finally:
        cv2.utils.logging.setLogLevel(level)


def _faces(
    rows: "NDArray[np.float32] | None", scale: float, left: float, top: float
) -> list[tuple[float, FaceBox, FivePoints]]:
    """Score, box and points in pixels of the whole picture, the surest first."""
    found = []
    for row in [] if rows is None else rows:
        points = row[4:14].reshape(5, 2).astype(np.float64) / scale + (left, top)
        if np.isfinite(points).all():
            found.append((float(row[14]), _box_of(points), points))
    return sorted(found, key=lambda face: face[0], reverse=True)


def _box_of(points: FivePoints) -> FaceBox:
    """The box dlib's detector would draw: as far around the middle of eyes and mouth."""
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    span = np.hypot(*(points[1] - points[0])), np.hypot(*(mouth - eyes))
    half = SIDE_PER_SPAN * float(np.hypot(*span)) / 2
    x, y = (eyes + mouth) / 2
    return FaceBox(round(x - half), round(y - half), round(x + half), round(y + half))
