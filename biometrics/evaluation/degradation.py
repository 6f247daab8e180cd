"""What a webcam and a chip make of a good picture, so that still photographs can stand in for a visit.

Amounts come from the live column and the chip table of the research notes on faces, section 4. What this cannot
imitate: ageing, another day, real turning of the head, glasses put on. Misses counted on it are optimistic.
"""

import io
from typing import Final

import cv2
import numpy as np
from PIL import Image

from biometrics.errors import EvaluationDataError
from biometrics.face.engine import Landmarks, Picture
from biometrics.face.liveness.motion import pose_of

LIVE_INTER_EYE_PX: Final = 75.0
"""Somebody at arm's length from a 640 x 480 webcam: between the floor of 60 and ICAO's norm of 90."""

FRAME_PX: Final = 480  # the middle of such a frame; nothing beside it is ever looked at

CHIP_INTER_EYE_PX: Final = 60.0
CHIP_MAX_BYTES: Final = 8 * 1024
WIDTH_IN_EYE_DISTANCES: Final = 4.0  # ICAO 9303 portrait: the eyes lie a quarter of the width apart (ISO 19794-5)
HEIGHT_IN_EYE_DISTANCES: Final = 5.2  # 35 x 45 mm
EYES_FROM_TOP: Final = 0.45  # of the height: ISO 19794-5 allows 0.3 to 0.5


def camera_frame(picture: Picture, points: Landmarks, rng: np.random.Generator) -> Picture:
    """The picture as a webcam might have seen it: smaller, tilted, lit from a side, blurred, noisy, compressed.

    Args:
        picture: (height, width, 3) uint8, blue, green, red.
        points: Landmarks of the face in it, which set the scale.
        rng: Draws the amounts; the same seed gives the same frame.
    """
    scale = LIVE_INTER_EYE_PX / pose_of(points).inter_eye_px * rng.uniform(0.85, 1.2)
    x, y = points.mean(axis=0)
    turn = cv2.getRotationMatrix2D((float(x), float(y)), rng.uniform(-8, 8), scale)
    turn[:, 2] += np.array([FRAME_PX / 2 - x, FRAME_PX / 2 - y])  # the face comes to the middle
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    near = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale) if scale < 1 else picture  # before fewer pixels: no moire
    seen = cv2.warpAffine(near, turn, (FRAME_PX, FRAME_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.GaussianBlur(seen, (0, 0), rng.uniform(0.4, 1.1)).astype(np.float32)
    light = np.linspace(rng.uniform(0.6, 1.0), rng.uniform(0.6, 1.0), FRAME_PX, dtype=np.float32)[None, :, None]
    cast = rng.uniform(0.92, 1.08, 3).astype(np.float32)[None, None, :]  # white balance of a cheap camera
    noise = rng.standard_normal(seen.shape, dtype=np.float32) * np.float32(rng.uniform(2, 5))
    seen = seen * light * cast + noise
    squeezed = cv2.imencode(".jpg", np.clip(seen, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return np.asarray(cv2.imdecode(squeezed, cv2.IMREAD_COLOR), dtype=np.uint8)


def chip_portrait(
    picture: Picture,
    points: Landmarks,
    *,
    inter_eye_px: float = CHIP_INTER_EYE_PX,
    max_bytes: int = CHIP_MAX_BYTES,
) -> bytes:
    """The picture as a chip keeps it: cropped as ICAO 9303 asks, reduced, JPEG 2000 of at most so many bytes.

    Raises:
        EvaluationDataError: The encoder cannot get it so small.
    """
    pose = pose_of(points)
    scale = inter_eye_px / pose.inter_eye_px
    eyes = (points[36:42].mean(axis=0) + points[42:48].mean(axis=0)) / 2
    size = (round(WIDTH_IN_EYE_DISTANCES * inter_eye_px), round(HEIGHT_IN_EYE_DISTANCES * inter_eye_px))
    smaller = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale) if scale < 1 else picture  # before fewer pixels: no moire
    move = np.array([[scale, 0, size[0] / 2 - scale * eyes[0]], [0, scale, EYES_FROM_TOP * size[1] - scale * eyes[1]]])
    cropped = cv2.warpAffine(smaller, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    portrait = Image.fromarray(np.ascontiguousarray(cropped[:, :, ::-1]))
    rate = size[0] * size[1] * 3 / max_bytes
    for _ in range(20):  # the encoder aims at the rate and may overshoot by its headers
        stored = io.BytesIO()
        portrait.save(stored, "JPEG2000", quality_mode="rates", quality_layers=[rate], irreversible=True)
        if len(stored.getvalue()) <= max_bytes:
            return stored.getvalue()
        rate *= 1.03
    raise EvaluationDataError(f"a portrait of {size[0]} x {size[1]} does not fit {max_bytes} bytes")
