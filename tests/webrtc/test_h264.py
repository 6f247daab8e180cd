"""H.264 against another packetizer, another parser of its headers, and strangers' bytes."""

import io
import random

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webrtc.films import h264_packets, h264_pictures
from webrtc.errors import MalformedRtpError
from webrtc.h264 import (
    ParameterSets,
    begins_key_h264,
    configuration,
    h264_size,
    join_h264,
    length_prefixed,
    parameter_sets,
    units,
)
from webrtc.rtp import H264, Assembler


def with_four_bytes(picture: bytes) -> bytes:
    """libx264 spells some start codes with three bytes."""
    return b"".join(
        b"\x00\x00\x00\x01" + unit
        for unit in picture.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01").split(b"\x00\x00\x01")[1:]
    )


def test_what_another_packetizer_took_apart_is_put_together_again() -> None:
    for picture in h264_pictures(5, 640, 480):
        packets = h264_packets(picture)
        assert join_h264(packets) == with_four_bytes(picture)
    kinds = {packet[0] & 0x1F for packet in h264_packets(b"\x00\x00\x00\x01\x65" + bytes(range(1, 255)) * 30)}
    assert kinds == {28}


@pytest.mark.parametrize("size", [(320, 240), (640, 480), (322, 182), (176, 144), (1280, 720), (480, 640)])
@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_the_size_is_the_encoders(size: tuple[int, int], profile: str) -> None:
    (picture,) = h264_pictures(1, *size, profile)
    assert h264_size(with_four_bytes(picture)) == size


def test_libav_decodes_by_the_header_alone() -> None:
    """Its own parser of the configuration record is the oracle: without in-band sets the header must be right."""
    picture = with_four_bytes(h264_pictures(1, 322, 182)[0])
    sets = parameter_sets(picture)
    assert sets is not None
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = configuration(sets)
    slices = [unit for unit in units(picture) if unit[0] & 0x1F == 5]
    decoded = [
        *decoder.decode(av.Packet(b"".join(len(unit).to_bytes(4, "big") + unit for unit in slices))),
        *decoder.decode(None),
    ]
    assert [(frame.width, frame.height) for frame in decoded] == [(322, 182)]


def test_a_header_without_sets_leaves_them_to_the_pictures() -> None:
    picture = with_four_bytes(h264_pictures(1, 320, 240)[0])
    decoder = av.CodecContext.create("h264", "r")
    decoder.extradata = configuration(None)
    decoded = [*decoder.decode(av.Packet(length_prefixed(picture))), *decoder.decode(None)]
    assert [(frame.width, frame.height) for frame in decoded] == [(320, 240)]


EVIL = [
    ("a fragment without a beginning", ["67 42", "5c 41 88"]),
    ("a fragment without an end", ["5c 85 88"]),
    ("a beginning inside a fragmented unit", ["5c 85 88", "5c 85 88", "5c 45 88"]),
    ("another kind goes on", ["5c 85 88", "5c 41 88"]),
    ("a whole unit inside a fragmented one", ["5c 85 88", "68 ce", "5c 45 88"]),
    ("beginning and end in one (RFC 6184 §5.8)", ["5c c5 88"]),
    ("a fragment of an aggregate", ["5c 98 88", "5c 58 88"]),
    ("a fragment of nothing", ["5c 85"]),
    ("an aggregate inside an aggregate", ["78 0003 78 00 01"]),
    ("an aggregate longer than its packet", ["78 ffff 67"]),
    ("an aggregate with an empty unit", ["78 0000"]),
    ("STAP-B, which is never negotiated", ["79 0000 0001 67"]),
    ("nothing", [""]),
]


@pytest.mark.parametrize("packets", [packets for _, packets in EVIL], ids=[title for title, _ in EVIL])
def test_evil_units_are_told(packets: list[str]) -> None:
    with pytest.raises(MalformedRtpError):
        join_h264([bytes.fromhex(packet) for packet in packets])


def test_a_delimiter_may_stand_before_the_parameter_sets() -> None:
    assembler = Assembler(H264)
    packets = [b"\x09\x10", *h264_packets(h264_pictures(1)[0])]
    frames = [
        frame
        for number, packet in enumerate(packets)
        for frame in assembler.push(number, 7, int(number == len(packets) - 1), packet, 0.0)
    ]
    assert [frame.key for frame in frames] == [True]


def test_parameter_sets_after_a_slice_begin_nothing() -> None:
    assembler = Assembler(H264)
    assert assembler.push(1, 7, 0, b"\x41\x9a\x00", 0.0) == []
    assert assembler.push(2, 7, 1, b"\x67\x42\xe0\x1f", 0.0) == []
    assert assembler.waits_for_key


def test_headers_of_strangers_never_break_anything() -> None:
    """2000 parameter sets with flipped bits: a size, or none, and libav is never given a larger one than its limit."""
    rng = random.Random(6)  # noqa: S311 - repeatable, not secret
    sets = parameter_sets(with_four_bytes(h264_pictures(1)[0]))
    assert sets is not None
    for _ in range(2_000):
        sps = bytearray(sets.sps)
        for _ in range(rng.randint(1, 12)):
            sps[rng.randrange(1, len(sps))] ^= 1 << rng.randrange(8)
        stream = b"\x00\x00\x00\x01" + bytes(sps[: rng.randint(4, len(sps))]) + b"\x00\x00\x00\x01" + sets.pps
        size = h264_size(stream)
        assert size is None or (0 < size[0] * size[1] <= 256 * 139_264)


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_bytes_of_strangers_are_put_together_or_refused(packets: list[bytes]) -> None:
    for packet in packets:
        begins_key_h264(packet)
    try:
        picture = join_h264(packets)
    except MalformedRtpError:
        return
    h264_size(picture)
    assert sum(map(len, units(picture))) <= len(picture)
    assert configuration(parameter_sets(picture) or ParameterSets(b"\x67\x42\xe0\x1f", b"\x68"))


def test_a_parameter_set_of_a_megabyte_is_not_read() -> None:
    stream = b"\x00\x00\x00\x01\x67\x42\xe0\x1f" + b"\x00\xff" * 500_000 + b"\x00\x00\x00\x01\x68\xce"
    assert parameter_sets(stream) is None
    assert h264_size(stream) is None
    assert io.BytesIO(length_prefixed(stream)).read(4) == (1_000_004).to_bytes(4, "big")
