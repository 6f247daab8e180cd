"""A program for `plugin.py` around a maker's shared library: WLT in, portrait out. Standard library only.

`python -I wlt2bmp_library.py LIBRARY FUNCTION` calls `int FUNCTION(const char *wlt, char *bmp, int bmp_bytes)`, which
some makers' libraries export as `wlt2bmpBuffer` and which fills in a BMP file of 38 862 bytes. Written from public
declarations of that function and never tried with a maker's library: none is at hand.
"""

import ctypes
import struct
import sys

WIDTH_PX, HEIGHT_PX = 102, 126
ROW_BYTES = WIDTH_PX * 3
ROW_PADDED_BYTES = (ROW_BYTES + 3) // 4 * 4  # rows of a BMP end on four bytes
BMP_BYTES = 54 + ROW_PADDED_BYTES * HEIGHT_PX


def main() -> None:
    """Answer one request."""
    kind, length = struct.unpack(">cI", sys.stdin.buffer.read(5))
    wlt = sys.stdin.buffer.read(length)
    answer = b"E"
    if kind == b"P":
        library = ctypes.CDLL(sys.argv[1])
        bmp = ctypes.create_string_buffer(BMP_BYTES)
        library[sys.argv[2]](ctypes.create_string_buffer(wlt, length), bmp, BMP_BYTES)
        rgb = rgb_of_bmp(bmp.raw)
        if rgb is not None:
            picture = struct.pack(">HH", WIDTH_PX, HEIGHT_PX) + rgb
            answer = b"R" + struct.pack(">I", len(picture)) + picture
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


def rgb_of_bmp(bmp: bytes) -> bytes | None:
    """Rows from the top, red green blue; None for anything but an uncompressed 24-bit picture of a portrait's size."""
    magic, offset = bmp[:2], struct.unpack_from("<I", bmp, 10)[0]
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", bmp, 18)
    right = (magic, offset, width, abs(height), bits, compression) == (b"BM", 54, WIDTH_PX, HEIGHT_PX, 24, 0)
    if not right:
        return None
    rows = [bmp[at : at + ROW_BYTES] for at in range(offset, offset + ROW_PADDED_BYTES * HEIGHT_PX, ROW_PADDED_BYTES)]
    if height > 0:  # the usual order begins at the bottom
        rows.reverse()
    pixels = b"".join(rows)
    rgb = bytearray(len(pixels))
    rgb[0::3], rgb[1::3], rgb[2::3] = pixels[2::3], pixels[1::3], pixels[0::3]
    return bytes(rgb)


if __name__ == "__main__":
    main()
