"""The chip's picture for a clerk's page: decoded apart, and encoded anew so that every browser shows it."""

import io

from PIL import Image

from hardware_drivers.id_chip.image_sandbox import decode_image

# The face is compared on this picture too: fine enough that the comparison does not notice (4:4:4, least loss).
JPEG_QUALITY = 95


def display_jpeg(encoded: bytes) -> bytes:
    """A JPEG of the picture on the chip, whatever it is there; browsers show no JPEG 2000.

    `MalformedFileError` when it cannot be decoded within the limits of `image_sandbox`.
    """
    stored = io.BytesIO()
    Image.fromarray(decode_image(encoded)).save(stored, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return stored.getvalue()
