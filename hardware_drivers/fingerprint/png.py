"""Grey pictures as PNG (W3C PNG, second edition), so that a desk needs no image library to hand one on."""

import struct
import zlib
from typing import Final

import numpy as np

from hardware_drivers.fingerprint.scanner import GreyImage

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
GREY_8: Final = bytes((8, 0, 0, 0, 0))  # bits, colour type grey, deflate, filters of §9, not interlaced
UP: Final = 2  # §9.2: each row as the difference to the one above; ridges compress a tenth better than unfiltered
METRE_IN: Final = 39.3701


def grey_png(pixels: GreyImage, dpi: int, *, effort: int = 6) -> bytes:
    """The picture as PNG with its resolution; `effort` of zlib, 1 for a live picture."""
    height, width = pixels.shape
    above = np.vstack([np.zeros((1, width), np.uint8), pixels[:-1]])
    rows = np.hstack([np.full((height, 1), UP, np.uint8), pixels - above])  # wraps around, as §9.2 has it
    per_metre = round(dpi * METRE_IN)
    return b"".join(
        (
            SIGNATURE,
            _chunk(b"IHDR", struct.pack(">II", width, height) + GREY_8),
            _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), effort)),
            _chunk(b"IEND", b""),
        )
    )


def smaller(pixels: GreyImage, width_px: int) -> GreyImage:
    """The picture at most that wide, by whole steps and means."""
    step = -(-pixels.shape[1] // width_px)
    if step <= 1:
        return pixels
    rows, columns = pixels.shape[0] // step, pixels.shape[1] // step
    blocks = pixels[: rows * step, : columns * step].reshape(rows, step, columns, step)
    return np.asarray(blocks.mean(axis=(1, 3)), np.uint8)


def _chunk(kind: bytes, body: bytes) -> bytes:
    """§5.3: length, kind, body, CRC of kind and body."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
