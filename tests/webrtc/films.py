"""Encoded pictures as pages send them, and what a decoder outside makes of a recording."""

import io
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import pyrage  # type: ignore[import-untyped]
from aiortc.codecs.h264 import H264Encoder


def h264_pictures(count: int, width: int = 320, height: int = 240, profile: str = "baseline") -> list[bytes]:
    """H.264 byte streams, the first a key picture with its parameter sets, as browsers make them."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuv420p", Fraction(1, 30)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": profile, "x264-params": "keyint=9999"}
    pictures: list[bytes] = []
    for number in range(count):
        picture = av.VideoFrame(width, height, "yuv420p")
        for plane, fill in zip(picture.planes, (number * 7 % 200, 128, 128), strict=True):
            plane.update(bytes([fill]) * plane.buffer_size)
        picture.pts = number
        pictures += [bytes(packet) for packet in encoder.encode(picture)]
    return pictures


def h264_packets(picture: bytes) -> list[bytes]:
    """The picture's RTP payloads by aiortc's packetizer: single units, STAP-A and FU-A."""
    payloads: list[bytes] = H264Encoder._packetize(H264Encoder._split_bitstream(picture))
    return payloads


def unseal(folder: Path, names: Iterable[str], identity: pyrage.x25519.Identity) -> bytes:
    """The Matroska file, put together as the documentation says."""
    return b"".join(pyrage.decrypt((folder / name).read_bytes(), [identity]) for name in names)


def pictures_in(matroska: bytes) -> list[tuple[float, int, int]]:
    """(time in seconds, width, height) of every decoded picture; a decoding error raises."""
    with av.open(io.BytesIO(matroska)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"err_detect": "explode"}
        return [(float(picture.time or 0.0), picture.width, picture.height) for picture in container.decode(stream)]


def key_flags(matroska: bytes) -> list[bool]:
    """Which pictures the file says one can begin at."""
    with av.open(io.BytesIO(matroska)) as container:
        return [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
