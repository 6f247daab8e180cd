"""The process in which a picture from a chip is decoded: it takes one, under limits, and ends.

Run by path, alone: `python -I image_worker.py MEMORY_BYTES CPU_S PIXELS < picture > pixels`. Writes width and
height (two big-endian numbers of 32 bits) and the pixels as RGB; exit code 0, or one of those below with nothing
written. It never writes a word, so that nothing of a picture gets into a log.
"""

import contextlib
import importlib.util
import io
import os
import resource
import struct
import sys

from PIL import Image, Jpeg2KImagePlugin, JpegImagePlugin, PngImagePlugin

NOT_A_PICTURE, TOO_LARGE, NO_DECODER = 10, 11, 12
OUT_OF_MEMORY = 13
NOBODY = 65534  # the user without rights of every Linux
DECODERS = (JpegImagePlugin, Jpeg2KImagePlugin, PngImagePlugin)  # these only, whatever else Pillow could read
WSQ_PLUGIN = "wsq"  # optional, from PyPI: NBIS inside, licence CeCILL-C; registers itself with Pillow
WSQ_START = b"\xff\xa0"
FORMATS = {  # by first bytes: what ISO/IEC 19794 and 39794 allow
    b"\xff\xd8\xff": "JPEG",
    b"\x00\x00\x00\x0c": "JPEG2000",
    b"\xff\x4f\xff": "JPEG2000",
    b"\x89PNG": "PNG",
    WSQ_START: "WSQ",
}


def limit(memory_bytes: int, cpu_s: int, pixels: int) -> None:
    """Take from this process what a decoder does not need, for good."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the picture
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 + 3 * pixels, 8 + 3 * pixels))  # stdout is a file in memory
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))  # the three it has: nothing can be opened any more
    if os.geteuid() == 0:  # tests and containers run as root, whom the next limit does not bind
        with contextlib.suppress(OSError):  # a namespace without other users has none to become
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def decode(encoded: bytes, pixels: int) -> bytes:
    """Size and pixels, or `SystemExit` with the code that says why not."""
    kind = next((name for start, name in FORMATS.items() if encoded.startswith(start)), None)
    if kind is None:
        raise SystemExit(NOT_A_PICTURE)
    if kind == "WSQ" and WSQ_PLUGIN not in sys.modules:
        raise SystemExit(NO_DECODER)
    with Image.open(io.BytesIO(encoded), formats=[kind]) as picture:
        width, height = picture.size
        if not 0 < width * height <= pixels:
            raise SystemExit(TOO_LARGE)
        return struct.pack(">II", width, height) + picture.convert("RGB").tobytes()


def main() -> None:
    """One picture from standard input to standard output."""
    memory_bytes, cpu_s, pixels = (int(word) for word in sys.argv[1:4])
    Image.MAX_IMAGE_PIXELS = None  # our own limit is lower and ends the process instead of warning
    Image.preinit()  # what Image.open would import, while files can still be opened
    encoded = sys.stdin.buffer.read()
    if encoded.startswith(WSQ_START) and importlib.util.find_spec(WSQ_PLUGIN) is not None:
        importlib.import_module(WSQ_PLUGIN)
    limit(memory_bytes, cpu_s, pixels)
    try:
        decoded = decode(encoded, pixels)
    except MemoryError as error:
        raise SystemExit(OUT_OF_MEMORY) from error
    except Exception as error:  # the top of a process: decoders raise what they like, and it says nothing of it
        raise SystemExit(NOT_A_PICTURE) from error
    sys.stdout.buffer.write(decoded)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
