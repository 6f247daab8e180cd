"""The portrait to compare with, usually from a chip's DG2.

Thin: decoding happens in this process, with the pixel count bounded first. JPEG 2000 decoders have a history;
chip images belong in a child with limited memory and time.
"""

import io
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image

from biometrics.errors import PortraitFaceError, PortraitUnreadableError
from biometrics.face.engine import Embedding, FaceEngine, Picture
from biometrics.face.liveness.motion import pose_of

MAX_BYTES: Final = 2_000_000  # ICAO 9303 portraits are 12 to 40 KB; Doc 9303-9 knows no larger use
MAX_PIXELS: Final = 12_000_000
MIN_SIDE_PX: Final = 80
WORK_SIDE_PX: Final = 640
SMALL_INTER_EYE_PX: Final = 60.0
"""Below, misses rise from 0 to about 3 % at FMR 1e-3 (research notes on faces, section 4)."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What is kept of a portrait: the embedding and how good the picture was."""

    embedding: Embedding
    engine: str
    inter_eye_px: float
    encoded_bytes: int

    @property
    def is_small(self) -> bool:
        """Whether genuine people will more often be referred to a clerk because of this picture."""
        return self.inter_eye_px < SMALL_INTER_EYE_PX


def load_reference(image_bytes: bytes, engine: FaceEngine) -> Reference:
    """The reference made of a JPEG or JPEG 2000 portrait.

    Raises:
        PortraitUnreadableError: Not such a picture, broken, or larger than `MAX_BYTES` or `MAX_PIXELS`.
        PortraitFaceError: No face in it, or more than one.
    """
    picture = _decode(image_bytes)
    scale = WORK_SIDE_PX / max(picture.shape[:2])
    # small portraits are enlarged because the detector needs 80 px; large ones shrink because it needs no more
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized: Picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=interpolation), np.uint8)
    boxes = engine.detect(sized)
    if not boxes:
        raise PortraitFaceError("no face was found in the portrait")
    if len(boxes) > 1 and boxes[1].width > boxes[0].width / 2:
        raise PortraitFaceError(f"{len(boxes)} faces were found in the portrait")
    inter_eye = pose_of(engine.landmarks(sized, boxes[0])).inter_eye_px / scale
    embedding = engine.embed(engine.align(sized, boxes[0]))
    return Reference(embedding, engine.id, inter_eye, len(image_bytes))


def _decode(image_bytes: bytes) -> Picture:
    if len(image_bytes) > MAX_BYTES:
        raise PortraitUnreadableError(f"the portrait has {len(image_bytes)} bytes, at most {MAX_BYTES} are read")
    try:
        with Image.open(io.BytesIO(image_bytes), formats=("JPEG", "JPEG2000")) as image:
            width, height = image.size  # from the header; nothing is decoded yet
            if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE_PX:
                raise PortraitUnreadableError(f"the portrait says it is {width} x {height} pixels")
            red_green_blue = np.asarray(image.convert("RGB"), dtype=np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PortraitUnreadableError(f"the portrait cannot be decoded: {type(error).__name__}") from error
    return np.ascontiguousarray(red_green_blue[:, :, ::-1])
