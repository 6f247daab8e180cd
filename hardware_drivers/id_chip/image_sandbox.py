"""Pictures from chips, decoded where a hostile one can do no harm: in a child process of little memory and time.

Decoders of JPEG 2000 and WSQ are old C code, and whoever makes a chip chooses every byte they read. The child has no
files, no environment and no way to open either; what comes back is a size and that many pixels, or a refusal.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from hardware_drivers.errors import MalformedFileError

WORKER = Path(__file__).with_name("image_worker.py")
REASONS = {  # by exit code of the worker, which is not imported here: it would bring its decoders along
    10: "cannot be decoded",
    11: "has more pixels than any portrait or finger",
    12: "is WSQ, and the decoder for it is not installed",
    13: "wants more memory than any portrait or finger",
}


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What one picture may cost.

    Attributes:
        pixels: 3000 x 4000; the largest portrait of the ISO samples has 2.9 million.
        memory_bytes: Address space of the child. Python and Pillow take 60 MB of it before the picture comes, OpenJPEG
            16 bytes for each pixel.
        cpu_s, wall_s: A portrait takes 0.05 s.
    """

    pixels: int = 12_000_000
    memory_bytes: int = 512 * 1024 * 1024
    cpu_s: int = 5
    wall_s: float = 10.0


DEFAULT_LIMITS = ImageLimits()


def decode_image(encoded: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> NDArray[np.uint8]:
    """The picture, (height, width, 3) in RGB, from JPEG, JPEG 2000, PNG or WSQ by its first bytes.

    `MalformedFileError` when it is none of them, is damaged, or wants more than the limits.
    """
    command = [sys.executable, "-I", str(WORKER), *map(str, (limits.memory_bytes, limits.cpu_s, limits.pixels))]
    with _file_in_memory() as source, _file_in_memory() as target:
        source.write(encoded)
        source.seek(0)
        try:
            ended = subprocess.run(
                command, stdin=source, stdout=target, stderr=subprocess.DEVNULL, env={}, timeout=limits.wall_s
            )
        except subprocess.TimeoutExpired as error:  # run() has killed it
            raise MalformedFileError("picture", f"was not decoded within {limits.wall_s:g} s") from error
        if ended.returncode:
            died = f"ended its decoder ({ended.returncode})"  # negative: the signal, of a limit or a crash
            raise MalformedFileError("picture", REASONS.get(ended.returncode, died))
        target.seek(0)
        return _pixels(target.read(8 + 3 * limits.pixels), limits.pixels)


def _pixels(decoded: bytes, most: int) -> NDArray[np.uint8]:
    """What the child wrote, which is believed no more than the picture."""
    width, height = int.from_bytes(decoded[:4], "big"), int.from_bytes(decoded[4:8], "big")
    if not 0 < width * height <= most or len(decoded) != 8 + 3 * width * height:
        raise MalformedFileError("picture", "its decoder answered something else")
    return np.frombuffer(decoded, np.uint8, offset=8).reshape(height, width, 3)


def _file_in_memory() -> BinaryIO:
    """A nameless file that no disk sees; where the system has none, a nameless one on disk."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("picture"), "w+b")
    return cast(BinaryIO, tempfile.TemporaryFile())
