"""A customer for test browsers: a photograph becomes a person who reacts to what the page asks."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from biometrics.face.engine import FaceEngine, Picture
from biometrics.face.engines import open_engine
from hardware_drivers.camera.simulated_person import Mode, init_script

FACE_PX = 185  # width of the detector's box in the 640 px frame: somebody at arm's length of a desk camera
FACE_CENTRE = (320, 232)


@cache
def face_engine() -> FaceEngine:
    """One engine for the whole test run: it holds 110 MB."""
    return open_engine()


def read_picture(path: Path) -> Picture:
    """The picture in OpenCV's order; fails the test when it is none."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None, path.name
    return np.asarray(picture, dtype=np.uint8)


def head_and_shoulders(picture: Picture) -> Picture:
    """640 x 480, the face where a webcam has it; what lies beyond the photograph's edge is a blur."""
    scale = 640 / max(picture.shape[:2])
    small = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    box = face_engine().detect(small)[0]
    zoom = FACE_PX / (box.width / scale)
    x, y = box.centre[0] / scale * zoom, box.centre[1] / scale * zoom
    place = np.array([[zoom, 0, FACE_CENTRE[0] - x], [0, zoom, FACE_CENTRE[1] - y]])
    size = (640, 480)
    mirrored = cv2.warpAffine(picture, place, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101)
    covered = cv2.warpAffine(np.ones(picture.shape[:2], np.uint8), place, size, flags=cv2.INTER_NEAREST)
    # mirrored alone would put half a second head into the room
    blurred = cv2.GaussianBlur(mirrored, (0, 0), 30)
    share = cv2.GaussianBlur(covered.astype(np.float64), (0, 0), 10)[..., None]
    return np.asarray(share * mirrored + (1 - share) * blurred, dtype=np.uint8)


def customer_script(photo_path: Path, mode: str = "reacts", *, other_path: Path | None = None) -> str:
    """What `context.add_init_script` wants; `mode` is one of `hardware_drivers.camera.simulated_person.Mode`."""
    frame = head_and_shoulders(read_picture(photo_path))
    other = b"" if other_path is None else _jpeg(head_and_shoulders(read_picture(other_path)))
    box = face_engine().detect(frame)[0]
    points = [(float(x), float(y)) for x, y in face_engine().landmarks(frame, box)]
    return init_script(_jpeg(frame), points, Mode(mode), other_jpeg=other)


def _jpeg(frame: Picture) -> bytes:
    return cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
