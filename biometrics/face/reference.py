"""The portrait to compare with, usually from a chip's DG2.

Thin: decoding happens in this process, with the pixel count bounded first. JPEG 2000 decoders have a history;
chip images belong in a child with limited memory and time.
"""

import io
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import cv2
import numpy as np
from PIL import Image

from biometrics.errors import PortraitFaceError, PortraitUnreadableError
from biometrics.face.compare import at_length_one, erase
from biometrics.face.engine import Embedding, FaceEngine, Picture
from biometrics.face.liveness.motion import pose_of
from biometrics.face.quality import straightness

MEASURED_WITHIN: Final = 0.97  # landmarks on 93 portraits made at 60 px measured 59.2 to 61.1
MAX_BYTES: Final = 2_000_000  # ICAO 9303 portraits are 12 to 40 KB; Doc 9303-9 knows no larger use
MAX_PIXELS: Final = 12_000_000
MIN_SIDE_PX: Final = 80
WORK_SIDE_PX: Final = 640
SMALL_INTER_EYE_PX: Final = 60.0
"""Below, misses rise from 0 to about 3 % at FMR 1e-3 (research notes on faces, section 4)."""
SMALL_BYTES: Final = 6_000  # as above: 1 % at 4 KB, none at 8 KB
LEAST_INTER_EYE_PX: Final = 20.0  # of such a picture nobody can say whose it is; at 30 px 97 of 100 are still told


class PortraitTrouble(StrEnum):
    """Why genuine people will more often be referred to a clerk because of this picture."""

    FEW_PIXELS = "few_pixels"
    FEW_BYTES = "few_bytes"
    TURNED = "turned"


@dataclass(frozen=True, slots=True)
class Reference:
    """What is kept of a portrait: the embedding and how good the picture was."""

    embedding: Embedding
    """At length one, as `gallery.FusedFace.embedding` is."""
    engine: str
    inter_eye_px: float
    encoded_bytes: int
    """As stored on the chip, where the caller knows it; else of the picture that was handed in."""
    troubles: tuple[PortraitTrouble, ...] = ()

    @property
    def is_small(self) -> bool:
        """Whether genuine people will more often be referred to a clerk because of this picture's size."""
        return PortraitTrouble.FEW_PIXELS in self.troubles or PortraitTrouble.FEW_BYTES in self.troubles

    def forget(self) -> None:
        """Overwrite the embedding."""
        erase(self.embedding)


def load_reference(image_bytes: bytes, engine: FaceEngine, *, stored_bytes: int | None = None) -> Reference:
    """The reference made of a JPEG or JPEG 2000 portrait, whose quality is judged first.

    Args:
        image_bytes: The picture.
        engine: Finds and embeds the face.
        stored_bytes: How many bytes the chip gave to it, where `image_bytes` was encoded anew since.

    Raises:
        PortraitUnreadableError: Not such a picture, broken, or larger than `MAX_BYTES` or `MAX_PIXELS`.
        PortraitFaceError: No face in it, more than one, or one too small to say whose it is.
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
    pose = pose_of(engine.landmarks(sized, boxes[0]))
    inter_eye = pose.inter_eye_px / scale
    if inter_eye < LEAST_INTER_EYE_PX:
        raise PortraitFaceError(f"the eyes in the portrait are {inter_eye:.0f} pixels apart")
    size = len(image_bytes) if stored_bytes is None else stored_bytes
    found = (
        (inter_eye < SMALL_INTER_EYE_PX * MEASURED_WITHIN, PortraitTrouble.FEW_PIXELS),
        (size < SMALL_BYTES, PortraitTrouble.FEW_BYTES),
        (straightness(pose) is not None, PortraitTrouble.TURNED),
    )
    troubles = tuple(trouble for wrong, trouble in found if wrong)
    raw = engine.embed(engine.align(sized, boxes[0]))
    embedding = at_length_one(raw)
    erase(raw)
    return Reference(embedding, engine.id, inter_eye, size, troubles)


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
